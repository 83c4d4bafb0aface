"""A round head with a fissure, ventricles, cortex and lesions, on grids that lie at an angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_msqsm.model.grid import Grid


@dataclass(frozen=True)
class Head:
    """Tissue of a head: 0 outside, 1 fluid, 2 grey, 3 white; (X, Y, Z) on its grid; and the way to its right."""

    tissue: np.ndarray[Any, Any]
    grid: Grid
    right: np.ndarray[Any, Any]
    centre: np.ndarray[Any, Any]

    @property
    def brain(self):
        return self.tissue > 0

    @property
    def white(self):
        return self.tissue == 3

    def image(self, levels, rng, noise=0.02, shading=0.3):
        """Grey levels (fluid, grey, white) with shading and noise."""
        shape = self.grid.shape
        ramp = sum(
            np.linspace(-1, 1, n).reshape([-1 if a == axis else 1 for a in range(3)]) for axis, n in enumerate(shape)
        )
        clean = np.array([0.0, *levels])[self.tissue]
        blurred = ndimage.gaussian_filter(clean, 0.4)
        return (blurred * (1 + shading * ramp / 3) + noise * rng.standard_normal(shape)).astype(np.float32)


def make_head(voxel_mm=(1.5, 1.5, 3.0), turn_deg=(0.0, 0.0, 0.0), shift_mm=(0.0, 0.0, 0.0), shape=None) -> Head:
    shape = shape or tuple(int(np.ceil(length / step)) for length, step in zip((110, 130, 100), voxel_mm, strict=True))
    affine = np.diag([*voxel_mm, 1.0])
    affine[:3, 3] = -np.array(voxel_mm) * (np.array(shape) - 1) / 2
    grid = Grid(shape, affine)
    turn = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    index = np.indices(shape).reshape(3, -1)
    at = affine[:3, :3] @ index + affine[:3, 3:] - np.array(shift_mm)[:, None]
    x, y, z = (turn.T @ at).reshape(3, *shape)
    radius = np.sqrt((x / 46) ** 2 + (y / 56) ** 2 + ((z + 0.1 * y) / 40) ** 2)
    tissue = np.where(radius < 1, 1, 0)
    fissure = (np.abs(x) < 1.5) & (z > 12)
    tissue[(radius < 0.96) & ~fissure] = 2
    folded = radius + 0.03 * np.sin(y / 4) * np.sin(z / 5)
    tissue[(folded < 0.88) & ~((np.abs(x) < 4.5) & (z > 9))] = 3
    ventricle = (np.abs(np.abs(x) - 8) < 5) & (np.abs(y) < 22) & (np.abs(z) < 6)
    tissue[ventricle] = 1
    return Head(tissue.astype(np.uint8), grid, turn[:, 0], np.array(shift_mm))


@pytest.fixture(scope="session")
def head() -> Head:
    return make_head()


@pytest.fixture
def head_turned():
    return make_head
