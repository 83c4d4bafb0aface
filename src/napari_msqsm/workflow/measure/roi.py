"""χ of one lesion at one session: the same lines for the table and for the curve while drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.lesions.carried_voxels import carried_voxels
from napari_msqsm.lesions.carry import DrawnRoi
from napari_msqsm.lesions.roi_mean import RoiMean, RoiMeasurement, roi_mean
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.measure.flags import MOST_DROPOUT, MOST_VOLUME_CHANGE, SMALL_MM3
from napari_msqsm.workflow.workbench.region_at import region_at, roi_source
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from napari_msqsm.lesions.carry import CarriedRoi
    from napari_msqsm.lesions.reference.mean import RobustMean
    from napari_msqsm.workflow.measure.kept import Kept
    from napari_msqsm.workflow.measure.session_images import SessionImages
    from napari_msqsm.workflow.reference.region import ReferenceRegion
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workflow.workbench.region_at import RoiSource, SessionRegion
    from napari_msqsm.workspace.drawing.drawing import Drawing

_REFERENCE_FLAGS = {"grown": "grown_reference", "mirrored": "mirrored_reference", "painted": "painted_reference"}


@dataclass(frozen=True, eq=False)
class Roi:
    """What was measured of a lesion at a session.

    Parameters
    ----------
    source
        Where its region comes from.
    region
        That region; None where there is none.
    to_session
        Where its points lie at the session, mm; None without a map.
    carried, registered
        The region on the native grid (None without a map) and on the baseline's; None where there is no region.
    measured
        Means in the native and in the registered map; None without these.
    reference
        Mean of its normal-appearing white matter; None where there is none.
    flags
        Names of `napari_msqsm.workflow.measure.flags.FLAGS`.
    """

    source: RoiSource
    region: SessionRegion | None = None
    to_session: AffineTransform | None = None
    carried: CarriedRoi | None = None
    registered: CarriedRoi | None = None
    measured: RoiMeasurement | None = None
    reference: RobustMean | None = None
    flags: frozenset[str] = field(default_factory=frozenset)

    @property
    def raw_ppb(self) -> float | None:
        """Mean χ of the lesion in the native map."""
        return None if self.measured is None else self.measured.native.mean_ppb

    @property
    def nawm_ppb(self) -> float | None:
        """Mean χ of its reference."""
        return None if self.reference is None else self.reference.mean_ppb

    @property
    def chi_ppb(self) -> float | None:
        """χ of the lesion relative to its reference."""
        return self.relative(self.raw_ppb)

    def relative(self, value_ppb: float | None) -> float | None:
        """Take the reference off a value; None where one is missing."""
        return None if value_ppb is None or self.nawm_ppb is None else value_ppb - self.nawm_ppb


class LesionRois:
    """One lesion, ready to be measured at any session.

    Parameters
    ----------
    drawing, maps, label
        Whose lesion.
    reference
        Its normal-appearing white matter.
    kept
        What was computed before for the same maps.
    stale
        Sessions whose region was propagated from an onset region that was drawn again since.
    """

    def __init__(
        self,
        drawing: Drawing,
        maps: PatientMaps,
        label: int,
        reference: ReferenceRegion | None,
        *,
        kept: Kept,
        stale: frozenset[str] = frozenset(),
    ) -> None:
        self._drawing, self._maps, self._label = drawing, maps, label
        self.reference = reference
        self._kept, self._stale = kept, stale
        lesion = drawing.lesion(label)
        self.onset = "" if lesion is None else lesion.onset_session
        labels = [each.label for each in maps.sessions]
        self._after = frozenset(labels[labels.index(self.onset) + 1 :] if self.onset in labels else ())

    def at(self, images: SessionImages) -> Roi:
        """Measure it at a session."""
        session, session_map = images.session.label, images.map
        region = region_at(self._drawing, self._label, session)
        source = roi_source(self._drawing, self._label, session) if region is None else region.source
        flags = set(images.flags) | self._review(session)
        reference = None
        if session_map is not None and self.reference is not None and not self.reference.missing:
            reference = self._kept.reference(self.reference, session, session_map)
            flags |= {_REFERENCE_FLAGS[self.reference.how]} if self.reference.how in _REFERENCE_FLAGS else set()
        if session_map is not None and (reference is None or reference.missing):
            flags.add("missing_reference")
        if region is None:
            return Roi(source, reference=reference, flags=frozenset(flags | {"no_region"}))
        there = self._registered(region)
        if there.whole_mm3 < SMALL_MM3:
            flags.add("small")
        if session_map is None:
            return Roi(source, region, registered=there, flags=frozenset(flags))
        to_session = region.moved(session_map.transform)
        carried = self._kept.carried(region, session_map.grid, to_session)
        native = roi_mean(session_map.chi_ppm, session_map.mask, carried)
        registered = None
        if session_map.registered_chi_ppm is not None and session_map.registered_mask is not None:
            registered = roi_mean(session_map.registered_chi_ppm, session_map.registered_mask, there)
        measured = RoiMeasurement(native, registered)
        flags |= self._of_region(region, images, carried, measured)
        return Roi(source, region, to_session, carried, there, measured, reference, frozenset(flags))

    def still_lesion(self, images: SessionImages) -> RoiMean | None:
        """Measure the part of the onset region that is lesion on this session's FLAIR.

        None where it was not drawn there, FLAIR or map are not aligned, or nothing of it is left.
        """
        session, session_map = images.session.label, images.map
        region, plane = region_at(self._drawing, self._label, self.onset), Plane.flair(session)
        box = self._drawing.box(plane, self._label) if plane in self._drawing.planes else None
        to_flair = self._maps.transform(session, "FLAIR")
        if region is None or session_map is None or box is None or to_flair is None:
            return None
        corner = np.eye(4)
        corner[:3, 3] = [part.start for part in box]
        drawn = self._drawing.labels(plane)[box] == self._label
        grid = Grid(drawn.shape, self._drawing.grid(plane).affine @ corner)
        mask = np.zeros(region.mask.size, dtype=np.bool_)
        mask[carried_voxels(drawn, grid, region.grid, to_flair)] = True
        both = mask.reshape(region.mask.shape) & region.mask
        if not both.any():
            return None
        carried = DrawnRoi.of(both, region.grid, cut=region.cut).carried(session_map.grid, session_map.transform)
        return roi_mean(session_map.chi_ppm, session_map.mask, carried)

    def _registered(self, region: SessionRegion) -> CarriedRoi:
        return self._kept.carried(region, self._maps.grid, region.moved(AffineTransform.identity()))

    def _review(self, session: str) -> set[str]:
        if session not in self._after:
            return set()
        state = self._drawing.follow_up(self._label, session)
        return ({"stale_propagation"} if session in self._stale else set()) | (
            set() if state.reviewed else {"not_reviewed"}
        )

    def _of_region(
        self, region: SessionRegion, images: SessionImages, carried: CarriedRoi, measured: RoiMeasurement
    ) -> set[str]:
        """Flag the region as it lies in the map."""
        flags = set()
        if measured.native.missing:
            flags.add("low_coverage")
        if measured.differ:
            flags.add("native_registered_differ")
        onset = region_at(self._drawing, self._label, self.onset)
        if onset is not None and images.map is not None:
            stretch = abs(float(np.linalg.det(images.map.transform.matrix[:3, :3])))
            if abs(stretch * region.volume_mm3 / onset.volume_mm3 - 1) > MOST_VOLUME_CHANGE:
                flags.add("roi_volume_changed")
        filled, half = carried.filled, carried.filled > 0.5
        if images.holes is not None and np.any(images.holes[carried.block] & half):
            flags.add("hole_in_mask")
        total = float(filled.sum(dtype=np.float64))
        if images.lost is not None and total > 0:
            lost = float(filled[images.lost[carried.block]].sum(dtype=np.float64))
            if lost > MOST_DROPOUT * total:
                flags.add("signal_dropout")
        return flags
