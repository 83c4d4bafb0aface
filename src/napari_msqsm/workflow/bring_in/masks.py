"""Take a mask of brain, CSF or white matter, or lesions, of another program for a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids import derivative_path
from napari_msqsm.io.label_images import LabelImage, load_label_image
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.io.sidecar import entities_of
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.bring_in.label_names import MaskKind, program_of
from napari_msqsm.workflow.bring_in.mask_values import Lesion, lesions_from, mask_from, region_of
from napari_msqsm.workflow.bring_in.placement import GRE, images_of, place
from napari_msqsm.workflow.derivatives import write_dataset_description

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study

_SPACES = {"ce-gadolinium_T1w": "ceT1w"}
"""Words of a file name hold letters and digits only."""
_TEMPLATES = ("mni", "mni152", "template", "fsaverage", "talairach")
_SMALL_MM3 = 3.0
_LARGEST_UINT16 = 65535
_BIDS_TYPE = {"brain": "Brain", "csf": "ROI", "whitematter": "ROI"}
_MEANING = {
    "brain": "Brain mask taken from elsewhere; reconstruction uses it instead of one of its own",
    "csf": "CSF mask taken from elsewhere; reconstruction refers susceptibility to it",
    "whitematter": "White matter taken from elsewhere; the reference of every lesion is taken from it",
    "lesions": "Lesions taken from elsewhere",
}


@dataclass(frozen=True)
class TakenMask:
    """A mask that became part of a study.

    Parameters
    ----------
    label
        Session.
    kind
        ``brain``, ``csf``, ``whitematter`` or ``lesions``.
    path
        Where it lies now.
    image
        Image of the session whose grid it lies on: ``GRE``, ``FLAIR`` …
    n_voxels
        Its size.
    notes
        What was found, assumed and done, one sentence each.
    lesions
        The lesions, where it holds such.
    """

    label: str
    kind: MaskKind
    path: Path
    image: str
    n_voxels: int
    notes: tuple[str, ...]
    lesions: tuple[Lesion, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "label": self.label,
            "kind": self.kind,
            "path": str(self.path),
            "image": self.image,
            "n_voxels": self.n_voxels,
            "notes": list(self.notes),
            "lesions": [vars(lesion) for lesion in self.lesions],
        }


def adopt_mask(
    study: Study,
    session: Session,
    path: Path,
    kind: MaskKind,
    *,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
    label_names: Path | None = None,
    split: bool = False,
    overwrite: bool = False,
) -> TakenMask:
    """Take a mask over into the derivatives of a session.

    Parameters
    ----------
    study, session
        Whose it is.
    path
        Binary mask, label image or probability map: NIfTI, or FreeSurfer's ``.mgz``.
    kind
        What is wanted of it.
    labels, threshold
        See `napari_msqsm.workflow.bring_in.mask_values.region_of`.
    label_names
        File that names the labels, see `napari_msqsm.workflow.bring_in.label_names.program_of`.
    split
        Whether lesions are separated by touching voxels whatever their numbers.
    overwrite
        Whether one that was taken earlier is replaced.

    Raises
    ------
    InputError
        When it cannot be used; nothing is written.

    Notes
    -----
    A brain or CSF mask on the grid of the gradient echoes is what the next reconstruction of the session uses. A mask
    on another image's grid carries that image in its name (``space-FLAIR``).
    """
    _refuse_template(path)
    program = program_of(path, label_names=label_names)
    found = load_label_image(path)
    image, volume = place(found.volume, images_of(session), what=f"mask {path}", prefer=_preferred(kind, path))
    found = LabelImage(volume, found.content)
    try:
        region, notes = region_of(found, kind, program, labels=labels, threshold=threshold)
    except InputError as error:
        raise type(error)(f"mask {path}: {error}") from None
    origin = (f"made by {program.name} ({program.why})",) if program.name != "unknown" else ()
    target = derivative_path(study, session, _suffix(kind, image))
    if target.exists() and not overwrite:
        raise InputError(f"{session.label} has {target.name} already; --overwrite replaces it")
    voxel_volume = volume.grid.voxel_volume_mm3
    lesions: tuple[Lesion, ...] = ()
    if kind == "lesions":
        array, lesions, more = lesions_from(region, program, voxel_volume_mm3=voxel_volume, split=split)
        array = array.astype(np.uint16 if int(array.max()) <= _LARGEST_UINT16 else np.int32)
        more += _sizes(lesions)
    else:
        mask, more = mask_from(region, fill=kind == "brain" and found.content == "labels")
        array = mask.astype(np.uint8)
    told = (*origin, *volume.assumptions, *notes, *more, *_use(kind, image))
    source = _source(study, session, image)
    record = _record(study, path, kind, source, told, lesions)
    save_volume(target, array, volume.grid, sidecar=provenance.plain(record))
    write_dataset_description(study.derivatives_root, study.root)
    return TakenMask(session.label, kind, target, image, int(np.count_nonzero(array)), told, lesions)


def _source(study: Study, session: Session, image: str) -> str:
    """Return the BIDS address of the image whose grid a mask lies on."""
    return provenance.bids_uri(study.root)(images_of(session)[image])


def _record(
    study: Study, path: Path, kind: MaskKind, source: str, told: Sequence[str], lesions: Sequence[Lesion]
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "Description": _MEANING[kind],
        "Adopted": True,
        "Sources": [source],
        "SpatialReference": source,
        "InputFiles": provenance.input_files([path], provenance.bids_uri(study.root)),
        "Assumptions": list(told),
        **provenance.software(device="cpu", seed=0),
    }
    if kind == "lesions":
        record["Lesions"] = [
            {"Label": one.label, "Voxels": one.n_voxels, "Volume": one.volume_mm3, "Name": one.name or "n/a"}
            for one in lesions
        ]
        record["LesionVolumeUnit"] = "mm3"
    else:
        record["Type"] = _BIDS_TYPE[kind]
    return record


def _suffix(kind: MaskKind, image: str) -> str:
    space = "" if image == GRE else f"space-{_SPACES.get(image, image)}_"
    if kind == "lesions":
        return f"{space}desc-lesions_dseg"
    if not space:
        return f"desc-given{kind}_mask"
    return f"{space}desc-{kind}_mask"


def _preferred(kind: MaskKind, path: Path) -> str:
    """Image to take where several lie on one grid: what the name says, else FLAIR for lesions."""
    name = path.name.casefold()
    if "space-t1" in name:
        return "T1w"
    return "FLAIR" if kind == "lesions" else GRE


def _refuse_template(path: Path) -> None:
    space = entities_of(path)[0].get("space", "")
    if space.casefold().startswith(_TEMPLATES):
        raise InputError(f"mask {path} lies in a template (space-{space}); give the one in the space of the session")


def _sizes(lesions: Sequence[Lesion]) -> tuple[str, ...]:
    volumes = sorted(lesion.volume_mm3 for lesion in lesions)
    if not volumes:
        return ()
    middle = float(np.median(volumes))
    sizes = f"volumes {volumes[0]:.3g} to {volumes[-1]:.3g} mm³, median {middle:.3g} mm³"
    small = sum(volume < _SMALL_MM3 for volume in volumes)
    return (sizes + (f"; {small} are smaller than {_SMALL_MM3:g} mm³" if small else ""),)


def _use(kind: MaskKind, image: str) -> tuple[str, ...]:
    if kind == "lesions":
        return (f"lies on the grid of the {image}",)
    if kind == "whitematter":
        moved = "" if image == GRE else f", carried from the {image} by its alignment to the baseline"
        return (f"references of lesions are taken from it{moved}",)
    if image == GRE:
        return ("the next reconstruction of the session uses it",)
    return (
        f"lies on the grid of the {image}, so that reconstruction does not use it: resample it to the GRE "
        "(msqsm resample --interpolation label) and add the result",
    )
