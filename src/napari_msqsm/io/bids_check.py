"""Our own check of a BIDS study: names, tables, sidecars, and whether NIfTI and JSON agree.

It looks at what this program needs and at what goes wrong most, and takes seconds; the public validator
(``bids-validator-deno``) knows the whole of BIDS.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from napari_msqsm.errors import InputError, MsqsmError
from napari_msqsm.io.bids_images import image_problems
from napari_msqsm.io.bids_names import DATATYPES, name_problems
from napari_msqsm.io.sidecar import Sidecars, read_json
from napari_msqsm.io.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_YEAR_DAYS = 365.25
_AGE_APART_Y = 0.6
_IMAGES = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    where
        File or folder, relative to the study.
    sentence
        What is wrong with it.
    is_error
        Whether it breaks BIDS or a reconstruction; otherwise it is worth a look.
    """

    where: str
    sentence: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {"where": self.where, "sentence": self.sentence, "is_error": self.is_error}


def check_study(root: Path) -> tuple[Finding, ...]:
    """Check a BIDS study; images are judged by their headers.

    Parameters
    ----------
    root
        Folder of the study.

    Returns
    -------
    tuple
        Errors before warnings, each in the order of the folders; empty for a study without fault.

    Raises
    ------
    InputError
        When it is not a folder.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the folder of a BIDS study")
    ignored = _ignored(root)
    found = [finding for finding in _findings(root) if not ignored(finding.where)]
    return tuple(sorted(found, key=lambda finding: not finding.is_error))


def _findings(root: Path) -> Iterator[Finding]:
    yield from _description(root)
    folders = sorted(path for path in root.glob("sub-*") if path.is_dir())
    if not folders:
        yield Finding(".", "there is no patient (no sub-* folder)", True)
    names = [folder.name for folder in folders]
    yield from _rows(root, root / "participants.tsv", "participant_id", names, "folder")
    sidecars = Sidecars(root)
    for folder in folders:
        yield from _patient(root, folder, sidecars)


def _description(root: Path) -> Iterator[Finding]:
    path = root / "dataset_description.json"
    if not path.is_file():
        yield Finding(path.name, "it is missing; a BIDS study needs its Name and BIDSVersion", True)
        return
    try:
        content = read_json(path)
    except MsqsmError as error:
        yield Finding(path.name, str(error), True)
        return
    for name in ("Name", "BIDSVersion"):
        if not content.get(name):
            yield Finding(path.name, f"it has no {name}", True)


def _patient(root: Path, folder: Path, sidecars: Sidecars) -> Iterator[Finding]:
    if not folder.name.removeprefix("sub-").isalnum():
        yield Finding(folder.name, "a label holds letters and digits only", True)
    sessions = sorted(path for path in folder.glob("ses-*") if path.is_dir())
    yield from _sessions_table(root, folder, [session.name for session in sessions])
    for place in sessions or [folder]:
        session_id = place.name.removeprefix("ses-") if sessions else ""
        yield from _place(root, place, folder.name.removeprefix("sub-"), session_id, sidecars)


def _place(root: Path, place: Path, patient: str, session: str, sidecars: Sidecars) -> Iterator[Finding]:
    """One session's folder."""
    where = _relative(root)
    for child in sorted(place.iterdir()):
        if child.is_dir() and child.name not in DATATYPES and not child.name.startswith(("ses-", ".")):
            yield Finding(where(child), "it is no data type of BIDS, such as anat", True)
    files = sorted(path for path in (place / "anat").glob("*") if not path.name.startswith("."))
    if not files:
        yield Finding(where(place), "it has no image in anat", False)
    images = []
    for path in files:
        for sentence in name_problems(path, patient=patient, session=session):
            yield Finding(where(path), sentence, True)
        if path.name.endswith(_IMAGES):
            images.append(path)
        elif path.suffix == ".json" and not any((path.with_suffix(ending)).exists() for ending in _IMAGES):
            yield Finding(where(path), "there is no image of this name", True)
    for path, sentence, is_error in image_problems(sidecars, images):
        yield Finding(where(path), sentence, is_error)


