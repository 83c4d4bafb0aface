"""A map and its mask on another grid."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.model.resampling.masked_map import resample_map
from napari_msqsm.model.transform import AffineTransform

THICK, ISOTROPIC = ((36, 36, 16), (1.0, 1.0, 3.0)), ((36, 36, 44), (1.0, 1.0, 1.0))


@pytest.fixture
def brain(make_grid, positions):
    """A map of 1 in a ball, garbage outside."""
    grid = make_grid(*THICK)
    mask = np.linalg.norm(positions(grid), axis=-1) < 14
    return np.where(mask, 1.0, 50.0).astype(np.float32), mask, grid


@pytest.mark.parametrize(("shape", "voxel"), [THICK, ISOTROPIC])
@pytest.mark.parametrize("interpolation", ["lanczos", "linear"])
def test_every_voxel_of_the_mask_has_a_value_of_the_map(brain, make_grid, make_rigid, shape, voxel, interpolation):
    values, mask, grid = brain
    onto = make_grid(shape, voxel, turn_deg=(4, -3, 2))
    carried, inside = resample_map(values, mask, grid, onto, make_rigid(), interpolation=interpolation)
    np.testing.assert_allclose(carried[inside], 1.0, rtol=1e-5)
    assert not carried[~inside].any()
    assert inside.sum() * onto.voxel_volume_mm3 == pytest.approx(mask.sum() * grid.voxel_volume_mm3, rel=0.02)


def test_the_same_grid_changes_nothing(brain):
    values, mask, grid = brain
    carried, inside = resample_map(values, mask, grid, grid, AffineTransform.identity())
    assert np.array_equal(inside, mask)
    np.testing.assert_allclose(carried, np.where(mask, values, 0), atol=1e-6)


def test_a_map_that_holds_everywhere_ends_where_its_image_ends(make_grid):
    grid, onto = make_grid((8, 8, 8), (2.0, 2.0, 2.0)), make_grid((20, 20, 20), (1.0, 1.0, 1.0))
    everywhere = np.ones(grid.shape, bool)
    carried, inside = resample_map(
        np.ones(grid.shape, np.float32), everywhere, grid, onto, AffineTransform.identity(), interpolation="cubic"
    )
    assert inside[2:18, 2:18, 2:18].all()
    assert inside.sum() == 16**3
    np.testing.assert_allclose(carried[inside], 1.0, rtol=1e-5)


def test_an_empty_mask_is_refused(brain):
    values, mask, grid = brain
    with pytest.raises(InputError, match="empty"):
        resample_map(values, np.zeros_like(mask), grid, grid, AffineTransform.identity())
