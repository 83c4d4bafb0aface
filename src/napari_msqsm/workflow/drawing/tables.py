"""Tables of a drawing: one row per lesion, and one per lesion and session after its onset."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from napari_msqsm.errors import InputError
from napari_msqsm.model.lesion import MOST_LESIONS, Enhancement, FollowUp, Lesion, Onset, lesion_id_of
from napari_msqsm.workflow.drawing.table_text import read_rows, table_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_POINT = ("onset_x_mm", "onset_y_mm", "onset_z_mm")
_SHIFT = ("shift_x_mm", "shift_y_mm", "shift_z_mm")
_LESION_COLUMNS = (
    *("lesion_id", "label", "onset_session", "onset", *_POINT, "enhancement", "central_vein"),
    *("carried", "excluded", "note"),
)
_OTHER_NAMES = {"onset_session_id": "onset_session", "onset_point_x_mm": _POINT[0], "notes": "note"}
_FOLLOW_UP_COLUMNS = ("lesion_id", "label", "session", "propagated", "reviewed_by", "reviewed_at", *_SHIFT)
_YES, _NO = ("1", "1.0", "yes", "true"), ("0", "0.0", "no", "false")
_EXCLUDED = "excluded by reader"


@dataclass(frozen=True)
class LesionTable:
    """What the table of lesions holds.

    Parameters
    ----------
    lesions
        By row.
    more
        Columns that are not ours, by label: kept as they stand.
    """

    lesions: tuple[Lesion, ...] = ()
    more: Mapping[int, Mapping[str, str]] = field(default_factory=dict, hash=False)


def read_lesions(path: Path, patient_id: str, sessions: Sequence[str]) -> LesionTable:
    """Read the table of lesions of a patient; empty where there is none.

    Parameters
    ----------
    path
        The table. Needs ``lesion_id`` or ``label``; without ``label`` it is the last number in ``lesion_id``.
    patient_id
        Without ``sub-``.
    sessions
        BIDS names of the patient's sessions; the table may name them ``ses-02`` or ``02`` as well.

    Raises
    ------
    InputError
        When a lesion or label occurs twice, or a cell holds what it cannot.
    """
    found: dict[int, Lesion] = {}
    more: dict[int, Mapping[str, str]] = {}
    names: set[str] = set()
    for row in read_rows(path):
        cells = {_OTHER_NAMES.get(name, name): value.strip() for name, value in row.items()}
        label = _label(cells, path)
        name = cells.get("lesion_id") or lesion_id_of(patient_id, label)
        if label in found or name in names:
            raise InputError(
                f"table {path} has lesion {name} (label {label}) twice; give every lesion one row and one label"
            )
        names.add(name)
        found[label] = Lesion(
            label,
            name,
            onset_session=_session(cells.get("onset_session"), sessions, path),
            onset=_word(cells, "onset", get_args(Onset), path),
            onset_point_mm=_point(cells, _POINT, path),
            enhancement=_word(cells, "enhancement", get_args(Enhancement), path),
            central_vein=_truth(cells, "central_vein", path),
            carried=cells.get("carried", ""),
            excluded=_reason(cells.get("excluded", "")),
            note=row.get("note", row.get("notes", "")),
        )
        more[label] = {
            name: value for name, value in row.items() if _OTHER_NAMES.get(name, name) not in _LESION_COLUMNS
        }
    return LesionTable(tuple(found.values()), {label: cells for label, cells in more.items() if cells})


def lesions_text(lesions: Iterable[Lesion], more: Mapping[int, Mapping[str, str]]) -> str:
    """Text of the table of lesions."""
    others = dict.fromkeys(name for cells in more.values() for name in cells)
    rows = [
        {
            "lesion_id": one.lesion_id,
            "label": str(one.label),
            "onset_session": written_session(one.onset_session),
            "onset": one.onset or "",
            **_numbers(_POINT, one.onset_point_mm),
            "enhancement": one.enhancement or "",
            "central_vein": "" if one.central_vein is None else str(int(one.central_vein)),
            "carried": one.carried,
            "excluded": one.excluded,
            "note": one.note,
            **more.get(one.label, {}),
        }
        for one in lesions
    ]
    return table_text((*_LESION_COLUMNS, *others), rows)


def read_follow_ups(path: Path, sessions: Sequence[str]) -> tuple[FollowUp, ...]:
    """Read what is known of lesions at sessions after their onset; nothing where there is no table.

    Raises
    ------
    InputError
        When a lesion has two rows for a session, or a cell holds what it cannot.
    """
    found: dict[tuple[int, str], FollowUp] = {}
    for row in read_rows(path):
        cells = {name: value.strip() for name, value in row.items()}
        label, session = _label(cells, path), _session(cells.get("session"), sessions, path)
        if not session:
            raise InputError(f"table {path} has a row of label {label} without session; name one")
        if (label, session) in found:
            raise InputError(f"table {path} has label {label} twice for {session}; remove one row")
        found[label, session] = FollowUp(
            label,
            session,
            propagated=cells.get("propagated", ""),
            reviewed_by=cells.get("reviewed_by", ""),
            reviewed_at=cells.get("reviewed_at", ""),
            shift_mm=_point(cells, _SHIFT, path),
        )
    return tuple(found.values())


def follow_ups_text(follow_ups: Iterable[FollowUp], names: Mapping[int, str]) -> str:
    """Text of the table of lesions at sessions; ``names`` holds the name of the lesion of each label."""
    rows = [
        {
            "lesion_id": names.get(one.label, ""),
            "label": str(one.label),
            "session": written_session(one.session),
            "propagated": one.propagated,
            "reviewed_by": one.reviewed_by,
            "reviewed_at": one.reviewed_at,
            **_numbers(_SHIFT, one.shift_mm),
        }
        for one in follow_ups
    ]
    return table_text(_FOLLOW_UP_COLUMNS, rows)


def written_session(label: str) -> str:
    """How a table of one patient names a session: ``ses-02``, or ``sub-01`` where the study has no sessions."""
    return label.partition("_")[2] or label


def _session(cell: str | None, sessions: Sequence[str], path: Path) -> str:
    if not cell:
        return ""
    short = cell.rpartition("ses-")[2] if "ses-" in cell else cell
    for label in sessions:
        own = label.rpartition("_ses-")[2] if "_ses-" in label else label
        if cell == label or short == own:
            return label
    known = ", ".join(written_session(label) for label in sessions)
    raise InputError(f"table {path} names session {cell!r}, which the patient does not have; it has {known}")


def _label(cells: Mapping[str, str], path: Path) -> int:
    text = cells.get("label", "")
    if not text:
        digits = re.findall(r"\d+", cells.get("lesion_id", ""))
        text = digits[-1] if digits else ""
    try:
        label = float(text)
    except ValueError:
        label = 0.0
    if not 1 <= label <= MOST_LESIONS or label != int(label):
        said = cells.get("label") or cells.get("lesion_id") or "none"
        raise InputError(f"table {path} has a row whose label is {said}; give a number from 1 to {MOST_LESIONS}")
    return int(label)


def _word(cells: Mapping[str, str], column: str, words: Sequence[str], path: Path) -> Any:
    cell = cells.get(column, "")
    if not cell:
        return None
    if cell.casefold() not in words:
        raise InputError(f"table {path} says {column} {cell!r}; give {', '.join(words)} or n/a")
    return cell.casefold()


def _truth(cells: Mapping[str, str], column: str, path: Path) -> bool | None:
    cell = cells.get(column, "").casefold()
    if cell and cell not in (*_YES, *_NO):
        raise InputError(f"table {path} says {column} {cell!r}; give 1, 0 or n/a")
    return cell in _YES if cell else None


def _reason(cell: str) -> str:
    return "" if cell.casefold() in _NO else _EXCLUDED if cell.casefold() in _YES else cell


def _point(cells: Mapping[str, str], columns: Sequence[str], path: Path) -> tuple[float, float, float] | None:
    given = [cells[name] for name in columns if name in cells]
    if not given:
        return None
    try:
        x, y, z = (float(value) for value in given)
    except ValueError:
        raise InputError(f"table {path} has {given} in {', '.join(columns)}; give three numbers or none") from None
    return x, y, z


def _numbers(columns: Sequence[str], point: tuple[float, float, float] | None) -> dict[str, str]:
    return {} if point is None else {name: repr(float(value)) for name, value in zip(columns, point, strict=True)}
