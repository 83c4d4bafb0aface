"""Susceptibility maps on the grid of the baseline: one interpolation from where they were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_mask, load_raw, load_volume, save_volume
from napari_msqsm.model.resampling.masked_map import resample_map
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.coregistration.pairs import GRE, baseline_of, magnitude_files, pairs_of, result_path
from napari_msqsm.workflow.coregistration.settings import ALGORITHM_VERSION
from napari_msqsm.workflow.coregistration.state import locator, roots, state_of
from napari_msqsm.workspace.freshness import read_record, reasons_outdated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Session, Study
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings

MAP = "space-baseline_Chimap"
MASK = "space-baseline_desc-brain_mask"


def renew_maps(
    study: Study,
    patient: Patient,
    settings: CoregistrationSettings,
    *,
    out_dir: Path | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> dict[str, Path]:
    """Bring the maps of all sessions on the baseline's grid up to date.

    A map that cannot be read is told by ``on_warning`` and does not stop the others.

    Returns
    -------
    dict
        Map by session; sessions without a map or without a transform that may be used have none.
    """
    files = {}
    pairs = {pair.session: pair for pair in pairs_of(study, patient, out_dir=out_dir) if pair.contrast == GRE}
    baseline = baseline_of(patient)
    for session in patient.sessions:
        path = None
        try:
            if session is baseline:
                path = _baseline_map(study, session, out_dir)
            elif session.label in pairs:
                path = renew_map(study, pairs[session.label], settings, out_dir=out_dir)
        except InputError as error:
            if on_warning:
                on_warning(f"{session.label}: its map was not carried to the baseline: {error}")
        if path is not None:
            files[session.label] = path
    return files


def renew_map(
    study: Study, pair: Pair, settings: CoregistrationSettings, *, out_dir: Path | None = None
) -> Path | None:
    """Bring a follow-up's map on the baseline's grid up to date; one without a right to be there is removed.

    Returns
    -------
    Path or None
        None where there is no map, or no transform that may be used.
    """
    if not pair.same_contrast:
        return None
    session = study.session(pair.session)
    target, target_mask = (result_path(study, session, name, out_dir) for name in (MAP, MASK))
    chimap, mask = (result_path(study, session, name, out_dir) for name in ("Chimap", "desc-brain_mask"))
    state = state_of(study, pair, out_dir=out_dir)
    if not state.usable or state.transform is None or not (chimap.is_file() and mask.is_file()):
        _remove(target, target_mask)
        return None
    inputs = (chimap, mask, pair.xfm, pair.fixed[0])
    level = None if state.verdict is None else str(state.verdict.level)
    how = {
        "Interpolation": settings.interpolation,
        "Transform": {"Verdict": level, "CheckedBy": state.checked_by or None},
    }
    if target_mask.is_file() and _is_fresh(study, target, inputs, how, out_dir):
        return target
    _remove(target, target_mask)
    chi = load_volume(chimap, what="susceptibility map", allow_nan=True)
    holds_value = load_mask(mask, on=chi.grid) & np.isfinite(chi.array)
    onto = load_raw(pair.fixed[0], what="magnitude").grid
    carried, covered = resample_map(
        chi.array, holds_value, chi.grid, onto, state.transform, interpolation=settings.interpolation
    )
    record = _record(study, pair.fixed_session, pair.fixed[0], inputs, how, out_dir)
    save_volume(target_mask, covered, onto, sidecar=provenance.plain(record | {"Type": "Brain"}))
    save_volume(target, carried, onto, sidecar=provenance.plain(record | {"Units": "ppm"}))
    return target


def why_outdated(study: Study, session: Session, pair: Pair | None, *, out_dir: Path | None = None) -> tuple[str, ...]:
    """Why a map on the baseline's grid does not belong to the map that it was made from any more; empty where it does.

    Parameters
    ----------
    study, session
        Whose map.
    pair
        Its gradient echo and the baseline's; None for the baseline itself.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Returns
    -------
    tuple of str
        Empty also where nothing was recorded, such as for a map that was put there by hand.
    """
    chimap, mask = (result_path(study, session, name, out_dir) for name in ("Chimap", "desc-brain_mask"))
    record = read_record(_sidecar(result_path(study, session, MAP, out_dir)))
    if record is None:
        return ()
    inputs = (chimap, mask) if pair is None else (chimap, mask, pair.xfm, pair.fixed[0])
    return tuple(reasons_outdated(record, inputs, roots(study, out_dir), ALGORITHM_VERSION))


def _baseline_map(study: Study, session: Session, out_dir: Path | None) -> Path | None:
    """Copy the baseline's own map to the name that follow-ups have."""
    chimap, mask = (result_path(study, session, name, out_dir) for name in ("Chimap", "desc-brain_mask"))
    target, target_mask = (result_path(study, session, name, out_dir) for name in (MAP, MASK))
    if not (chimap.is_file() and mask.is_file()):
        _remove(target, target_mask)
        return None
    inputs = (chimap, mask)
    how = {
        "Description": "The map of the baseline itself; nothing was interpolated",
        "Interpolation": None,
        "Transform": None,
    }
    if target_mask.is_file() and _is_fresh(study, target, inputs, how, out_dir):
        return target
    _remove(target, target_mask)
    chi = load_volume(chimap, what="susceptibility map", allow_nan=True)
    inside = load_mask(mask, on=chi.grid) & np.isfinite(chi.array)
    record = _record(study, session.label, magnitude_files(session)[0], inputs, how, out_dir)
    save_volume(target_mask, inside, chi.grid, sidecar=provenance.plain(record | {"Type": "Brain"}))
    values = np.where(inside, chi.array, np.float32(0.0))
    save_volume(target, values, chi.grid, sidecar=provenance.plain(record | {"Units": "ppm"}))
    return target


def _record(
    study: Study,
    baseline: str,
    magnitude: Path,
    inputs: tuple[Path, ...],
    how: Mapping[str, Any],
    out_dir: Path | None,
) -> dict[str, Any]:
    locate = locator(study, out_dir)
    sources = [name for name in map(locate, inputs) if name.startswith("bids:")]
    return {
        "Description": "Susceptibility map on the grid of the baseline's gradient echo, interpolated once",
        "Sources": sources,
        "SpatialReference": locate(magnitude),
        "Baseline": baseline,
        "SkullStripped": True,
        "PipelineVersion": ALGORITHM_VERSION,
        "InputFiles": provenance.input_files(inputs, locate),
        "Software": provenance.versions(),
        **how,
    }


def _is_fresh(
    study: Study, target: Path, inputs: tuple[Path, ...], how: Mapping[str, Any], out_dir: Path | None
) -> bool:
    record = read_record(_sidecar(target))
    if record is None or not target.is_file() or any(record.get(name) != value for name, value in how.items()):
        return False
    recorded = record.get("InputFiles")
    same_number = isinstance(recorded, list) and len(recorded) == len(inputs)
    return same_number and not reasons_outdated(record, inputs, roots(study, out_dir), ALGORITHM_VERSION)


def _remove(*images: Path) -> None:
    for image in images:
        image.unlink(missing_ok=True)
        _sidecar(image).unlink(missing_ok=True)


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")
