"""Steps of a motion: derivatives, inverses, stretches."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.registration.host.frames import nearest_rotation, rotation
from napari_msqsm.registration.host.motion import Motion
from napari_msqsm.registration.host.optimiser import ascend
from napari_msqsm.registration.host.starts import apart_mm, starting_positions

FIXED = np.array([[-0.75, 0.0, 0.1, 90.0], [0.0, -0.74, 0.4, 110.0], [-0.03, 0.1, 2.97, -60.0], [0.0, 0.0, 0.0, 1.0]])
MOVING = np.array([[0.0, 0.0, 1.0, -80.0], [-1.0, 0.0, 0.0, 120.0], [0.0, 1.0, 0.0, -100.0], [0.0, 0.0, 0.0, 1.0]])
START = np.eye(4)
START[:3, :3] = rotation(np.array([0.2, -0.15, 0.3]))
START[:3, 3] = 5.0, -8.0, 12.0
CENTRE_MM = (3.0, 12.0, -7.0)


def motion_of(model, matrix=START, fixed=FIXED, moving=MOVING):
    rigid = Motion.rigid(matrix, fixed_affine=fixed, moving_affine=moving)
    return Motion.initial(matrix, model, rigid).about(CENTRE_MM)


@pytest.mark.parametrize(("model", "n_parameters"), [("rigid", 6), ("scale9", 9), ("affine", 12)])
def test_derivative_by_the_step(model, n_parameters):
    motion = motion_of(model)
    rng = np.random.default_rng(0)
    by_matrix = rng.standard_normal((3, 4))
    steps = np.eye(n_parameters) * 1e-4
    numeric = [
        np.sum(by_matrix * (motion.stepped(step).matrix - motion.stepped(-step).matrix)[:3]) / 2e-4 for step in steps
    ]
    np.testing.assert_allclose(motion.by_step(by_matrix), numeric, atol=1e-6)


@pytest.mark.parametrize("model", ["rigid", "scale9"])
def test_a_step_of_the_inverse_is_the_inverse_of_a_step(model):
    forward = motion_of(model)
    back = Motion.initial(
        np.linalg.inv(START),
        model,
        Motion.rigid(np.linalg.inv(START), fixed_affine=MOVING, moving_affine=FIXED),
    ).about(forward.image_mm)
    step = np.array([1.0, -2.0, 0.5, 3.0, 2.0, -4.0, 0.6, -0.4, 0.9])[: 6 if model == "rigid" else 9]
    frames = back.moving_axes.T @ np.linalg.inv(forward.linear) @ forward.moving_axes
    same = step.copy()
    same[:3] = -np.linalg.inv(forward.linear) @ step[:3]
    same[3:6] = -frames @ step[3:6]
    if model == "scale9":  # the matching axes of the two images
        order = np.argmax(np.abs(back.moving_axes.T @ forward.fixed_axes), axis=1)
        same[6:] = -step[6:][order]
    np.testing.assert_allclose(
        back.stepped(same).matrix, np.linalg.inv(forward.stepped(step).matrix), atol=1e-9 if model == "rigid" else 2e-2
    )


def test_the_inverse_of_a_stretched_motion_is_one_with_inverse_stretches():
    motion = motion_of("scale9").stepped(np.array([0, 0, 0, 2.0, 1.0, -1.0, 1.5, -0.9, 0.6]))
    back = Motion.initial(
        np.linalg.inv(motion.matrix),
        "scale9",
        Motion.rigid(np.linalg.inv(motion.matrix), fixed_affine=MOVING, moving_affine=FIXED),
    )
    np.testing.assert_allclose(back.matrix, np.linalg.inv(motion.matrix), atol=0.05)
    assert sorted(back.root_stretch**2) == pytest.approx(sorted(1 / motion.root_stretch**2), abs=2e-3)


def test_stretches_are_told_in_the_scanners_order():
    axes = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # voxel axes run along y, z, x
    fixed = np.eye(4)
    fixed[:3, :3] = axes
    motion = motion_of("scale9", np.eye(4), fixed, MOVING)
    step = np.zeros(9)
    step[6] = 60 * np.log(1.02)  # the first voxel axis
    assert motion.stepped(step).axis_scales == pytest.approx((1.0, 1.02, 1.0), abs=1e-9)


@pytest.mark.parametrize("model", ["rigid", "scale9", "affine"])
def test_a_start_is_kept(model):
    np.testing.assert_allclose(motion_of(model).matrix, START, atol=1e-12)
    sheared = START @ np.diag([1.02, 0.97, 1.01, 1.0])
    sheared[0, 1] += 0.03
    kept = motion_of(model, sheared).matrix
    if model == "affine":
        np.testing.assert_allclose(kept, sheared, atol=1e-12)
    if model == "rigid":
        np.testing.assert_allclose(kept[:3, :3] @ kept[:3, :3].T, np.eye(3), atol=1e-12)


def test_an_affine_start_survives_rigid_steps():
    sheared = START @ np.diag([1.02, 0.97, 1.01, 1.0])
    motion = motion_of("affine", sheared).allowing("rigid").stepped(np.array([1.0, 0, 0, 0, 0, 2.0]))
    turned = motion.linear @ np.linalg.inv(sheared[:3, :3])
    np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)


def test_ascent_finds_the_top_of_a_hill():
    truth = motion_of("rigid").stepped(np.array([4.0, -3.0, 2.0, 5.0, -6.0, 3.0])).matrix
    points = np.random.default_rng(1).uniform(-60, 60, (50, 3)) + CENTRE_MM
    ones = np.column_stack([points, np.ones(50)])

    def similarity(matrix):
        miss = ones @ (matrix - truth)[:3].T
        return 2.0 - 1e-4 * float(np.sum(miss**2)) / 50, -2e-4 * miss.T @ ones / 50

    found = ascend(similarity, motion_of("rigid"), first_step_mm=1.0, tolerance_mm=1e-3, max_iter=60)
    assert found.converged
    np.testing.assert_allclose(found.motion.matrix, truth, atol=1e-2)
    stopped = ascend(similarity, motion_of("rigid"), first_step_mm=1.0, tolerance_mm=1e-6, max_iter=2)
    assert not stopped.converged
    assert stopped.iterations == 2


def test_starts_are_closed_under_inversion():
    here, there = (1.0, 20.0, -30.0), (8.0, -5.0, 12.0)
    forward = starting_positions(here, there, turn_deg=30.0, shift_mm=20.0)
    back = starting_positions(there, here, turn_deg=30.0, shift_mm=20.0)
    for start in forward[::17]:
        assert min(np.abs(np.linalg.inv(start) - other).max() for other in back) < 1e-9
    assert len(starting_positions(here, there, turn_deg=0.0, shift_mm=0.0)) == 2


def test_distance_between_maps():
    moved = np.eye(4)
    moved[:3, 3] = 3.0, 4.0, 0.0
    assert apart_mm(np.eye(4), moved, (10.0, 0.0, 0.0)) == pytest.approx(5.0)
    turned = np.eye(4)
    turned[:3, :3] = rotation(np.array([0.0, 0.0, 0.1]))
    assert apart_mm(np.eye(4), turned, (0.0, 0.0, 0.0)) == pytest.approx(6.0, rel=0.01)


def test_nearest_rotation_has_no_mirror():
    assert np.linalg.det(nearest_rotation(np.diag([1.0, 1.0, -0.2]))) == pytest.approx(1.0)
