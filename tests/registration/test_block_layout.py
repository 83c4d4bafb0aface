from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.registration.host.block_layout import block_layout, eroded, inner_head, on_lattice


def test_blocks_tile_the_region_without_overlap():
    region = np.zeros((13, 12, 9), bool)
    region[1:11, :, :] = True
    layout = block_layout(region, (2.0, 2.0, 3.0), 8.0)
    used = layout.index[layout.weight > 0]
    assert len(np.unique(used)) == len(used)
    assert region.reshape(-1)[used].all()
    assert layout.index.shape[1] == 4 * 4 * 3
    inside = np.unravel_index(layout.index, region.shape)[0]
    for block in range(len(layout.index)):
        counted = layout.weight[block] > 0
        assert layout.voxel[block, 0] == pytest.approx(inside[block][counted].mean())


def test_blocks_that_lie_mostly_outside_are_left_out():
    region = np.zeros((8, 8, 8), bool)
    region[:4] = True
    region[4, 0, 0] = True
    assert len(block_layout(region, (2.0, 2.0, 2.0), 8.0).index) == 4


def test_a_mask_is_looked_up_where_the_lattice_has_its_voxels():
    mask = np.arange(10 * 9 * 8).reshape(10, 9, 8) % 7 == 0
    affine = np.array([[0, -0.8, 0, 5.0], [0.7, 0, 0, -3.0], [0, 0, 2.0, 1.0], [0, 0, 0, 1.0]])
    coarse = affine @ np.array([[3, 0, 0, 1], [0, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    np.testing.assert_array_equal(on_lattice(mask, affine, (3, 4, 8), coarse), mask[1::3, 0:8:2, :])


def test_depth_is_in_mm():
    region = np.ones((20, 20, 20), bool)
    region[0], region[-1] = False, False
    assert np.flatnonzero(eroded(region, (2.0, 1.0, 1.0), 4.0)[:, 10, 10]).tolist() == list(range(3, 17))


def test_the_inner_head_of_a_slab_reaches_its_first_and_last_slice():
    x, y = np.ogrid[-30:31, -30:31]
    slab = np.repeat(((x**2 + y**2) < 26**2)[..., None], 8, axis=2).astype(np.float32)
    slab[28:32, 28:32, 2:6] = 0  # a dark ventricle belongs to the head
    inner = inner_head(slab, 0.5, (2.0, 2.0, 3.0), 12.0)
    assert inner[30, 30].all()
    assert not inner[30, 6].any()
    assert inner[30, 14].all()
