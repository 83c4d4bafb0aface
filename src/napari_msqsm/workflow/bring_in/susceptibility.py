"""Take a susceptibility map of any toolbox instead of reconstructing one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, MsqsmError
from napari_msqsm.io.gre import load_gre
from napari_msqsm.io.matlab import read_matlab_map
from napari_msqsm.io.nifti import Volume, load_mask, load_volume
from napari_msqsm.io.susceptibility import SusceptibilityMap, susceptibility_of
from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.qsm.phase_sign import SignVerdict, map_sign_from_data
from napari_msqsm.qsm.r2star.arlo import arlo
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.bring_in.placement import GRE, images_of, on_grid, place, place_by_likeness
from napari_msqsm.workflow.derivatives import Writer, folder_writer, session_writer
from napari_msqsm.workflow.outcome import Outcome
from napari_msqsm.workflow.patient_record import renew_patient_record

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.io.susceptibility import Unit
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.model.study import Session, Study

_MATLAB_ENDING = ".mat"
_IN_MASK = 0.5
_UNCHECKED = "the sign was not checked"


@dataclass(frozen=True)
class ExistingMap:
    """A finished susceptibility map.

    Parameters
    ----------
    path
        NIfTI file, or a MATLAB file with ``QSM`` and ``iMag`` as the MEDI toolbox leaves it.
    unit
        Unit of its values; told from their size when None.
    mask
        Where it holds; everywhere but zero when not given.
    reference_mask
        Region whose mean becomes zero; nothing is shifted when not given.
    paramagnetic_mask
        Deep grey nuclei or veins: tells whether the sign is right; the session's R2* does where it is not given.
    negate
        Whether the map has the opposite sign.
    """

    path: Path
    unit: Unit | None
    mask: Path | None = None
    reference_mask: Path | None = None
    paramagnetic_mask: Path | None = None
    negate: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read."""
        masks = (self.mask, self.reference_mask, self.paramagnetic_mask)
        return (self.path, *(path for path in masks if path is not None))


def adopt_susceptibility(study: Study, session: Session, existing: ExistingMap, *, overwrite: bool = False) -> Outcome:
    """Take a map for a session; it becomes the session's ``Chimap``.

    It must lie on the voxels of the session's gradient echoes where there are any; their R2* tells whether its sign is
    right.

    Raises
    ------
    InputError
        When the map cannot be used, or the session has one and ``overwrite`` is not given; nothing is written.
    """
    if "Chimap" in session.derivatives and not overwrite:
        raise InputError(f"{session.label} has a susceptibility map already; --overwrite replaces it")
    series, doubts = _series(session)
    found = _read(existing, session, series)
    if series is not None and existing.paramagnetic_mask is None:
        verdict = _sign(found, series, existing)
        found = replace(
            found, assumptions=(*(note for note in found.assumptions if _UNCHECKED not in note), verdict.sentence)
        )
        doubts += () if verdict.sign else (verdict.sentence,)
    outcome = _write(session_writer(study, session), session.label, existing, found, doubts)
    unlike = renew_patient_record(study.derivatives_root, session.patient_id)
    return replace(outcome, warnings=outcome.warnings + unlike)


def adopt_file(existing: ExistingMap, out_dir: Path) -> Outcome:
    """Take a map outside a BIDS dataset; see `adopt_susceptibility`."""
    return _write(folder_writer(out_dir), out_dir.name, existing, _read(existing, None, None), ())


def _series(session: Session) -> tuple[MultiEchoSeries | None, tuple[str, ...]]:
    """Read the magnitudes of a session where they can be read."""
    by_part = {part: [echo.path for echo in session.gre if echo.part == part] for part in ("mag", "real", "imag")}
    if not session.gre:
        return None, ("the session has no gradient echo: position and sign of the map were not compared",)
    sidecars = {echo.path: echo.sidecar for echo in session.gre}
    try:
        if by_part["mag"]:
            return load_gre(by_part["mag"], sidecars=sidecars), ()
        return load_gre(real=by_part["real"], imaginary=by_part["imag"], sidecars=sidecars), ()
    except MsqsmError as error:
        return None, (f"the sign of the map was not compared with R2*: {error}",)


