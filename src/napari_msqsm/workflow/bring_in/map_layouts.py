"""Finding susceptibility maps of other toolboxes by how these lay out their files.

* QSMxT: ``derivatives/qsmxt…/sub-*/[ses-*/]anat/*_Chimap.nii[.gz]``
* SEPIA: ``<prefix>_Chimap.nii.gz`` (``<prefix>_QSM.nii.gz`` before version 1) beside ``<prefix>_localfield.nii.gz``
* MEDI toolbox: ``results/x00000001.mat``, or ``QSM`` saved as NIfTI beside ``RDF.mat``

All three write ppm; the unit is still checked on the values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError
from napari_msqsm.io.sidecar import entities_of
from napari_msqsm.workflow.bring_in.which_session import which_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_msqsm.io.susceptibility import Unit
    from napari_msqsm.model.study import Session, Study

_ENDINGS = (".nii", ".nii.gz", ".mat")
_MEDI_RESULT = re.compile(r"x\d{8}\.mat")
_PLAIN_NAME = re.compile(r"(^|_)(qsm|chi(map)?|medi)(_[a-z]+)?$", re.IGNORECASE)
_PARTIAL = ("para", "dia", "paramagnetic", "diamagnetic", "pos", "neg")


@dataclass(frozen=True)
class MapProposal:
    """One map that was found, and what is thought of it.

    Parameters
    ----------
    path
        The file.
    toolbox
        Which program seems to have made it.
    session
        Where it belongs; None where that is not known.
    session_why
        What that rests on.
    unit
        What the toolbox writes; None where the values have to tell.
    why
        What the proposal rests on.
    mask
        Mask of the same toolbox beside it.
    problem
        Why it is not taken; empty when it can be.
    """

    path: Path
    toolbox: str
    session: Session | None
    session_why: str
    unit: Unit | None
    why: str
    mask: Path | None = None
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "path": str(self.path),
            "toolbox": self.toolbox,
            "session": self.session.label if self.session else None,
            "session_why": self.session_why,
            "unit": self.unit,
            "why": self.why,
            "mask": str(self.mask) if self.mask else None,
            "problem": self.problem,
        }


def find_maps(study: Study, folder: Path) -> tuple[MapProposal, ...]:
    """Find the maps in a folder (or judge one file); no image is read.

    Parameters
    ----------
    study
        Whose sessions they may belong to.
    folder
        Searched with everything below it.

    Raises
    ------
    InputError
        When there is nothing there.
    """
    if not folder.exists():
        raise InputError(f"{folder} does not exist; give a folder with susceptibility maps, or one map")
    ours = study.derivatives_root.absolute()
    found = [
        proposal
        for path in _files(folder)
        if ours not in path.absolute().parents and (proposal := _proposal(study, path, folder)) is not None
    ]
    return tuple(_one_each(found))


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    yield from sorted(path for path in folder.rglob("*") if path.name.endswith(_ENDINGS) and path.is_file())


def _proposal(study: Study, path: Path, folder: Path) -> MapProposal | None:
    recognised = _recognised(path, named=folder.is_file())
    if recognised is None:
        return None
    toolbox, why = recognised
    session, session_why = which_session(study, path, within=folder if folder.is_dir() else None)
    problem = _not_the_map(path)
    if not problem and session is None:
        problem = f"{session_why}; say which session with --session"
    known = toolbox != "unknown"
    return MapProposal(
        path, toolbox, session, session_why, "ppm" if known else None, why, _mask_of(path, toolbox), problem
    )


def _recognised(path: Path, *, named: bool) -> tuple[str, str] | None:
    """Return the toolbox and why; None for a file that is no map. ``named``: the user gave this very file."""
    stem = path.name.split(".", 1)[0]
    if path.suffix == ".mat":
        if _MEDI_RESULT.fullmatch(path.name) or stem.casefold() == "qsm":
            return "MEDI toolbox", f"{path.name} is a result of the MEDI toolbox"
        return ("MEDI toolbox", "a MATLAB file that was named") if named else None
    if stem.endswith(("_Chimap", "_QSM")):
        prefix = stem.rsplit("_", 1)[0]
        if any(path.with_name(f"{prefix}_localfield{ending}").exists() for ending in _ENDINGS[:2]):
            return "SEPIA", f"{prefix}_localfield lies beside it"
    if stem.endswith("_Chimap"):
        maker = next((parent.name for parent in path.parents if "qsmxt" in parent.name.casefold()), "")
        if maker:
            return "QSMxT", f"it lies in {maker}"
        return "unknown", "its name is that of a BIDS susceptibility map"
    if _PLAIN_NAME.search(stem) and "mask" not in stem.casefold():
        if (path.parent / "RDF.mat").exists() or (path.parent / "results").is_dir():
            return "MEDI toolbox", "RDF.mat or results/ of the MEDI toolbox lies beside it"
        return "unknown", "its name says so"
    return ("unknown", "the file that was named") if named else None


def _not_the_map(path: Path) -> str:
    entities, _ = entities_of(path)
    if entities.get("desc") in _PARTIAL:
        return f"it is a part of a source separation (desc-{entities['desc']}), not the susceptibility map"
    if "space" in entities:
        return f"it lies in the space {entities['space']}; give the map on the grid of its gradient echoes"
    return ""


def _mask_of(path: Path, toolbox: str) -> Path | None:
    """Mask of the map: SEPIA and QSMxT write zeros outside it, so that it is wanted only where they name it so."""
    if toolbox != "SEPIA":
        return None
    prefix = path.name.split(".", 1)[0].rsplit("_", 1)[0]
    for name in (f"{prefix}_mask_QSM.nii.gz", f"{prefix}_mask_localfield.nii.gz"):
        if (path.parent / name).exists():
            return path.parent / name
    return None


def _one_each(found: list[MapProposal]) -> Iterator[MapProposal]:
    """Leave all maps out that compete for one session."""
    for proposal in found:
        rivals = [
            other
            for other in found
            if other is not proposal and other.session is proposal.session and not other.problem
        ]
        if proposal.session is None or proposal.problem or not rivals:
            yield proposal
            continue
        many = f"{len(rivals) + 1} maps for {proposal.session.label}, such as {rivals[0].path.name}"
        yield replace(proposal, problem=f"{many}; give the right one by itself")
