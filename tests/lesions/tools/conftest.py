"""Grids and shapes to draw on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

Solid = Callable[..., np.ndarray]
SLABS_MM = (0.75, 0.75, 3.0)


@pytest.fixture(params=[(1.0, 1.0, 1.0), *sorted(set(permutations(SLABS_MM)))], ids=str)
def voxel_size_mm(request) -> tuple[float, float, float]:
    """Cubes, and slabs along each of the axes."""
    return request.param


@pytest.fixture(scope="session")
def ellipsoid() -> Solid:
    """Voxels whose centres lie in an ellipsoid: ``ellipsoid(shape, voxel_size_mm, centre, radii_mm)``."""

    def solid(shape, voxel_size_mm, centre, radii_mm):
        index = np.indices(shape, dtype=float)
        scaled = [
            (along - at) * size / radius
            for along, at, size, radius in zip(index, centre, voxel_size_mm, np.broadcast_to(radii_mm, 3), strict=True)
        ]
        return sum(part**2 for part in scaled) <= 1

    return solid


@pytest.fixture(scope="session")
def dice() -> Callable[[np.ndarray, np.ndarray], float]:
    """Overlap of two masks."""
    return lambda a, b: 2 * float(np.count_nonzero(a & b)) / float(np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture(scope="session")
def painted() -> Callable[..., np.ndarray]:
    """Mask of a flat index: ``painted(shape, index)``; the index must be sorted, without repeats, and int64."""

    def mask(shape, index):
        assert index.dtype == np.int64
        assert np.all(np.diff(index) > 0)
        out = np.zeros(shape, bool)
        out.ravel()[index] = True
        return out

    return mask
