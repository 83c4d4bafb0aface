from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.r2star.dephasing import field_change_over_voxel_hz, squared_dephasing

SHAPE = (7, 6, 5)


def plane_hz(slopes):
    axes = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    return sum(slope * axis for slope, axis in zip(slopes, axes, strict=True)).astype(float)


def test_a_plane_has_its_slopes_up_to_the_edge_of_the_mask():
    mask = np.zeros(SHAPE, bool)
    mask[1:6, 1:5, 1:4] = True
    changes = field_change_over_voxel_hz(np.where(mask, plane_hz((3, -2, 5)), 1e6), mask)
    for change, slope in zip(changes, (3, -2, 5), strict=True):
        np.testing.assert_allclose(change[mask], slope, atol=1e-9)


def test_a_lone_voxel_has_no_change():
    mask = np.zeros(SHAPE, bool)
    mask[3, 3, 3] = True
    assert not any(change[mask].any() for change in field_change_over_voxel_hz(plane_hz((3, -2, 5)), mask))


@pytest.mark.parametrize("slopes", [(0, 0, 0), (20, 0, 0), (5, -30, 12)])
def test_factor_is_the_average_over_a_box(slopes):
    time, points = 0.03, (np.arange(40) + 0.5) / 40 - 0.5
    x, y, z = np.meshgrid(points, points, points, indexing="ij")
    phase = 2 * np.pi * time * (slopes[0] * x + slopes[1] * y + slopes[2] * z)
    wanted = abs(np.exp(1j * phase).mean()) ** 2
    found = squared_dephasing([np.full(SHAPE, float(slope)) for slope in slopes], time)
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_every_array_library(xp_case):
    field, mask = plane_hz((3, -2, 5)), np.ones(SHAPE, bool)
    changes = field_change_over_voxel_hz(xp_case.asarray(field, "float32"), xp_case.asarray(mask))
    found = squared_dephasing(changes, 0.02)
    xp_case.check(found, "float32", SHAPE)
    wanted = squared_dephasing(field_change_over_voxel_hz(field, mask), 0.02)
    np.testing.assert_allclose(xp_case.numpy(found), wanted, rtol=1e-4)
