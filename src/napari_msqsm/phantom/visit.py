"""When, where and how a patient is scanned: sessions, head poses, and scans repeated on the same day."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.design import StudyDesign
    from napari_msqsm.phantom.scanner import Scanner

RESCAN_SUFFIX = "rescan"


@dataclass(frozen=True, eq=False)
class Visit:
    """One session of one patient.

    Parameters
    ----------
    patient_id, session_id
        Labels without ``sub-`` and ``ses-``.
    time_y
        Years since the first session.
    scanner
        Which scanner.
    pose
        (4, 4) head (baseline) → scanner coordinates, RAS mm.
    tilt_deg
        Tilt of the slices about the left–right axis.
    first
        The scan that this one repeats; ``None`` where it repeats none.
    """

    patient_id: str
    session_id: str
    time_y: float
    scanner: Scanner
    pose: NDArray[np.float64]
    tilt_deg: float
    first: Visit | None = None

    @property
    def label(self) -> str:
        """BIDS name, such as ``sub-01_ses-02``."""
        return f"sub-{self.patient_id}_ses-{self.session_id}"

    @property
    def folder(self) -> str:
        """Folder below the study, such as ``sub-01/ses-02``."""
        return f"sub-{self.patient_id}/ses-{self.session_id}"

    def repeated(self, rng: np.random.Generator, design: StudyDesign) -> Visit:
        """Repeat this scan after the patient left the scanner: a new pose of the head, slices placed anew.

        The new tilt of the slices also turns B0 in voxel axes.
        """
        return replace(
            self,
            session_id=self.session_id + RESCAN_SUFFIX,
            pose=drawn_pose(rng, design),
            tilt_deg=float(np.clip(self.tilt_deg + rng.uniform(-1.0, 1.0) * design.motion_deg, -45.0, 45.0)),
            first=self,
        )

    def after(self, first: Visit) -> NDArray[np.float64]:
        """(4, 4) scanner coordinates of another scan of this head → those of this one, RAS mm."""
        return np.asarray(self.pose @ np.linalg.inv(first.pose))


def drawn_pose(rng: np.random.Generator, design: StudyDesign) -> NDArray[np.float64]:
    """Random turn about the three axes and shift."""
    pose = np.eye(4)
    for axis, angle in enumerate(np.radians(rng.uniform(-design.motion_deg, design.motion_deg, 3))):
        turn = np.eye(3)
        i, j = [a for a in range(3) if a != axis]
        turn[i, i] = turn[j, j] = math.cos(angle)
        turn[i, j], turn[j, i] = -math.sin(angle), math.sin(angle)
        pose[:3, :3] = pose[:3, :3] @ turn
    pose[:3, 3] = rng.uniform(-design.motion_mm, design.motion_mm, 3)
    return pose
