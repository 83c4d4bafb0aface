from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.qsm.host.csf_mask import CsfMaskSettings, csf_mask

VOXEL = (2.0, 2.5, 3.0)
SHAPE = (61, 58, 40)


@pytest.fixture
def scene(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    brain = (x / 56) ** 2 + (y / 64) ** 2 + (z / 52) ** 2 < 1
    ventricles = (((np.abs(x) - 9) / 6) ** 2 + (y / 22) ** 2 + (z / 10) ** 2 < 1) & brain
    sulci = brain & ((x / 52) ** 2 + (y / 60) ** 2 + (z / 48) ** 2 > 1)
    cyst = (x - 20) ** 2 + (y + 44) ** 2 + z**2 < 36
    r2star = np.where(ventricles | sulci | cyst, 1.5, 18.0) * np.ones(SHAPE)
    return r2star, brain, ventricles, cyst & brain


def test_ventricles_and_nothing_else(scene):
    r2star, brain, ventricles, cyst = scene
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, ventricles)
    assert not (found & cyst).any()


def test_a_shifted_head(scene):
    r2star, brain, ventricles, _ = scene
    pads = ((9, 0), (0, 7), (3, 0))
    moved = [np.pad(a, pads) for a in (r2star, brain, ventricles)]
    np.testing.assert_array_equal(csf_mask(moved[0], mask=moved[1], voxel_size_mm=VOXEL), moved[2])


def test_one_ventricle_suffices(scene, axes_mm):
    r2star, brain, ventricles, _ = scene
    x, *_ = axes_mm(SHAPE, VOXEL)
    right = (x > 0) & np.ones(SHAPE, bool)
    one = np.where(right & ventricles, 18.0, r2star)
    np.testing.assert_array_equal(csf_mask(one, mask=brain, voxel_size_mm=VOXEL), ventricles & ~right)


def test_specks_are_left_out(scene):
    r2star, brain, ventricles, _ = scene
    r2star[30, 18, 20] = 1.0  # 15 mm³, near the centre
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL)
    np.testing.assert_array_equal(found, ventricles)
    all_parts = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=CsfMaskSettings(least_volume_mm3=0))
    assert all_parts[30, 18, 20]


def test_none_is_an_empty_mask(scene):
    _, brain, *_ = scene
    assert not csf_mask(np.full(SHAPE, 20.0), mask=brain, voxel_size_mm=VOXEL).any()


def test_edge_voxels_that_hold_tissue_are_left_out(scene):
    r2star, brain, ventricles, _ = scene
    rng = np.random.default_rng(2)
    edge = ventricles & ~ndimage.binary_erosion(ventricles)
    r2star = np.where(edge, 4.0, r2star) + rng.normal(0, 0.3, SHAPE)
    signal = np.where(ventricles, np.where(edge, 1.2, 1.0), 2.0) + rng.normal(0, 0.02, SHAPE)
    strict = CsfMaskSettings(most_deviation_sd=3.0)
    whole = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, signal=signal)
    pure = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, signal=signal, settings=strict)
    assert (whole & edge).sum() > 0.99 * edge.sum()
    assert not (pure & edge).any()
    inside = ventricles & ~edge
    assert (pure & inside).sum() > 0.95 * inside.sum()
