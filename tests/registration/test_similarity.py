"""Similarities of two images: values, and gradients against finite differences."""

from __future__ import annotations

import array_api_compat.numpy as xnp
import numpy as np
import pytest

from napari_msqsm.registration.local_correlation import LocalCorrelation
from napari_msqsm.registration.lookup import SampledImage
from napari_msqsm.registration.mutual_information import MutualInformation, normalised_mutual_information
from napari_msqsm.registration.pair import Pair as RealPair
from napari_msqsm.registration.pair import Side
from napari_msqsm.registration.pyramid import LevelImage
from napari_msqsm.registration.sampling import SamplePoints

SHAPE = (15, 18, 13)
TURNED = np.array(
    [[0.995, -0.08, 0.05, 1.1], [0.081, 0.996, -0.02, -0.7], [-0.048, 0.024, 0.998, 0.4], [0.0, 0.0, 0.0, 1.0]]
)


class HandMadePair(RealPair):
    """Pair of given sides."""

    def __init__(self, *sides):
        self.sides = tuple(sides)


def blobs(phase):
    x, y, z = np.meshgrid(*(np.linspace(0, 1, n) for n in SHAPE), indexing="ij")
    return 0.5 + 0.22 * np.sin(5 * x + phase) * np.cos(6 * y) + 0.2 * np.sin(4 * z - phase * y)


def level_image(case, array, step_mm):
    affine = np.diag([*step_mm, 1.0])
    affine[:3, 3] = -np.array(step_mm) * (np.array(SHAPE) - 1) / 2
    return LevelImage(case.asarray(array, "float64"), affine)


def points_of(case, image, array, *, thick, seed):
    """Points off the voxel grid, on slices along z when thick, in double precision."""
    rng = np.random.default_rng(seed)
    voxel = rng.uniform(3, np.array(SHAPE) - 4, (500, 3))
    if thick:
        voxel[:, 2] = np.floor(voxel[:, 2])
    at = voxel @ image.affine[:3, :3].T + image.affine[:3, 3]
    value = 0.02 + 0.96 * array[tuple(np.floor(voxel).astype(int).T)]
    centre = at.mean(0)
    return SamplePoints(
        at_mm=tuple(case.asarray(column, "float64") for column in (at - centre).T),
        centre_mm=tuple(float(c) for c in centre),
        value=case.asarray(value, "float64"),
        weight=case.asarray(rng.uniform(0.5, 1.5, len(at)), "float64"),
        slice_mm=(0.0, 0.0, float(image.affine[2, 2])) if thick else None,
    )


def pair_of(case, *, thick):
    one, other = blobs(0.3), 1 - blobs(0.5) ** 2
    fixed = level_image(case, one, (2.0, 2.0, 5.0 if thick else 2.5))
    moving = level_image(case, other, (2.1, 1.9, 2.2))
    onward = SampledImage(
        points_of(case, fixed, one, thick=thick, seed=1), moving, offsets=(-1 / 3, 0.0, 1 / 3) if thick else (0.0,)
    )
    back = SampledImage(points_of(case, moving, other, thick=False, seed=2), fixed, offsets=(0.0,))
    return HandMadePair(Side(onward, True), Side(back, False))


def measures(pair):
    return {
        "information": MutualInformation(pair, n_bins=16, least_overlap=0.1),
        "correlation": LocalCorrelation(pair, block_mm=11.0),
    }


@pytest.mark.parametrize("name", ["information", "correlation"])
@pytest.mark.parametrize("thick", [False, True])
def test_gradient_is_that_of_the_value(xp_case, name, thick):
    measure = measures(pair_of(xp_case, thick=thick))[name]
    value, gradient = measure.value_and_gradient(TURNED)
    assert value == pytest.approx(measure.value(TURNED), rel=1e-12)
    numeric = np.zeros((3, 4))
    for row in range(3):
        for column in range(4):
            step = np.zeros((4, 4))
            step[row, column] = 1e-7
            numeric[row, column] = (measure.value(TURNED + step) - measure.value(TURNED - step)) / 2e-7
    assert np.abs(numeric).max() > 1e-3
    np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-5 * np.abs(numeric).max())


def test_the_two_directions_have_one_value():
    class Case:
        asarray = staticmethod(lambda array, dtype: np.array(array, dtype=dtype))

    pair = pair_of(Case, thick=False)
    swapped = HandMadePair(*(Side(side.image, not side.onward) for side in pair.sides))
    for name, measure in measures(pair).items():
        assert measures(swapped)[name].value(np.linalg.inv(TURNED)) == pytest.approx(measure.value(TURNED), rel=1e-9)


def test_information_is_1_without_and_2_with_full_knowledge():
    independent = np.outer([0.2, 0.3, 0.5], [0.6, 0.4])
    assert normalised_mutual_information(xnp.asarray(independent))[0] == pytest.approx(1.0, abs=1e-6)
    assert normalised_mutual_information(xnp.asarray(np.diag([3.0, 2.0, 5.0])))[0] == pytest.approx(2.0, abs=1e-6)


def test_information_by_hand():
    joint = np.array([[4.0, 1.0], [1.0, 2.0]])
    p = joint / 8
    h = lambda q: -np.sum(q * np.log(q))  # noqa: E731
    expected = (h(p.sum(0)) + h(p.sum(1))) / h(p)
    assert normalised_mutual_information(xnp.asarray(joint))[0] == pytest.approx(expected, rel=1e-9)


def test_correlation_does_not_care_for_brightness_and_sign_of_blocks():
    class Case:
        asarray = staticmethod(lambda array, dtype: np.array(array, dtype=dtype))

    array = blobs(0.3)
    image = level_image(Case, array, (2.0, 2.0, 2.0))
    points = points_of(Case, image, array, thick=False, seed=3)
    x, y, z = (u + c for u, c in zip(points.at_mm, points.centre_mm, strict=True))
    index = [u / 2 + (n - 1) / 2 for u, n in zip((x, y, z), SHAPE, strict=True)]
    from scipy import ndimage

    value = ndimage.map_coordinates(array, index, order=1)
    same = SamplePoints(points.at_mm, points.centre_mm, 0.9 - 0.8 * value, points.weight, None)
    pair = HandMadePair(Side(SampledImage(same, image, offsets=(0.0,)), True))
    assert LocalCorrelation(pair, block_mm=12.0).value(np.eye(4)) > 0.9
    noise = SamplePoints(
        points.at_mm, points.centre_mm, np.random.default_rng(0).random(len(value)), points.weight, None
    )
    pair = HandMadePair(Side(SampledImage(noise, image, offsets=(0.0,)), True))
    assert LocalCorrelation(pair, block_mm=12.0).value(np.eye(4)) < 0.2


def test_nothing_in_common_has_no_similarity(xp_case):
    pair = pair_of(xp_case, thick=False)
    far = TURNED.copy()
    far[0, 3] = 500.0
    for measure in measures(pair).values():
        value, gradient = measure.value_and_gradient(far)
        assert value == 0.0
        assert not np.any(gradient)
