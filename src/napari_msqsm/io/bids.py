"""Studies on disk: BIDS in, BIDS derivatives out.

Our own scanner of file names: five suffixes in two folders are looked for, and a study of 500 patients × 8 sessions has
to open in seconds, which rules out building a database of all files first (pybids, ancpbids).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError, MetadataError
from napari_msqsm.io.scans_table import WORDS_FOR_BOOL, as_date, earliest_scan, told_of_gadolinium
from napari_msqsm.io.sidecar import Sidecars, entities_of, read_json
from napari_msqsm.io.tables import cells, read_table
from napari_msqsm.model.study import CONTRASTS, Contrast, EchoFile, Part, Patient, Session, Study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_PARTS: dict[str, Part] = {"mag": "mag", "phase": "phase", "real": "real", "imag": "imag"}
_WORDS: dict[Part, str] = {"mag": "magnitude", "phase": "phase", "real": "real part", "imag": "imaginary part"}
_PAIRS: tuple[tuple[Part, Part], ...] = (("mag", "phase"), ("real", "imag"))
_IMAGES = (".nii", ".nii.gz")
_DERIVATIVES = {
    "Chimap": ("anat", "Chimap"),
    "R2starmap": ("anat", "R2starmap"),
    "mask": ("anat", "desc-brain_mask"),
    "brain_mask": ("anat", "desc-wholebrain_mask"),
    "csf_mask": ("anat", "desc-csf_mask"),
    "totalfield": ("fmap", "desc-total_fieldmap"),
    "localfield": ("fmap", "desc-local_fieldmap"),
    "T2starmap": ("anat", "T2starmap"),
    "swi": ("anat", "desc-swi_T2starw"),
    "confidence": ("fmap", "desc-confidence_fieldmap"),
    "Chimap_baseline": ("anat", "space-baseline_Chimap"),
    "mask_baseline": ("anat", "space-baseline_desc-brain_mask"),
    "given_brain_mask": ("anat", "desc-givenbrain_mask"),
    "given_csf_mask": ("anat", "desc-givencsf_mask"),
}


def is_bids(root: Path) -> bool:
    """Whether a folder is a BIDS dataset, from two cheap looks."""
    return root.is_dir() and ((root / "dataset_description.json").is_file() or any(root.glob("sub-*/")))


def open_study(root: Path) -> Study:
    """Find patients, sessions, images and existing results of a BIDS dataset; no image is read.

    Parameters
    ----------
    root
        The folder that holds ``dataset_description.json`` and ``sub-*``.

    Raises
    ------
    InputError
        When it is not a BIDS dataset or has no patient.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the folder of a BIDS dataset")
    if not is_bids(root):
        raise InputError(f"{root} is not a BIDS dataset (no dataset_description.json, no sub-* folder)")
    description = root / "dataset_description.json"
    if description.is_file() and read_json(description).get("DatasetType") == "derivative":
        raise InputError(f"{root} holds derivatives; open the BIDS dataset that they were made from")
    participants = _rows(root / "participants.tsv", "participant_id", "sub-")
    derivatives = root / "derivatives" / "msqsm"
    sidecars = Sidecars(root)
    patients = []
    for folder in sorted(root.glob("sub-*/"), key=_natural):
        patient_id = folder.name.removeprefix("sub-")
        sessions = _sessions(sidecars, folder, patient_id, derivatives)
        patients.append(Patient(patient_id, tuple(sessions), participants.get(patient_id, {})))
    if not patients:
        raise InputError(f"{root} has no patient (no sub-* folder)")
    return Study(root, tuple(patients))


def derivative_path(study: Study, session: Session, suffix: str, *, datatype: str = "anat") -> Path:
    """Where a result of a session goes, such as ``…/sub-01/ses-02/anat/sub-01_ses-02_Chimap.nii.gz``."""
    folder = study.derivatives_root / f"sub-{session.patient_id}"
    if session.session_id:
        folder /= f"ses-{session.session_id}"
    return folder / datatype / f"{session.label}_{suffix}.nii.gz"


