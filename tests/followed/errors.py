"""How far ``chi_ppb`` of synthetic lesions is off, and what makes it so.

Four values of the same quantity for every lesion and session. The central vein is cut out of all of them.

true
    True region, true transform, in the true χ averaged over the voxels of the scan, less the same reference in it.
known
    True region, true transform, in the reconstructed χ. ``known − true``: what reconstruction and noise do.
read
    As it comes out: region by one click on FLAIR, carried over, propagated, measured with the transforms and the
    reference that the product finds. ``read − known``: what drawing and alignment do; ``read − true``: all of it.
own
    Mean χ of the lesion itself above white matter. ``true − own``: partial volume, and what the lesion grew or shrank,
    since the region of onset stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import MsqsmError
from napari_msqsm.lesions.carry import carry_roi
from napari_msqsm.lesions.roi_mean import roi_mean
from napari_msqsm.lesions.tools.proposal import propose
from napari_msqsm.model.lesion import Lesion, lesion_id_of
from napari_msqsm.workflow.drawing.stored import grids_of
from napari_msqsm.workflow.measure.measuring import Measuring
from napari_msqsm.workflow.reference.references import References
from napari_msqsm.workflow.reference.region import reference_at
from napari_msqsm.workflow.workbench.carry import carry, carry_plan
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from followed.patients import FollowedPatient
    from napari_msqsm.workflow.reference.region import ReferenceRegion

NAN = float("nan")


@dataclass(frozen=True)
class LesionErrors:
    """One lesion; values at onset and at year 1 in ppb, NaN where there is none.

    Parameters
    ----------
    label, radius_mm, rim
        Which lesion, the radius of a ball of its volume at onset, and whether it has a rim.
    dice
        Of the one-click proposal with the true region on FLAIR.
    true, known, read, own
        See above.
    """

    label: int
    radius_mm: float
    rim: bool
    dice: float
    true: tuple[float, float]
    known: tuple[float, float]
    read: tuple[float, float]
    own: tuple[float, float]


def lesion_errors(patient: FollowedPatient) -> list[LesionErrors]:
    """Measure every lesion of a patient that has a true region."""
    truth, reader = true_drawing(patient), Drawing("01", grids_of(patient.maps)[0])
    dice = {label: draw_by_click(reader, patient, label) for label in patient.lesions}
    measuring, references = Measuring(reader, patient.maps), References(truth, patient.maps)
    found = []
    for label, lesion in patient.lesions.items():
        if not np.any(patient.regions == label):
            continue
        true, known = known_ppb(patient, label, references.region(label))
        rois = measuring.lesion(label)
        read = [rois.at(images).chi_ppb for images in measuring.sessions]
        found.append(
            LesionErrors(
                label,
                float(np.prod(lesion.radii_mm)) ** (1 / 3),
                lesion.rim,
                dice[label],
                true,
                known,
                tuple(NAN if value is None else value for value in read),
                tuple(lesion.course(session.time_y - lesion.onset_y) for session in patient.sessions),
            )
        )
    return found


def known_ppb(
    patient: FollowedPatient, label: int, reference: ReferenceRegion
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Contrast of the true region by the true transform: in the true map, and in the reconstructed one."""
    roi, values = patient.regions == label, []
    for session in patient.sessions:
        found = replace(patient.maps.map(session.label), transform=session.transform)
        weights = carry_roi(roi, patient.maps.grid, found.grid, session.transform, cut=patient.veins)
        for chi in (session.chi_ppm, found.chi_ppm):
            lesion = roi_mean(chi, found.mask, weights).mean_ppb
            white = reference_at(reference, replace(found, chi_ppm=chi)).mean_ppb
            values.append(NAN if lesion is None or white is None else lesion - white)
    return (values[0], values[2]), (values[1], values[3])


def true_drawing(patient: FollowedPatient) -> Drawing:
    """Draw what is true."""
    drawing = Drawing("01", grids_of(patient.maps)[0])
    for label in patient.lesions:
        index = np.flatnonzero(patient.regions == label)
        change = voxels_set(ONSET, drawing.labels(ONSET), index, label)
        drawing.apply(Edit("true", () if change is None else (change,), (LesionChange(None, _lesion(patient, label)),)))
    return drawing


def draw_by_click(drawing: Drawing, patient: FollowedPatient, label: int) -> float:
    """Draw a lesion as a reader may: one click on FLAIR, carried over, its vein cut out, propagated.

    Returns
    -------
    float
        Dice of the proposal with the true region on FLAIR.
    """
    drawing.apply(Edit("lesion", lesions=(LesionChange(None, _lesion(patient, label)),)))
    session = patient.sessions[0]
    plane, true = Plane.flair(session.label), session.flair_lesions == label
    found = patient.maps.contrast(session.label, "FLAIR")
    if found is None or not true.any():
        return NAN
    flair, grid = found
    try:
        proposal = propose(flair, drawing.labels(plane), grid.voxel_size_mm, _click(true), label=label)
    except MsqsmError:
        return 0.0
    index = proposal.voxels()
    drawing.apply(Edit("propose", tuple(filter(None, [voxels_set(plane, drawing.labels(plane), index, label)]))))
    plan = carry_plan(drawing, patient.maps, label)
    if plan.action == "write":
        drawing.apply(carry(drawing, plan))
        veins = np.intersect1d(drawing.voxels(ONSET, label), np.flatnonzero(patient.veins))
        drawing.apply(Edit("vein", tuple(filter(None, [voxels_set(VEIN, drawing.labels(VEIN), veins, label)]))))
        drawing.apply(propagate(drawing, propagation_plan(drawing, patient.maps, label)))
    shared = np.count_nonzero(true.ravel()[index])
    return 2.0 * shared / (index.size + np.count_nonzero(true))


def _lesion(patient: FollowedPatient, label: int) -> Lesion:
    return Lesion(label, lesion_id_of("01", label), onset_session=patient.sessions[0].label, onset="new")


def _click(region: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Voxel of a region that is nearest to its middle."""
    at = np.argwhere(region)
    x, y, z = at[np.argmin(np.linalg.norm(at - at.mean(axis=0), axis=1))]
    return float(x), float(y), float(z)
