"""Affine transforms between images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import MetadataError
from napari_msqsm.model.transform import AffineTransform

POINTS = np.random.default_rng(3).uniform(-100, 100, (4, 5, 3))


def affine(turn_deg, scales, shift_mm):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() @ np.diag(scales)
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def transforms():
    numbers = st.floats
    return st.builds(
        affine,
        st.tuples(*[numbers(-180, 180)] * 3),
        st.tuples(*[numbers(0.5, 2)] * 3),
        st.tuples(*[numbers(-100, 100)] * 3),
    )


@given(first=transforms(), then=transforms())
def test_one_after_the_other_is_one_transform(first, then):
    np.testing.assert_allclose(then.after(first).apply(POINTS), then.apply(first.apply(POINTS)), atol=1e-9)


@given(transform=transforms())
def test_inverse_leads_back(transform):
    np.testing.assert_allclose(transform.inverse().apply(transform.apply(POINTS)), POINTS, atol=1e-8)
    assert np.max(transform.inverse().after(transform).distance_mm(AffineTransform.identity(), POINTS)) < 1e-8


@given(turn=st.tuples(*[st.floats(-180, 180)] * 3), scales=st.tuples(*[st.floats(0.5, 2)] * 3))
def test_scales_are_those_along_the_fixed_axes(turn, scales):
    np.testing.assert_allclose(affine(turn, scales, (1, 2, 3)).axis_scales, scales)


def test_distance_of_a_shift_is_the_shift():
    shifted = affine((0, 0, 0), (1, 1, 1), (3, 4, 0))
    distance = shifted.distance_mm(AffineTransform.identity(), POINTS)
    assert distance.shape == POINTS.shape[:-1]
    np.testing.assert_allclose(distance, 5.0)


def test_equal_transforms_hash_alike_and_cannot_be_changed():
    matrix = np.eye(4)
    one, other = AffineTransform(matrix), AffineTransform.identity()
    matrix[0, 3] = 5
    assert one == other
    assert hash(one) == hash(other)
    assert one != affine((0, 0, 0), (1, 1, 1), (0, 0, 1))
    assert one != "identity"
    with pytest.raises(ValueError, match="read-only"):
        one.matrix[0, 0] = 2


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (np.eye(3), "4×4"),
        (np.full((4, 4), np.nan), "finite"),
        (np.diag((1, 1, 0, 1)), "no inverse"),
        (np.diag((1, 1, 1, 2)), "last row"),
    ],
)
def test_impossible_transforms_are_refused(matrix, word):
    with pytest.raises(MetadataError, match=word):
        AffineTransform(matrix)
