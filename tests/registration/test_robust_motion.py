from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.host.robust_motion import robust_motion


@pytest.fixture
def blocks():
    """Positions, and a curvature of each that is nothing along one random edge."""
    rng = np.random.default_rng(3)
    at = rng.uniform(-60, 60, (300, 3)) + np.array((5.0, -20.0, 10.0))
    normal = rng.normal(size=(300, 2, 3))
    return at, 100.0 * np.einsum("bni,bnj->bij", normal, normal)


def slope_of(at, curvature, matrix):
    return np.einsum("bij,bj->bi", curvature, at @ (matrix[:3, :3] - np.eye(3)).T + matrix[:3, 3])


def rigid(turn_deg, shift_mm):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.radians(turn_deg))
    matrix[:3, 3] = shift_mm
    return matrix


def test_a_motion_is_found_from_blocks_that_each_see_a_part_of_it(blocks):
    at, curvature = blocks
    true = rigid((0.02, -0.03, 0.01), (0.4, -0.2, 0.3))
    found = robust_motion(at, curvature, slope_of(at, curvature, true), np.ones(300, bool))
    np.testing.assert_allclose(found.matrix, true, atol=2e-3)
    assert found.stretch.tolist() == [0, 0, 0]


def test_a_third_of_the_blocks_may_say_anything(blocks):
    at, curvature = blocks
    rng = np.random.default_rng(4)
    true = rigid((0.0, 0.05, 0.0), (0.0, 1.0, 0.0))
    slope = slope_of(at, curvature, true) + rng.normal(0, 3, (300, 3))
    slope[:100] = np.einsum("bij,bj->bi", curvature[:100], rng.uniform(-4, 4, (100, 3)))
    found = robust_motion(at, curvature, slope, np.ones(300, bool))
    apart = np.linalg.norm(at @ (found.matrix - true)[:3, :3].T + (found.matrix - true)[:3, 3], axis=1)
    assert apart.max() < 0.1
    assert found.weight[:100].mean() < 0.4
    assert found.weight[100:].mean() > 0.7


def test_blocks_that_do_not_count_have_no_say(blocks):
    at, curvature = blocks
    true = rigid((0.0, 0.0, 0.0), (0.0, 0.5, 0.0))
    slope = slope_of(at, curvature, true)
    slope[::2] = 1e6
    usable = np.arange(300) % 2 == 1
    found = robust_motion(at, curvature, slope, usable)
    np.testing.assert_allclose(found.matrix, true, atol=1e-6)
    assert not found.weight[::2].any()


def test_a_stretch_is_told_from_a_motion_and_comes_with_its_error(blocks):
    at, curvature = blocks
    rng = np.random.default_rng(5)
    true = np.diag([1.003, 0.992, 1.0, 1.0])
    slope = slope_of(at, curvature, true) + np.einsum(
        "bij,bj->bi", np.linalg.cholesky(curvature + 1e-6 * np.eye(3)), rng.normal(size=(300, 3))
    )
    found = robust_motion(at, curvature, slope, np.ones(300, bool), stretch=True)
    np.testing.assert_allclose(found.stretch, (0.003, -0.008, 0.0), atol=4 * found.stretch_sd.max())
    assert 0 < found.stretch_sd.max() < 0.002
