"""The private file that says who is who: original ↔ study. It never lies inside the study.

One line per series, tab-separated, readable by its owner only; lines are added, none is changed or removed.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.workflow.dicom_import.existing import KeyRow

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS = tuple(field.name for field in fields(KeyRow))
_MISSING = "n/a"
PRIVATE = 0o600
"""File mode: the owner reads and writes, nobody else does anything."""


def key_path(bids_dir: Path, key_file: Path | None) -> Path:
    """Where the key file of a study is: beside it, unless another place is given.

    Raises
    ------
    ParameterError
        When that place is inside the study, where it would be shared with it.
    """
    if key_file is None:
        whole = Path(os.path.abspath(bids_dir))  # noqa: PTH100  no ".." in a name, links as they are
        return whole.with_name(f"{whole.name}_key.tsv")
    refuse_inside(bids_dir, key_file, "--key-file")
    return key_file


def refuse_inside(bids_dir: Path, path: Path, flag: str) -> None:
    """Refuse to put what identifies patients into the study.

    Raises
    ------
    ParameterError
        When the path, with links followed, lies below the study's folder.
    """
    if path.resolve().is_relative_to(bids_dir.resolve()) or path.absolute().is_relative_to(bids_dir.absolute()):
        raise ParameterError(f"{flag} {path} lies inside the study, which is meant to be shared; put it elsewhere")


def read_key(path: Path) -> tuple[KeyRow, ...]:
    """Read all lines; empty where there is no file yet.

    Raises
    ------
    InputError
        When it is something else, or a line is damaged.
    """
    if not path.exists():
        return ()
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"key file {path} cannot be read ({error}); give that of this study") from None
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(f"{path} is not a key file (it has no column {missing[0]}); give that of this study")
    return tuple(_row(path, number, line) for number, line in enumerate(table, start=2))


def appended_key(path: Path, rows: Iterable[KeyRow]) -> str:
    """Text of the key file with more lines; those that it has are not touched."""
    old = path.read_text("utf-8-sig") if path.exists() else ""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    if not old.strip():
        writer.writerow(_COLUMNS)
    elif not old.endswith("\n"):
        old += "\n"
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in _COLUMNS])
    return old + text.getvalue()


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but its owner can read, at no moment."""
    with atomic_path(path) as temporary:
        os.chmod(temporary, PRIVATE)  # noqa: PTH101  before anything is in it
        temporary.write_text(text, "utf-8", newline="")


def _row(path: Path, number: int, line: dict[str, str]) -> KeyRow:
    cells = {name: "" if line[name] in (_MISSING, None) else line[name] for name in _COLUMNS}
    try:
        return KeyRow(
            **{name: cells[name] for name in _COLUMNS if name not in ("series_number", "acquired_at", "offset_days")},
            series_number=int(cells["series_number"] or 0),
            acquired_at=datetime.fromisoformat(cells["acquired_at"]) if cells["acquired_at"] else None,
            offset_days=int(cells["offset_days"]),
        )
    except ValueError as error:
        raise InputError(f"key file {path}, line {number}: {error}; repair it from a copy") from None


def _cell(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
    return " ".join(text.split()) or _MISSING
