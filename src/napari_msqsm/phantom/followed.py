"""A lesion that does not change, scanned twice with the head turned in between: what interpolation alone makes of it.

χ is averaged over the voxels of each scan, whose grids lie at random. Whatever a rule of measurement finds at the
follow-up and did not find at the baseline, it made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.lesions import NO_RIM_COURSE, RIM_COURSE, Lesion
from napari_msqsm.phantom.shapes import tube
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of
from napari_msqsm.phantom.tissue import Tissue, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.patient import SyntheticPatient
    from napari_msqsm.phantom.shapes import Points
    from napari_msqsm.phantom.subvoxels import Parts

_VOXEL_MM = (0.75, 0.75, 3.0)
_SHAPE = (40, 40, 12)
_PART_MM = 0.3
_TIME_Y = 2.0
_LEAST_RADIUS_MM = 3.5
_LEAST_TURN_DEG, _MOST_TURN_DEG, _MOST_SHIFT_MM = 1.0, 5.0, 1.5
_VEIN_MARGIN_MM = 0.3
_TOUCHED = 0.05
_DRAWN = 0.5
_PPM_PER_PPB = 1e-3


@dataclass(frozen=True, eq=False)
class LesionScan:
    """A scan about one lesion.

    Parameters
    ----------
    chi_ppm, share
        (X, Y, Z) χ, and the part of each voxel that is lesion.
    vein
        (X, Y, Z) voxels that its central vein touches.
    grid
        Grid of the scan.
    """

    chi_ppm: NDArray[np.float32]
    share: NDArray[np.float32]
    vein: NDArray[np.bool_]
    grid: Grid


@dataclass(frozen=True, eq=False)
class FollowedLesion:
    """One lesion at the baseline and at a follow-up.

    Parameters
    ----------
    rim
        Whether it has a rim.
    mean_ppb
        Mean χ of the lesion itself, without its vein.
    baseline, followup
        The two scans.
    transform
        Scanner positions at the baseline → those at the follow-up.
    """

    rim: bool
    mean_ppb: float
    baseline: LesionScan
    followup: LesionScan
    transform: AffineTransform

    @property
    def roi(self) -> NDArray[np.bool_]:
        """Voxels of the baseline of which at least half is lesion, as a reader would draw them."""
        return self.baseline.share >= _DRAWN


def lone_lesion(rng: np.random.Generator, *, rim: bool) -> FollowedLesion:
    """Draw a lesion of at least 3.5 mm radius in white matter of 0, without a vein, and scan it twice."""
    size = rng.uniform(4.2, 6.0) if rim else rng.uniform(_LEAST_RADIUS_MM, 5.0)
    a, b, c = np.maximum(size * rng.uniform(0.87, 1.15, 3), _LEAST_RADIUS_MM)
    lesion = Lesion(
        lesion_id=1,
        centre=(0.0, 0.0, 0.0),
        radii_mm=(float(a), float(b), float(c)),
        rim_ppb=float(rng.uniform(18.0, 25.0)) if rim else 0.0,
        rim_mm=float(rng.uniform(1.0, 1.5)),
        shell=False,
        course=RIM_COURSE if rim else NO_RIM_COURSE,
        onset_y=0.0,
    )

    def scan(pose: NDArray[np.float64]) -> LesionScan:
        grid, parts = _grid(rng, pose, lesion)
        points = fine_sampling(grid, pose, parts)[0].points()
        chi = np.where(lesion.distance(points, _TIME_Y) < 0, lesion.chi_ppb(points, _TIME_Y), np.float32(0))
        return _scan(lesion, chi * np.float32(_PPM_PER_PPB), points, grid, parts)

    pose = _turned(rng, lesion)
    return FollowedLesion(rim, lesion.course(_TIME_Y), scan(np.eye(4)), scan(pose), AffineTransform(pose))


def lesion_in_patient(rng: np.random.Generator, patient: SyntheticPatient, lesion: Lesion) -> FollowedLesion:
    """Scan a lesion of a patient twice, with its vein and the tissue around it."""

    def scan(pose: NDArray[np.float64]) -> LesionScan:
        grid, parts = _grid(rng, pose, lesion)
        sampling = fine_sampling(grid, pose, parts)[0]
        chi = patient.sampled(sampling, _TIME_Y).chi_ppm()
        return _scan(lesion, chi, sampling.points(), grid, parts)

    pose = _turned(rng, lesion)
    mean = lesion.course(_TIME_Y - lesion.onset_y) + table("chi_ppm")[Tissue.WHITE_MATTER] / _PPM_PER_PPB
    return FollowedLesion(lesion.rim, mean, scan(np.eye(4)), scan(pose), AffineTransform(pose))


def _scan(lesion: Lesion, chi: NDArray[np.float32], points: Points, grid: Grid, parts: Parts) -> LesionScan:
    inside = (lesion.distance(points, _TIME_Y) < 0).astype(np.float32)
    vein = np.zeros(grid.shape, dtype=np.bool_)
    if lesion.vein is not None:
        near = tube(points, lesion.vein.path, lesion.vein.radii_mm) < np.float32(_VEIN_MARGIN_MM)
        vein = averaged(near.astype(np.float32), parts) > _TOUCHED
    return LesionScan(averaged(chi, parts), averaged(inside, parts), vein, grid)


def _grid(rng: np.random.Generator, pose: NDArray[np.float64], lesion: Lesion) -> tuple[Grid, Parts]:
    """Slices about a lesion that lie at random, and into how many parts their voxels are split."""
    centre = (pose @ np.array([*lesion.centre, 1.0]))[:3]
    affine = np.diag([*_VOXEL_MM, 1.0])
    affine[:3, 3] = centre + (rng.uniform(-0.5, 0.5, 3) - (np.array(_SHAPE) - 1) / 2) * _VOXEL_MM
    grid = Grid(_SHAPE, affine)
    return grid, parts_of(grid, _PART_MM)


def _turned(rng: np.random.Generator, lesion: Lesion) -> NDArray[np.float64]:
    """Draw how the head lies at the follow-up: turned about the lesion by up to five degrees, and shifted."""
    axis, centre = rng.standard_normal(3), np.array(lesion.centre)
    angle = np.radians(rng.uniform(_LEAST_TURN_DEG, _MOST_TURN_DEG))
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()
    pose[:3, 3] = centre - pose[:3, :3] @ centre + rng.uniform(-_MOST_SHIFT_MM, _MOST_SHIFT_MM, 3)
    return pose