def _sessions(sidecars: Sidecars, folder: Path, patient_id: str, derivatives: Path) -> list[Session]:
    rows = _rows(folder / f"{folder.name}_sessions.tsv", "session_id", "ses-")
    folders = sorted(folder.glob("ses-*/"), key=_natural) or [folder]
    sessions = []
    for place in folders:
        session_id = place.name.removeprefix("ses-") if place != folder else ""
        row = dict(rows.get(session_id, {}))
        date = as_date(row.pop("acq_time", None)) or earliest_scan(place)
        sessions.append(_session(sidecars, place, patient_id, session_id, date, row, derivatives))
    dates = {session.label: session.date.replace(tzinfo=None) for session in sessions if session.date is not None}
    if len(dates) == len(sessions):
        sessions.sort(key=lambda session: dates[session.label])
    return sessions


def _session(
    sidecars: Sidecars,
    place: Path,
    patient_id: str,
    session_id: str,
    date: datetime | None,
    covariates: Mapping[str, Any],
    derivatives: Path,
) -> Session:
    images = [path for path in sorted((place / "anat").glob("sub-*")) if path.name.endswith(_IMAGES)]
    unusable: list[str] = []
    told = told_of_gadolinium(place)
    gre, notes = _gre(sidecars, [path for path in images if entities_of(path)[1] == "MEGRE"], unusable, told)
    contrasts = _contrasts(images, told)
    unusable += _defects(gre)
    missing = unusable + _missing(gre, contrasts) + notes
    if date is None:
        missing.append("no acquisition date (acq_time in sessions.tsv): lesion ages cannot be computed")
    name = f"sub-{patient_id}" + (f"_ses-{session_id}" if session_id else "")
    home = derivatives / f"sub-{patient_id}" / (f"ses-{session_id}" if session_id else "")
    found = {
        key: path
        for key, (datatype, suffix) in _DERIVATIVES.items()
        if (path := home / datatype / f"{name}_{suffix}.nii.gz").is_file()
    }
    return Session(
        patient_id,
        session_id,
        date,
        gre,
        contrasts,
        found,
        dict(covariates),
        tuple(missing),
        tuple(unusable),
        _post_gd(gre, told),
    )


def _gre(
    sidecars: Sidecars, paths: list[Path], unusable: list[str], told: Mapping[str, bool | None]
) -> tuple[tuple[EchoFile, ...], list[str]]:
    """Files of the last complete run before gadolinium of the first acquisition; others are named, not mixed in."""
    acquisitions: dict[tuple[tuple[str, str], ...], list[EchoFile]] = {}
    for path in paths:
        entities, _ = entities_of(path)
        part = _PARTS.get(entities.get("part", "mag"))
        if part is None:
            continue
        key = tuple(sorted((k, v) for k, v in entities.items() if k not in {"echo", "part"}))
        echo = int(entities["echo"]) if entities.get("echo", "").isdigit() else None
        try:
            sidecar = sidecars.of(path)
        except MetadataError as error:
            unusable.append(str(error))
            sidecar = {}
        acquisitions.setdefault(key, []).append(EchoFile(path, part, echo, sidecar))
    if not acquisitions:
        return (), []
    ranked = sorted(
        acquisitions.items(),
        key=lambda item: (not _complete(item[1]), _post_gd(item[1], told) is True, *_first_then_last_run(item[0])),
    )
    chosen = sorted(ranked[0][1], key=lambda file: (file.part, file.echo or 0))
    notes = []
    if len(ranked) > 1:
        others = ", ".join(files[0].path.name for _, files in ranked[1:])
        notes.append(f"{len(ranked)} gradient-echo acquisitions; {chosen[0].path.name} … is used, not {others} …")
    return tuple(chosen), notes


