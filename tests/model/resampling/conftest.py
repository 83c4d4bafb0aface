"""Grids and transforms in general position."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform


def grid_of(shape, voxel_mm, *, turn_deg=(0.0, 0.0, 0.0), centre_mm=(0.0, 0.0, 0.0)):
    """Grid about a centre."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() * voxel_mm
    affine[:3, 3] = centre_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def rigid(turn_deg=(3.0, -2.0, 4.0), shift_mm=(0.4, -0.7, 1.1)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def positions_mm(grid):
    """(X, Y, Z, 3) scanner positions of all voxels."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    return index @ grid.affine[:3, :3].T + grid.affine[:3, 3]


@pytest.fixture
def make_grid():
    return grid_of


@pytest.fixture
def make_rigid():
    return rigid


@pytest.fixture
def positions():
    return positions_mm
