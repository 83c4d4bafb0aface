from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import ParameterError
from napari_msqsm.registration.host.rigid_mean import generator, motion_of, rigid_mean

numbers = st.floats(-1, 1, allow_nan=False)


def motion(values, turn=0.6, shift=30.0):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn * np.array(values[:3])).as_matrix()
    matrix[:3, 3] = shift * np.array(values[3:])
    return matrix


motions = st.lists(st.lists(numbers, min_size=6, max_size=6).map(motion), min_size=1, max_size=4)


@given(st.lists(numbers, min_size=6, max_size=6))
def test_a_generator_makes_its_motion_again(values):
    matrix = motion(values, turn=1.7)
    np.testing.assert_allclose(motion_of(generator(matrix)), matrix, atol=1e-9)


def test_the_mean_of_two_is_half_of_the_way():
    whole = motion((0.4, -0.2, 0.9, 0.5, 0.1, -0.3))
    half = rigid_mean([np.eye(4), whole])
    np.testing.assert_allclose(half @ half, whole, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(motions, st.lists(numbers, min_size=6, max_size=6), st.lists(numbers, min_size=6, max_size=6))
def test_the_mean_goes_along_with_a_change_of_either_space(matrices, left, right):
    one, other = motion(left, turn=2.0), motion(right, turn=2.0)
    moved = rigid_mean([one @ matrix @ other for matrix in matrices])
    np.testing.assert_allclose(moved, one @ rigid_mean(matrices) @ other, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(motions)
def test_the_mean_does_not_depend_on_the_order_and_commutes_with_the_inverse(matrices):
    mean = rigid_mean(matrices)
    np.testing.assert_allclose(rigid_mean(matrices[::-1]), mean, atol=1e-7)
    np.testing.assert_allclose(rigid_mean([np.linalg.inv(m) for m in matrices]), np.linalg.inv(mean), atol=1e-7)


def test_refusals():
    with pytest.raises(ParameterError, match="no transforms"):
        rigid_mean([])
    with pytest.raises(ParameterError, match="rigid"):
        rigid_mean([np.diag([1.01, 1, 1, 1])])
