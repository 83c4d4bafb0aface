"""Lesions with a known χ, averaged over the voxels of a baseline grid and of follow-ups that lie otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.lesions import NO_RIM_COURSE, RIM_COURSE, Lesion
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRE_MM, SHAPE, TIME_Y, PART_MM = (0.75, 0.75, 3.0), (40, 40, 12), 2.0, 0.3


@dataclass(frozen=True, eq=False)
class Visit:
    """Map of one lesion in white matter of 0, and where its head lies."""

    chi_ppm: NDArray[Any]
    share: NDArray[Any]
    grid: Grid
    transform: AffineTransform


@dataclass(frozen=True, eq=False)
class Followed:
    """A lesion that does not change, at the baseline and at a follow-up."""

    rim: bool
    roi: NDArray[np.bool_]
    baseline: Visit
    followup: Visit


def visit(lesion: Lesion, pose: NDArray[np.float64], offset_voxels: NDArray[np.float64]) -> Visit:
    """Average the lesion's χ over the voxels of a grid."""
    affine = np.diag([*GRE_MM, 1.0])
    affine[:3, 3] = (offset_voxels - (np.array(SHAPE) - 1) / 2) * GRE_MM
    grid = Grid(SHAPE, affine)
    parts = parts_of(grid, PART_MM)
    points = fine_sampling(grid, pose, parts)[0].points()
    inside = lesion.distance(points, TIME_Y) < 0
    chi = np.where(inside, lesion.chi_ppb(points, TIME_Y), 0) * np.float32(1e-3)
    return Visit(
        averaged(chi.astype(np.float32), parts),
        averaged(inside.astype(np.float32), parts),
        grid,
        AffineTransform(pose),
    )


def drawn(rng: np.random.Generator, *, rim: bool) -> Lesion:
    """Draw a lesion of at least 3.5 mm radius."""
    size = rng.uniform(4.2, 6.0) if rim else rng.uniform(3.5, 5.0)
    a, b, c = np.maximum(size * rng.uniform(0.87, 1.15, 3), 3.5)
    height = float(rng.uniform(18, 25)) if rim else 0.0
    course = RIM_COURSE if rim else NO_RIM_COURSE
    rim_mm = float(rng.uniform(1.0, 1.5))
    return Lesion(1, (0.0, 0.0, 0.0), (float(a), float(b), float(c)), height, rim_mm, False, course, 0.0)


def followed(rng: np.random.Generator, *, rim: bool) -> Followed:
    """Scan a lesion twice, the head turned by up to five degrees and shifted by parts of a voxel in between."""
    lesion = drawn(rng, rim=rim)
    pose = np.eye(4)
    axis = rng.standard_normal(3)
    turn = Rotation.from_rotvec(np.radians(rng.uniform(1, 5)) * axis / np.linalg.norm(axis))
    pose[:3, :3], pose[:3, 3] = turn.as_matrix(), rng.uniform(-1.5, 1.5, 3)
    baseline = visit(lesion, np.eye(4), rng.uniform(-0.5, 0.5, 3))
    return Followed(rim, baseline.share >= 0.5, baseline, visit(lesion, pose, rng.uniform(-0.5, 0.5, 3)))


@pytest.fixture(scope="session")
def lesions() -> tuple[Followed, ...]:
    """Six lesions with a rim and six without."""
    rng = np.random.default_rng(1)
    return tuple(followed(rng, rim=number % 2 == 0) for number in range(12))
