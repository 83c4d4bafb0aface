"""``*_scans.tsv`` of a session: when each image was acquired, and whether after gadolinium."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_msqsm.io.tables import read_table

if TYPE_CHECKING:
    from pathlib import Path

WORDS_FOR_BOOL = {"true": True, "1": True, "false": False, "0": False}


def told_of_gadolinium(place: Path) -> dict[str, bool | None]:
    """Read what the table says of each image: acquired after gadolinium, before, or not known.

    Parameters
    ----------
    place
        Folder of the session.

    Returns
    -------
    dict
        By file name; empty where the table has no column ``post_gd``, which is seen without reading it.
    """
    told: dict[str, bool | None] = {}
    for path in place.glob("*_scans.tsv"):
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            if not {"filename", "post_gd"} <= set(stream.readline().split()):
                continue
        table = read_table(path, text_columns=("filename", "post_gd"))
        told |= {
            str(row["filename"]).rpartition("/")[2]: WORDS_FOR_BOOL.get(str(row["post_gd"]).lower())
            for _, row in table.iterrows()
        }
    return told


def earliest_scan(place: Path) -> datetime | None:
    """Earliest acquisition time of a session; None where no table has one."""
    dates = []
    for path in place.glob("*_scans.tsv"):
        table = read_table(path)
        if "acq_time" in table.columns:
            dates += [date for value in table["acq_time"] if (date := as_date(value)) is not None]
    return min(dates, key=lambda date: date.replace(tzinfo=None)) if dates else None


def as_date(value: Any) -> datetime | None:
    """Date of a cell; None where it holds none."""
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
