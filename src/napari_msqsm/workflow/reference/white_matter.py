"""White matter of a patient on the grid of the baseline, from what images there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.lesions.reference.ground import reference_ground
from napari_msqsm.lesions.reference.midplane import Midplane, midplane_of
from napari_msqsm.lesions.reference.tissue import Channel, tissue_classes
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.coregistration.images import load_magnitude
from napari_msqsm.workflow.coregistration.pairs import result_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Contrast
    from napari_msqsm.workflow.reference.settings import ReferenceSettings
    from napari_msqsm.workflow.store import ResultStore
    from napari_msqsm.workflow.workbench.maps import PatientMaps

_VERSION = 1
_STRUCTURAL: tuple[Contrast, ...] = ("T1w", "FLAIR")
_UNLIKE_ITSELF = 0.6


@dataclass(frozen=True, eq=False)
class WhiteMatter:
    """White matter that references may be taken from, and the plane between the hemispheres.

    Parameters
    ----------
    ground
        (X, Y, Z) on the grid of the baseline: no partial volume, no veins.
    midplane
        Of the brain.
    source
        What tells white matter apart, for the user.
    notes
        What was assumed or is missing, one sentence each.
    """

    ground: NDArray[np.bool_]
    midplane: Midplane
    source: str
    notes: tuple[str, ...]


def white_matter_of(maps: PatientMaps, settings: ReferenceSettings, *, store: ResultStore | None = None) -> WhiteMatter:
    """Find the white matter of a patient.

    Parameters
    ----------
    maps
        Images of the patient.
    settings
        How.
    store
        Where it is kept by the content of all that it comes from.

    Raises
    ------
    InputError
        When the patient has no susceptibility map: there is nothing to refer.

    Notes
    -----
    Lesions are not left out of the classes: a class for outliers takes them, so that the white matter does not change
    while somebody draws. The ring keeps its distance from them.
    """
    brain, chi_ppm, notes = _brain(maps)
    channels, more = _channels(maps, brain)
    inputs = [_VERSION, settings.tissue, settings.ground, brain, chi_ppm, maps.grid.affine, [list(c) for c in channels]]
    key = f"white-matter-{digest_of(inputs)}"
    kept = store.load(key, lambda host: host) if store is not None else None
    if kept is not None:
        return WhiteMatter(kept["ground"], kept["midplane"], kept["source"], tuple(kept["notes"]))
    tissues = tissue_classes(channels, brain, maps.grid, settings=settings.tissue)
    ground = reference_ground(tissues.white, brain, maps.grid, chi_ppm=chi_ppm, settings=settings.ground)
    midplane = midplane_of(brain, maps.grid, white=tissues.chance[2])
    told = [*notes, *more]
    if midplane.likeness < _UNLIKE_ITSELF:
        told.append(
            f"the brain is not much like its mirror image (correlation {midplane.likeness:.2f}): the plane between its "
            "halves is uncertain"
        )
    source = "white matter told by " + " and ".join(tissues.used)
    found = WhiteMatter(ground, midplane, source, tuple(told))
    if store is not None:
        store.save(key, {"ground": ground, "midplane": midplane, "source": source, "notes": tuple(told)})
    return found


def _brain(maps: PatientMaps) -> tuple[NDArray[np.bool_], NDArray[np.float32], list[str]]:
    """Brain and susceptibility on the grid of the baseline, of the first session that has them there."""
    for session in maps.sessions:
        found = maps.map(session.label)
        if found is None:
            continue
        notes = [] if session is maps.baseline else [f"brain and veins are those of {session.label}"]
        if found.grid.same_as(maps.grid) and found.transform == AffineTransform.identity():
            return found.mask, np.where(found.mask, found.chi_ppm, np.float32(0)), notes
        if found.registered_chi_ppm is not None and found.registered_mask is not None:
            return found.registered_mask, found.registered_chi_ppm, notes
    name = f"sub-{maps.patient.patient_id}"
    raise InputError(f"{name} has no susceptibility map on the grid of its baseline; reconstruct and coregister it")


def _channels(maps: PatientMaps, brain: NDArray[np.bool_]) -> tuple[list[Channel], list[str]]:
    """Images that tell tissue, on the grid of the baseline."""
    channels, notes = [], []
    for contrast in _STRUCTURAL:
        for label, transform in _aligned(maps, contrast):
            loaded = maps.contrast(label, contrast)
            if loaded is None:
                continue
            image = resample(*loaded, maps.grid, transform, interpolation="linear")
            if np.mean(image[brain] > 0) < 0.9:
                notes.append(f"{contrast} of {label} does not cover the brain and was not used to tell tissue")
                continue
            channels.append(Channel(contrast, image))
            if label != maps.baseline.label:
                notes.append(f"tissue is told by {contrast} of {label}: the baseline has none that is aligned")
            break
    if channels:
        return channels, notes
    notes.append(
        "no T1w and no FLAIR is aligned to the baseline: tissue is told by the gradient echo alone, which shows it "
        "poorly; align one, or give a mask of the white matter (msqsm add masks --as white-matter)"
    )
    channels.append(Channel("magnitude", load_magnitude(maps.baseline)[0]))
    r2star = result_path(maps.study, maps.baseline, "R2starmap", maps.out_dir)
    if r2star.is_file():
        volume = load_volume(r2star, what="R2* map", allow_nan=True)
        if volume.grid.same_as(maps.grid):
            channels.append(Channel("R2star", np.nan_to_num(volume.array, nan=0.0)))
    return channels, notes


def _aligned(maps: PatientMaps, contrast: Contrast) -> Iterator[tuple[str, AffineTransform]]:
    """Sessions with an aligned image of a contrast, the baseline first."""
    for session in (maps.baseline, *(each for each in maps.sessions if each is not maps.baseline)):
        if contrast in session.contrasts:
            transform: Any = maps.transform(session.label, contrast)
            if transform is not None:
                yield session.label, transform
