"""Take a susceptibility map of any toolbox instead of reconstructing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.io.nifti import load_mask
from napari_msqsm.io.susceptibility import load_susceptibility
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.derivatives import Writer, folder_writer, session_writer
from napari_msqsm.workflow.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study

Unit = Literal["ppm", "ppb"]


def adopt_susceptibility(
    study: Study,
    session: Session,
    path: Path,
    *,
    unit: Unit,
    mask: Path | None = None,
    reference_mask: Path | None = None,
) -> Outcome:
    """Take a map for a session; it becomes the session's ``Chimap``.

    Parameters
    ----------
    study, session
        Whose map it is.
    path
        The map.
    unit
        Its unit.
    mask
        Where it holds; everywhere but zero when not given.
    reference_mask
        Region whose mean becomes zero; nothing is shifted when not given.

    Raises
    ------
    InputError
        When the map cannot be used; nothing is written.
    """
    return _adopt(session_writer(study, session), session.label, path, unit, mask, reference_mask)


def adopt_file(
    path: Path, out_dir: Path, *, unit: Unit, mask: Path | None = None, reference_mask: Path | None = None
) -> Outcome:
    """Take a map outside a BIDS dataset; see `adopt_susceptibility`."""
    return _adopt(folder_writer(out_dir), out_dir.name, path, unit, mask, reference_mask)


def _adopt(
    writer: Writer, label: str, path: Path, unit: Unit, mask: Path | None, reference_mask: Path | None
) -> Outcome:
    region = None if reference_mask is None else load_mask(reference_mask)
    chi_ppm, grid, assumptions = load_susceptibility(path, unit=unit, reference_mask=region)
    inside = chi_ppm != 0 if mask is None else load_mask(mask, on=grid)
    sources = [source for source in (path, mask, reference_mask) if source is not None]
    record: dict[str, Any] = {
        "Description": "Quantitative susceptibility map taken from elsewhere; positive is paramagnetic",
        "Adopted": True,
        "DeclaredUnit": unit,
        "InputFiles": provenance.input_files(sources, writer.locate),
        "Assumptions": list(assumptions),
        "Warnings": [],
        **provenance.software(device="cpu", seed=0),
    }
    files = {"mask": writer.save("mask", inside, grid, record)}
    files["Chimap"] = writer.save("Chimap", np.where(inside, chi_ppm, 0.0), grid, record)
    files |= writer.finish(record)
    return Outcome(label=label, files=files)
