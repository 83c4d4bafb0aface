"""Take a susceptibility map of any toolbox instead of reconstructing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from napari_msqsm.io.nifti import load_mask, load_volume
from napari_msqsm.io.susceptibility import load_susceptibility
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.derivatives import Writer, folder_writer, session_writer
from napari_msqsm.workflow.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study


@dataclass(frozen=True)
class ExistingMap:
    """A finished susceptibility map.

    Parameters
    ----------
    path
        NIfTI file.
    unit
        Unit of its values.
    mask
        Where it holds; everywhere but zero when not given.
    reference_mask
        Region whose mean becomes zero; nothing is shifted when not given.
    paramagnetic_mask
        Deep grey nuclei or veins: tells whether the sign is right; not checked when not given.
    """

    path: Path
    unit: Literal["ppm", "ppb"]
    mask: Path | None = None
    reference_mask: Path | None = None
    paramagnetic_mask: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read."""
        masks = (self.mask, self.reference_mask, self.paramagnetic_mask)
        return (self.path, *(path for path in masks if path is not None))


def adopt_susceptibility(study: Study, session: Session, existing: ExistingMap) -> Outcome:
    """Take a map for a session; it becomes the session's ``Chimap``.

    Raises
    ------
    InputError
        When the map cannot be used; nothing is written.
    """
    return _adopt(session_writer(study, session), session.label, existing)


def adopt_file(existing: ExistingMap, out_dir: Path) -> Outcome:
    """Take a map outside a BIDS dataset; see `adopt_susceptibility`."""
    return _adopt(folder_writer(out_dir), out_dir.name, existing)


def _adopt(writer: Writer, label: str, existing: ExistingMap) -> Outcome:
    grid = load_volume(existing.path, what="susceptibility map", allow_nan=True).grid
    masks = {
        name: None if path is None else load_mask(path, on=grid)
        for name, path in (
            ("mask", existing.mask),
            ("reference_mask", existing.reference_mask),
            ("paramagnetic_mask", existing.paramagnetic_mask),
        )
    }
    found = load_susceptibility(existing.path, unit=existing.unit, **masks)
    warnings = tuple(note for note in found.assumptions if "sign was not" in note or "sign could not" in note)
    record: dict[str, Any] = {
        "Description": "Quantitative susceptibility map taken from elsewhere; positive is paramagnetic",
        "Adopted": True,
        "DeclaredUnit": existing.unit,
        "InputFiles": provenance.input_files(existing.paths, writer.locate),
        "Assumptions": list(found.assumptions),
        "Warnings": list(warnings),
        **provenance.software(device="cpu", seed=0),
    }
    writer.begin()
    files = {"mask": writer.save("mask", found.mask, grid, record)}
    files["Chimap"] = writer.save("Chimap", found.chi_ppm, grid, record)
    files |= writer.finish(record)
    return Outcome(label=label, files=files, warnings=warnings)