def _read(existing: ExistingMap, session: Session | None, series: MultiEchoSeries | None) -> SusceptibilityMap:
    if existing.path.suffix.lower() == _MATLAB_ENDING:
        volume, own_mask = _from_matlab(existing, series)
    else:
        volume, own_mask = load_volume(existing.path, what="susceptibility map", allow_nan=True), None
        if session is not None and session.gre:
            echo = {GRE: images_of(session)[GRE]}
            _, volume = place(volume, echo, what=f"susceptibility map {existing.path}")
    if existing.negate:
        volume = Volume(-volume.array, volume.grid, (*volume.assumptions, "negated, as declared"))
    mask = _mask(existing.mask, volume.grid)
    return susceptibility_of(
        volume,
        name=str(existing.path),
        unit=existing.unit,
        mask=own_mask if mask is None else mask,
        reference_mask=_mask(existing.reference_mask, volume.grid),
        paramagnetic_mask=_mask(existing.paramagnetic_mask, volume.grid),
    )


def _mask(path: Path | None, grid: Grid) -> Any:
    """Read a mask of the map; its axes are turned with the map's."""
    if path is None:
        return None
    volume = load_volume(path, what="mask", allow_nan=True)
    found = on_grid(volume.array, volume.grid, grid)
    if found is None:
        return load_mask(path, on=grid)  # says what is wrong with its grid
    mask = np.nan_to_num(found[0]) > _IN_MASK
    if not mask.any():
        raise InputError(f"mask {path} is empty; give one with at least one voxel")
    return mask


def _from_matlab(existing: ExistingMap, series: MultiEchoSeries | None) -> tuple[Volume, Any]:
    what = f"susceptibility map {existing.path}"
    if series is None:
        raise MetadataError(
            f"{what} does not say how it lies in the scanner and there is no GRE to compare it with; save it as NIfTI"
        )
    found = read_matlab_map(existing.path)
    if found.magnitude is None:
        raise MetadataError(
            f"{what} does not say how it lies in the scanner and holds no magnitude (iMag) to compare with the GRE; "
            "save it as NIfTI"
        )
    reference = root_sum_of_squares(series.magnitude)
    stacked = found.chi if found.mask is None else np.where(found.mask, found.chi, np.nan)
    chi, note = place_by_likeness(stacked, found.magnitude, reference, what=what)
    mask = None if found.mask is None else np.isfinite(chi)
    return Volume(np.ascontiguousarray(chi, dtype=np.float32), series.grid, (note,)), mask


def _sign(found: SusceptibilityMap, series: MultiEchoSeries, existing: ExistingMap) -> SignVerdict:
    """Compare the sign with R2*."""
    if series.n_echoes < 3:
        return SignVerdict(0, math.nan, "the sign of the map was not compared with R2*: fewer than three echoes")
    r2star = arlo(series.magnitude, echo_times_s=series.echo_times_s, mask=found.mask)
    verdict = map_sign_from_data(
        found.chi_ppm, r2star_hz=r2star, mask=found.mask, voxel_size_mm=series.grid.voxel_size_mm
    )
    verdict = replace(verdict, sentence=verdict.sentence.replace("sign of the field", "sign of the map"))
    if verdict.sign < 0:
        raise MetadataError(
            f"susceptibility map {existing.path} has the opposite sign ({verdict.sentence}); negate it (--negate)"
        )
    return verdict


def _write(
    writer: Writer, label: str, existing: ExistingMap, found: SusceptibilityMap, doubts: tuple[str, ...]
) -> Outcome:
    assumptions = [*found.assumptions, *(doubt for doubt in doubts if doubt not in found.assumptions)]
    warnings = tuple(note for note in found.assumptions if _UNCHECKED in note or "could not be told" in note) + doubts
    record: dict[str, Any] = {
        "Description": "Quantitative susceptibility map taken from elsewhere; positive is paramagnetic",
        "Adopted": True,
        "DeclaredUnit": existing.unit or "none: told from the values",
        "InputFiles": provenance.input_files(existing.paths, writer.locate),
        "Assumptions": assumptions,
        "Warnings": list(warnings),
        **provenance.software(device="cpu", seed=0),
    }
    writer.begin()
    files = {"mask": writer.save("mask", found.mask, found.grid, record)}
    files["Chimap"] = writer.save("Chimap", found.chi_ppm, found.grid, record)
    files |= writer.finish(record)
    return Outcome(label=label, files=files, warnings=warnings, assumptions=tuple(assumptions))
