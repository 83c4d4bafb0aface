"""A patient on disk whose lesions, transforms and tables are known, and its saved drawing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.io.transforms import write_transform
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion, lesion_id_of
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.coregistration.maps import renew_maps
from napari_msqsm.workflow.coregistration.pairs import pairs_of
from napari_msqsm.workflow.coregistration.settings import ALGORITHM_VERSION, CoregistrationSettings
from napari_msqsm.workflow.coregistration.state import destination, locator
from napari_msqsm.workflow.drawing.places import Places
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.drawing.stored import grids_of
from napari_msqsm.workflow.drawing.tables import follow_ups_text, lesions_text
from napari_msqsm.workflow.provenance import input_files, write_json_file
from napari_msqsm.workflow.reference.references import References
from napari_msqsm.workflow.workbench.carry import carry, carry_plan
from napari_msqsm.workflow.workbench.maps import PatientMaps
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, VEIN, Plane

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Study

S1, S2, S3, AGAIN = (f"sub-01_ses-{name}" for name in ("01", "02", "03", "02rescan"))
BRAIN_MM = np.array([52.0, 62.0, 40.0])
CENTRES_MM = {1: (24.0, 10.0, 6.0), 2: (-26.0, -14.0, 4.0), 3: (8.0, 47.0, 2.0)}
RADII_MM = {1: 8.0, 2: 6.0, 3: 6.0}
SESSIONS_TSV = (
    "session_id\tacq_time\tage\tedss\tdisease_duration\ttreatment_duration\trescan_of\n"
    "ses-01\t2015-01-10T09:00:00\t40.0\t2.0\t3.0\t1.0\tn/a\n"
    "ses-02\t2016-01-10T18:00:00\t41.0\tn/a\t4.0\t2.0\tn/a\n"
    "ses-02rescan\t2016-01-10T18:30:00\t41.0\t2.5\t4.0\t2.0\tses-02\n"
    "ses-03\t2017-07-10T08:00:00\t42.5\t3.0\t5.5\tn/a\tn/a\n"
)


def _moved(axis, degrees, shift_mm):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


GRE_AT = {
    S1: AffineTransform.identity(),
    S2: _moved("xyz", (3, -2, 4), (2, -1, 1.5)),
    S3: _moved("xyz", (-4, 1, -3), (-3, 2, -1)),
    AGAIN: _moved("x", 1, (0, 0, 0)),
}
FLAIR_AT = {S1: _moved("z", 2, (0.5, 0, 0)), S2: _moved("y", -3, (1, 1, 1)), S3: _moved("x", 4, (0, -2, 1))}


def _grid(shape, voxel_mm, turn=None):
    affine = np.diag([*voxel_mm, 1.0])
    affine[:3, 3] = -np.array(voxel_mm) * (np.array(shape) - 1) / 2
    return Grid(shape, affine if turn is None else turn.matrix @ affine)


GRE_GRID = {
    S1: _grid((62, 71, 24), (2.0, 2.0, 4.0)),
    S2: _grid((60, 72, 25), (2.0, 2.0, 4.0), _moved("x", 10, (0, 0, 0))),
    S3: _grid((57, 66, 30), (2.1, 2.1, 3.2)),
    AGAIN: _grid((60, 70, 24), (2.0, 2.0, 4.0)),
}
FLAIR_GRID = _grid((75, 87, 34), (1.6, 1.6, 3.0), _moved("y", 5, (0, 0, 0)))


def _points(grid, transform):
    """(X, Y, Z, 3) where voxels of a session lie at the baseline, mm."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    scanner = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return transform.inverse().apply(scanner)


def _depth(points):
    """Scaled distance from the centre of the head: 1 at the edge of the brain."""
    return np.linalg.norm(points / BRAIN_MM, axis=-1)


def _inside(points, label, grow=1.0):
    return np.linalg.norm(points - np.array(CENTRES_MM[label]), axis=-1) < RADII_MM[label] * grow


def _tissue(points, fluid, grey, white):
    depth = _depth(points)
    image = np.where(depth < 1, np.where(depth < 0.78, white, grey), 0.0)
    return np.where(depth < 0.22, fluid, image)


def _save(path, array, grid, sidecar=None):
    save_volume(path, np.asarray(array, np.float32), grid, sidecar=sidecar or {})


@dataclass(frozen=True)
class OnDisk:
    """A study with maps, transforms and a saved drawing."""

    root: Path

    @property
    def study(self) -> Study:
        return open_study(self.root)

    @property
    def out(self) -> Path:
        return self.root / "derivatives" / "msqsm"

    @property
    def places(self) -> Places:
        return Places(self.out, "01")

    def maps(self, patient="01") -> PatientMaps:
        return PatientMaps(self.study, patient)

    def anat(self, session) -> Path:
        return self.out.joinpath(*session.split("_")) / "anat"

    def raw(self, session) -> Path:
        return self.root.joinpath(*session.split("_")) / "anat"

    def save(self, drawing: Drawing) -> None:
        """Write a drawing as another program would, not through our own saving."""
        for plane in drawing.planes:
            if drawing.labels_on(plane):
                save_volume(self.places.plane(plane), drawing.labels(plane), drawing.grid(plane))
        names = {lesion.label: lesion.lesion_id for lesion in drawing.lesions}
        self.places.lesions.write_text(lesions_text(drawing.lesions, {}), "utf-8")
        self.places.follow_ups.write_text(follow_ups_text(drawing.follow_ups, names), "utf-8")

    def align(self, session, contrast, transform, *, level="ok", by="AB") -> None:
        """Write a transform and its record."""
        pair = next(p for p in pairs_of(self.study, "01") if (p.session, p.contrast) == (session, contrast))
        write_transform(pair.xfm, transform)
        write_json_file(
            pair.record,
            {
                "To": destination(pair),
                "Verdict": {"Level": level, "Reasons": ["made up"], "Remarks": []},
                "Checked": {"By": by, "At": "", "Note": ""},
                "Matrix": {"Value": transform.matrix.tolist()},
                "PipelineVersion": ALGORITHM_VERSION,
                "InputFiles": input_files((*pair.fixed, *pair.moving), locator(self.study, None)),
            },
        )


