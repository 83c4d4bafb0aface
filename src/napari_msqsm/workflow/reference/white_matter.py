"""White matter of a patient on the grid of the baseline, from what images there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.lesions.reference.ground import reference_ground
from napari_msqsm.lesions.reference.midplane import Midplane, midplane_of
from napari_msqsm.lesions.reference.tissue import Channel, tissue_classes
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.reference.channels import channels_of
from napari_msqsm.workflow.reference.given import given_white_matter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.workflow.reference.settings import ReferenceSettings
    from napari_msqsm.workflow.store import ResultStore
    from napari_msqsm.workflow.workbench.maps import PatientMaps

ALGORITHM_VERSION = 1
_UNLIKE_ITSELF = 0.6


@dataclass(frozen=True, eq=False)
class WhiteMatter:
    """White matter that references may be taken from, and the plane between the hemispheres.

    Parameters
    ----------
    ground
        (X, Y, Z) on the grid of the baseline: no partial volume, no veins, no deep grey matter.
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
    """Find the white matter of a patient: a mask that was given, else by tissue classes.

    Parameters
    ----------
    maps
        Images of the patient.
    settings
        How.
    store
        Where it is kept under the content of all that it comes from.

    Raises
    ------
    InputError
        When the patient has no susceptibility map on the grid of the baseline: there is nothing to refer.

    Notes
    -----
    What is drawn plays no part, so that the white matter stays the same while somebody draws: a class for outliers
    takes lesions, and the ring keeps its distance from them.
    """
    brain, chi_ppm, notes = _brain(maps)
    given, more = given_white_matter(maps)
    channels: list[Channel] = []
    if given is None:
        channels, told = channels_of(maps, brain)
        more += told
    inputs = [ALGORITHM_VERSION, settings.tissue, settings.ground, brain, chi_ppm, maps.grid.affine]
    inputs += [None if given is None else given.white, [list(channel) for channel in channels]]
    key = f"white-matter-{digest_of(inputs)}"
    kept = store.load(key, lambda host: host) if store is not None else None
    if kept is None:
        if given is not None:
            white = share = given.white
            source = f"white matter of {given.path.name}, which was taken over"
        else:
            tissues = tissue_classes(channels, brain, maps.grid, settings=settings.tissue)
            white, share = tissues.white, tissues.chance[-1]
            source = "white matter told by " + " and ".join(tissues.used)
        kept = {
            "ground": reference_ground(white, brain, maps.grid, chi_ppm=chi_ppm, settings=settings.ground),
            "midplane": midplane_of(brain, maps.grid, white=share),
            "source": source,
        }
        if store is not None:
            store.save(key, kept)
    found = WhiteMatter(kept["ground"], kept["midplane"], kept["source"], (*notes, *more))
    return found if found.midplane.likeness >= _UNLIKE_ITSELF else _with_doubt(found)


def _with_doubt(found: WhiteMatter) -> WhiteMatter:
    doubt = (
        f"the brain is not much like its mirror image (correlation {found.midplane.likeness:.2f}): the plane between "
        "its halves is uncertain; look at the side of every reference"
    )
    return WhiteMatter(found.ground, found.midplane, found.source, (*found.notes, doubt))


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
