"""A patient of four sessions with known transforms, and a drawing of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane

SESSIONS = tuple(f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))
S1, S2, S3, S4 = SESSIONS


@dataclass
class Known:
    """What the actions ask of the images of a patient: the order of the sessions, transforms, and what is lacking."""

    transforms: dict = field(default_factory=dict)
    lacking: dict = field(default_factory=dict)

    @dataclass(frozen=True)
    class One:
        label: str

    @property
    def sessions(self):
        return tuple(map(self.One, SESSIONS))

    def after(self, label):
        return self.sessions[SESSIONS.index(label) + 1 :]

    def before(self, label):
        return self.sessions[: SESSIONS.index(label)]

    def lacks(self, label):
        return self.lacking.get(label, "")

    def transform(self, label, contrast="MEGRE"):
        return self.transforms.get((label, contrast))


def turned(degrees, shift_mm, axis="x"):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def centred(shape, voxel_mm, turn=None):
    affine = np.diag([*voxel_mm, 1.0])
    affine[:3, 3] = -np.array(voxel_mm) * (np.array(shape) - 1) / 2
    return Grid(shape, affine if turn is None else turn.matrix @ affine)


@pytest.fixture
def paint():
    """Draw as the brush does: an index of the image, or a mask."""
    return painted


def painted(drawing, plane, label, where, title="brush"):
    labels = drawing.labels(plane)
    mask = np.zeros(labels.shape, bool)
    mask[where] = True
    change = voxels_set(plane, labels, np.flatnonzero(mask), label)
    if change is not None:
        drawing.apply(Edit(title, (change,)))


@pytest.fixture
def ball():
    """(X, Y, Z) voxels whose centre lies in a ball."""
    return voxels_of_ball


def voxels_of_ball(grid, centre_mm, radius_mm):
    index = np.indices(grid.shape).reshape(3, -1)
    at = grid.affine[:3, :3] @ index + grid.affine[:3, 3:]
    return (np.linalg.norm(at - np.array(centre_mm)[:, None], axis=0) < radius_mm).reshape(grid.shape)


@pytest.fixture
def drawn(maps):
    """Draw a ball at a place of the baseline on the FLAIR of a session."""

    def draw(drawing, label=1, centre=(3.0, -5.0, 2.0), radius=5.0, session=S2):
        plane = Plane.flair(session)
        at = maps.transform(session, "FLAIR").apply(centre)
        painted(drawing, plane, label, voxels_of_ball(drawing.grid(plane), at, radius))

    return draw


@pytest.fixture
def maps():
    rng = np.random.default_rng(3)
    transforms = {(S1, "MEGRE"): AffineTransform.identity()}
    for session in SESSIONS:
        for contrast in ("FLAIR", "T1w", "ce-gadolinium_T1w"):
            transforms[session, contrast] = turned(rng.uniform(-4, 4), rng.uniform(-2, 2, 3), "xyz"[rng.integers(3)])
    for session in (S2, S3, S4):
        transforms[session, "MEGRE"] = turned(rng.uniform(-4, 4), rng.uniform(-2, 2, 3))
    return Known(transforms)


@pytest.fixture
def drawing():
    baseline, flair = centred((48, 44, 14), (1.0, 1.0, 3.0), turned(8, (0, 0, 0))), centred((50, 46, 40), (1, 1, 1.2))
    grids = {ONSET: baseline, VEIN: baseline, NAWM: baseline}
    grids |= {Plane.flair(session): flair for session in SESSIONS}
    grids |= {Plane.follow_up(session): baseline for session in SESSIONS}
    lesions = (Lesion(1, "01-L001", onset_session=S2), Lesion(2, "01-L002", onset_session=S1))
    return Drawing("01", grids, lesions=lesions, reader="AB")
