"""A patient of four sessions with known transforms, and a drawing of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.io.tables import write_table
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.contrasts import structural_images
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.scan import scan_grid
from napari_msqsm.registration.check import Check
from napari_msqsm.registration.verdict import Level, Verdict
from napari_msqsm.workflow.coregistration.align import Aligned
from napari_msqsm.workflow.coregistration.patient import CoregistrationSettings, pairs_of
from napari_msqsm.workflow.coregistration.record import write_pair
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, voxels_set
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane

SESSIONS = tuple(f"sub-01_ses-0{number}" for number in (1, 2, 3, 4))
S1, S2, S3, S4 = SESSIONS
TIMES_Y = {S1: 0.0, S2: 1.0, S3: 2.0}
FIELD_MM = (64.0, 64.0, 48.0)


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


@pytest.fixture(scope="session")
def person():
    """Two lesions, one of which first enhances at the third session."""
    drawn = SyntheticPatient.drawn(np.random.default_rng(5), n_lesions=14, times_y=(0.0, 1.0), heterogeneity_ppb=5.0)
    old, new = drawn.lesions[2], drawn.lesions[4]
    return replace(drawn, lesions=(replace(old, onset_y=-1.0), replace(new, onset_y=2.0, shell=False)))


@pytest.fixture(scope="session")
def aligned_study(person, tmp_path_factory):
    """Three sessions: gradient echo, FLAIR, T1 before and after gadolinium; all aligned."""
    root = tmp_path_factory.mktemp("onset") / "study"
    rng, truth = np.random.default_rng(1), {}
    middle = np.mean([one.centre for one in person.lesions], axis=0)
    for session, time_y in TIMES_Y.items():
        anat = root.joinpath(*session.split("_"), "anat")
        for contrast in ("MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w"):
            pose = np.eye(4)
            if (session, contrast) != (S1, "MEGRE"):
                pose[:3, :3] = Rotation.from_rotvec(np.radians(rng.uniform(-3, 3, 3))).as_matrix()
                pose[:3, 3] = rng.uniform(-2, 2, 3)
            truth[session, contrast] = AffineTransform(pose)
            grid = scan_grid((1.0, 1.0, 3.0), FIELD_MM, tilt_deg=0.0, centre_mm=(pose @ [*middle, 1])[:3])
            made = {"noise": 0.01, "subvoxel_mm": 1.5, "blank_air": False, "rng": rng}
            images, lesions = structural_images(person, time_y=time_y, grid=grid, pose=pose, **made)
            gain = {"T1w": 1000.0}.get(contrast, 1600.0)
            image = images["T2w" if contrast == "MEGRE" else contrast]
            if "T1w" in contrast:
                image = image / np.median(image)
            name = f"{session}_echo-1_part-mag_MEGRE" if contrast == "MEGRE" else f"{session}_{contrast}"
            save_volume(anat / f"{name}.nii.gz", (gain * image).astype(np.float32), grid, sidecar={"EchoTime": 0.01})
            if contrast == "FLAIR":
                save_volume(root / f"{session}_mask.nii.gz", (lesions > 0).astype(np.uint8), grid)
    rows = [{"session_id": name[7:], "acq_time": f"201{year}-01-01T08:00:00"} for year, name in enumerate(TIMES_Y)]
    write_table(root / "sub-01" / "sub-01_sessions.tsv", pd.DataFrame(rows))
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}', "utf-8")
    found = open_study(root)
    for pair in pairs_of(found, "01"):
        aligned = Aligned(truth[pair.session, pair.contrast], Check(Verdict(Level.OK, (), ()), {}, None))
        write_pair(found, pair, aligned, CoregistrationSettings(), device="cpu", seed=0)
    return found


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