def _write_images(disk, rng):
    for session, grid in GRE_GRID.items():
        points = _points(grid, GRE_AT[session])
        brain, mask = _depth(points) < 1, _depth(points) < 0.94
        side = {"EchoTime": 0.01, "MagneticFieldStrength": 3.0, "Manufacturer": "Siemens"}
        side["ManufacturersModelName"] = "Skyra" if session != S2 else "Siemens Prisma"
        magnitude = 100 * brain + rng.uniform(0, 5, grid.shape)
        _save(disk.raw(session) / f"{session}_echo-1_part-mag_MEGRE.nii.gz", magnitude, grid, side)
        chi = 0.006 * rng.standard_normal(grid.shape) - 0.030 * (_depth(points) < 0.78)
        for label, ppm in zip((1, 2, 3), (0.040, 0.025, 0.030), strict=True):
            chi[_inside(points, label)] += ppm
        _save(disk.anat(session) / f"{session}_Chimap.nii.gz", chi * mask, grid, {"Adopted": True, "InputFiles": []})
        _save(disk.anat(session) / f"{session}_desc-brain_mask.nii.gz", mask, grid)
        if session != S3:
            r2star = 20.0 * brain + 0.0 * points[..., 0]
            _save(disk.anat(session) / f"{session}_R2starmap.nii.gz", r2star, grid)
    for session, transform in FLAIR_AT.items():
        points = _points(FLAIR_GRID, transform)
        flair = _tissue(points, 20, 130, 100) + 2 * rng.standard_normal(FLAIR_GRID.shape)
        for label in CENTRES_MM:
            flair[_inside(points, label)] += 70
        _save(disk.raw(session) / f"{session}_FLAIR.nii.gz", flair, FLAIR_GRID)
    points = _points(FLAIR_GRID, GRE_AT[S1])
    t1 = _tissue(points, 40, 90, 140) + 2 * rng.standard_normal(FLAIR_GRID.shape)
    _save(disk.raw(S1) / f"{S1}_T1w.nii.gz", t1, FLAIR_GRID)


def new_drawing(maps):
    """Empty drawing of a patient."""
    return Drawing(maps.patient.patient_id, grids_of(maps)[0], reader="AB")


def give(drawing, plane, label, mask):
    """Draw a lesion."""
    change = voxels_set(plane, drawing.labels(plane), np.flatnonzero(mask), label)
    drawing.apply(Edit("brush", (change,)))


def _draw(disk):
    """Three lesions: on FLAIR of every session, carried over, a vein cut out, propagated, one edited at the end."""
    maps = disk.maps()
    drawing = new_drawing(maps)
    onsets = {1: (S1, "new", "shell", True), 2: (S2, "new", "nodular", None), 3: (S1, "no earlier scan", None, False)}
    for label, (onset, kind, enhancement, vein) in onsets.items():
        lesion = Lesion(label, lesion_id_of("01", label), onset, kind, enhancement=enhancement, central_vein=vein)
        drawing.apply(Edit("new", lesions=(LesionChange(None, lesion),)))
        for session, transform in FLAIR_AT.items():
            grow = {S1: 1.0, S2: 1.1, S3: 0.9}[session]
            if (label, session) != (2, S1):
                give(drawing, Plane.flair(session), label, _inside(_points(FLAIR_GRID, transform), label, grow))
        drawing.apply(carry(drawing, carry_plan(drawing, maps, label)))
    vein = _points(GRE_GRID[S1], GRE_AT[S1])
    vein = np.linalg.norm((vein - np.array(CENTRES_MM[1]))[..., :2], axis=-1) < 1.5
    give(drawing, VEIN, 1, vein & (drawing.labels(ONSET) == 1))
    for label in onsets:
        drawing.apply(propagate(drawing, propagation_plan(drawing, maps, label)))
    before = drawing.follow_up(1, S2)
    drawing.apply(Edit("review", follow_ups=(FollowUpChange(before, replace(before, reviewed_by="AB")),)))
    here = drawing.labels(Plane.follow_up(S3)) == 1
    here[: int(np.argwhere(here)[:, 0].mean())] = False
    give(drawing, Plane.follow_up(S3), 0, here)
    disk.save(drawing)


def make(root: Path) -> OnDisk:
    """Write the study."""
    disk = OnDisk(root)
    disk.root.mkdir()
    (disk.root / "dataset_description.json").write_text(json.dumps({"Name": "t", "BIDSVersion": "1.10.0"}), "utf-8")
    _write_images(disk, np.random.default_rng(3))
    (disk.root / "participants.tsv").write_text("participant_id\tsex\tedss\nsub-01\tF\t9.0\n", "utf-8")
    (disk.root / "sub-01" / "sub-01_sessions.tsv").write_text(SESSIONS_TSV, "utf-8")
    for session in (S2, S3, AGAIN):
        disk.align(session, "MEGRE", GRE_AT[session])
    for session, transform in FLAIR_AT.items():
        disk.align(session, "FLAIR", transform)
    disk.align(S1, "T1w", AffineTransform.identity())
    study = disk.study
    renew_maps(study, study.patients[0], CoregistrationSettings())
    _draw(disk)
    maps = disk.maps()
    References(read_drawing(disk.study, "01", maps=maps), maps).prepare()  # kept in the cache of the study
    return disk
