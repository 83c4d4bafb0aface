"""Who a row is about: the study's own identifiers, or a private table that leads to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.spreadsheet import read_sheet
from napari_msqsm.workflow.bring_in.which_session import same_name
from napari_msqsm.workflow.dicom_import.grouping import plain_name
from napari_msqsm.workflow.dicom_import.key_file import key_path, read_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study

_STUDY_COLUMNS = ("participant_id", "patient_id", "study_id", "bids_id", "pseudonym")


@dataclass(frozen=True)
class Key:
    """What a private table says.

    Parameters
    ----------
    names
        Original name or number (by `plain_name`) → patient of the study.
    offset_days
        Patient → days that its dates were moved by.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    offset_days: Mapping[str, int] = field(default_factory=dict)


def load_key(study: Study, path: Path | None) -> Key:
    """Read the key file of the import, or any table with a column ``participant_id``.

    Parameters
    ----------
    study
        Whose patients it leads to.
    path
        The file; the import's own beside the study, if there is one, when not given.

    Raises
    ------
    InputError
        When it is neither.
    """
    own = key_path(study.root, None)
    if path is None:
        return _of_import(own) if own.is_file() else Key()
    try:
        return _of_import(path)
    except InputError:
        pass
    sheet = read_sheet(path)
    column = next((one for one in sheet.columns if one.casefold().replace(" ", "_") in _STUDY_COLUMNS), None)
    if column is None:
        raise InputError(f"key table {path} has no column participant_id; name the study's identifiers so")
    names: dict[str, str] = {}
    for row in sheet.rows:
        patient = str(row[column] or "").removeprefix("sub-")
        for other in sheet.columns:
            if other != column and row[other] is not None and patient:
                text = row[other]
                names[plain_name(f"{text:.0f}" if isinstance(text, float) else str(text))] = patient
    return Key(names)


def find_patient(study: Study, key: Key, text: str) -> tuple[Patient | None, str]:
    """Find the patient a cell means.

    Returns
    -------
    tuple
        The patient or None, and what was assumed or why it cannot be told (empty for the exact identifier or a key).

    Notes
    -----
    A laboratory's number 2 and the study's ``sub-02`` may be two patients: where key and study lead to different ones,
    only ``sub-02`` means the study's.
    """
    bare = text.removeprefix("sub-")
    by_id = {patient.patient_id: patient for patient in study.patients}
    exact = by_id.get(bare)
    if exact is not None and bare != text:
        return exact, ""
    alike = [exact] if exact is not None else [one for one in study.patients if same_name(one.patient_id, bare)]
    known = key.names.get(plain_name(text))
    rival = next((one.patient_id for one in alike if known is not None and one.patient_id != known), None)
    if rival is not None:
        return None, f"{text} is sub-{known} by the key file but may mean sub-{rival}: write sub-{known} or sub-{rival}"
    if known is not None:
        return by_id.get(known), ""
    if len(alike) == 1:
        return alike[0], "" if exact is not None else f"{text} is taken as sub-{alike[0].patient_id}"
    return None, ""


def _of_import(path: Path) -> Key:
    rows = read_key(path)
    names: dict[str, str] = {}
    unclear: set[str] = set()
    for row in rows:
        for text in (row.patient_key, row.patient_name):
            word = plain_name(text)
            if word and names.setdefault(word, row.patient_id) != row.patient_id:
                unclear.add(word)
    return Key(_without(names, unclear), {row.patient_id: row.offset_days for row in rows})


def _without(names: Mapping[str, str], unclear: Iterable[str]) -> dict[str, str]:
    """Leave names out that two patients share."""
    shared = set(unclear)
    return {name: patient for name, patient in names.items() if name not in shared}