def _sessions_table(root: Path, folder: Path, names: list[str]) -> Iterator[Finding]:
    path = folder / f"{folder.name}_sessions.tsv"
    if not path.is_file():
        if names:
            yield Finding(folder.name, f"there is no {path.name}: lesion ages need the dates (acq_time)", False)
        return
    yield from _rows(root, path, "session_id", names, "session folder")
    try:
        table = read_table(path, text_columns=("session_id", "acq_time"))
    except MsqsmError:
        return  # named above
    if "acq_time" not in table.columns or "session_id" not in table.columns:
        yield Finding(_relative(root)(path), "it has no dates (acq_time): lesion ages cannot be computed", False)
        return
    yield from (Finding(_relative(root)(path), sentence, error) for sentence, error in _dates(table))


def _dates(table: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    dates: dict[str, datetime] = {}
    for name, text in zip(table["session_id"], table["acq_time"], strict=True):
        if pd.isna(text):
            yield f"{name} has no acq_time", False
            continue
        try:
            date = datetime.fromisoformat(str(text).strip())
        except ValueError:
            yield f"{name}: acq_time {text!r} is no date; BIDS wants YYYY-MM-DDThh:mm:ss", True
            continue
        if "T" not in str(text):
            yield f"{name}: acq_time {text!r} has no time of day; BIDS wants YYYY-MM-DDThh:mm:ss", True
        dates[str(name)] = date.replace(tzinfo=None)
    by_day: dict[Any, list[str]] = {}
    for name, date in dates.items():
        by_day.setdefault(date.date(), []).append(name)
    rescans = table["rescan_of"].notna().any() if "rescan_of" in table.columns else False
    for day, names in by_day.items():
        if len(names) > 1 and not rescans:
            yield f"{' and '.join(names)} have one date ({day})", False
    if "age" in table.columns:
        ages = pd.to_numeric(table["age"], errors="coerce")
        known = [
            (name, float(age), dates[str(name)])
            for name, age in zip(table["session_id"], ages, strict=True)
            if str(name) in dates and not pd.isna(age)
        ]
        for name, age, date in known[1:]:
            years = (date - known[0][2]).total_seconds() / 86400 / _YEAR_DAYS
            if abs(age - known[0][1] - years) > _AGE_APART_Y + 0.5 * _is_whole(age, known[0][1]):
                yield f"{name}: age and date disagree with those of {known[0][0]} by more than half a year", False


def _is_whole(*ages: float) -> bool:
    return all(age == int(age) for age in ages)


def _rows(root: Path, path: Path, key: str, names: list[str], what: str) -> Iterator[Finding]:
    """Rows of a table against the folders."""
    where = _relative(root)(path)
    if not path.is_file():
        yield Finding(where, "it is missing", False)
        return
    try:
        table = read_table(path, text_columns=(key,))
    except MsqsmError as error:
        yield Finding(where, str(error), True)
        return
    if key not in table.columns:
        yield Finding(where, f"it has no column {key}", True)
        return
    if table.columns[0] != key:
        yield Finding(where, f"{key} must be its first column", True)
    rows = [str(value) for value in table[key] if not pd.isna(value)]
    for name in sorted({row for row in rows if rows.count(row) > 1}):
        yield Finding(where, f"{name} has more than one row", True)
    for name in names:
        if name not in rows:
            yield Finding(where, f"{name} has a {what} but no row", True)
    for row in dict.fromkeys(rows):
        if row not in names:
            yield Finding(where, f"{row} has a row but no {what}", True)


def _relative(root: Path) -> Any:
    return lambda path: path.relative_to(root).as_posix()


def _ignored(root: Path) -> Any:
    """Patterns of ``.bidsignore``."""
    path = root / ".bidsignore"
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    patterns = [line.strip().strip("/") for line in lines if line.strip() and not line.startswith("#")]

    def matches(where: str) -> bool:
        name = where.rsplit("/", 1)[-1]
        return any(
            fnmatch.fnmatch(where, one) or fnmatch.fnmatch(name, one) or where.startswith(f"{one}/") for one in patterns
        )

    return matches