def _first_then_last_run(entities: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], int]:
    """Sort key of acquisitions: by name, the latest of several runs first."""
    run = dict(entities).get("run", "0")
    return tuple(pair for pair in entities if pair[0] != "run"), -int(run) if run.isdigit() else 0


def _post_gd(gre: Sequence[EchoFile], told: Mapping[str, bool | None]) -> bool | None:
    """Whether an acquisition came after gadolinium: the scans table has the last word, then the sidecars."""
    values = {
        told[file.path.name]
        if file.path.name in told
        else WORDS_FOR_BOOL.get(str(file.sidecar.get("PostGadolinium")).lower())
        for file in gre
    }
    return True if True in values else False if values == {False} else None


def _complete(files: list[EchoFile]) -> bool:
    echoes = {part: {file.echo for file in files if file.part == part} for part in _WORDS}
    return any(echoes[one] and echoes[one] == echoes[two] for one, two in _PAIRS)


def _contrasts(images: list[Path], told: Mapping[str, bool | None]) -> dict[Contrast, Path]:
    """One image of each contrast: before gadolinium, and of repeated runs the last: a scan is repeated for a reason."""
    found: dict[Contrast, Path] = {}

    def order(path: Path) -> tuple[Any, ...]:
        return (told.get(path.name) is True, *_first_then_last_run(tuple(sorted(entities_of(path)[0].items()))))

    for path in sorted(images, key=order):
        entities, suffix = entities_of(path)
        if entities.get("part", "mag") != "mag":
            continue
        with_agent = "ce" in entities
        for contrast in CONTRASTS:
            agent, _, wanted = contrast.rpartition("_")
            if suffix == wanted and bool(agent) == with_agent:
                found.setdefault(contrast, path)
    return found


def _defects(gre: tuple[EchoFile, ...]) -> list[str]:
    """Say what is wrong with files that are there."""
    out = []
    absent = [file.path.name for file in gre if not file.path.exists()]
    if absent:
        out.append(f"{len(absent)} links to files that are not there, such as {absent[0]}; fetch their content")
    empty = [file.path.name for file in gre if file.path.exists() and file.path.stat().st_size == 0]
    if empty:
        out.append(f"{len(empty)} empty files (0 bytes), such as {empty[0]}")
    parts = {file.part for file in gre}
    if ({"mag", "phase"} <= parts or {"real", "imag"} <= parts) and not _complete(list(gre)):
        out.append("some echoes lack one of their two parts")
    return out


def _missing(gre: tuple[EchoFile, ...], contrasts: Mapping[Contrast, Path]) -> list[str]:
    out = []
    parts = {file.part for file in gre}
    if not gre:
        out.append("no gradient-echo series (MEGRE)")
    elif not ({"mag", "phase"} <= parts or {"real", "imag"} <= parts):
        needed: tuple[Part, Part] = ("real", "imag") if parts & {"real", "imag"} else ("mag", "phase")
        lacking = [_WORDS[part] for part in needed if part not in parts]
        out.append(f"no {' and no '.join(lacking)} of the gradient-echo series")
    if gre and any("EchoTime" not in file.sidecar and "EchoTimes" not in file.sidecar for file in gre):
        out.append("no EchoTime in the sidecars of the gradient-echo series")
    if gre and not any("MagneticFieldStrength" in file.sidecar for file in gre):
        out.append("no MagneticFieldStrength in the sidecars of the gradient-echo series")
    out += [f"no {contrast}" for contrast in CONTRASTS if contrast not in contrasts]
    return out


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key by which 10 comes after 2."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _rows(path: Path, key: str, prefix: str) -> dict[str, dict[str, Any]]:
    """Rows by identifier, with or without its prefix in the table."""
    if not path.is_file():
        return {}
    table = read_table(path, text_columns=(key,))
    if key not in table.columns:
        return {}
    rows = ((str(row[key]), cells(row)) for _, row in table.iterrows())
    return {name.removeprefix(prefix): {k: v for k, v in row.items() if k != key} for name, row in rows}
