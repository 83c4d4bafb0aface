"""Adaptive brush."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.lesions.tools.adaptive import adaptive_voxels, local_model, within_range
from napari_msqsm.lesions.tools.brush import brush_voxels

SHAPE, SIZE = (60, 64, 14), (0.75, 0.75, 3.0)


@pytest.fixture
def lesion(ellipsoid):
    return ellipsoid(SHAPE, SIZE, (30, 32, 7), (6, 7, 9))


def _image(lesion, inside, outside=100.0, noise=6.0, seed=1):
    rng = np.random.default_rng(seed)
    return (np.where(lesion, inside, outside) + noise * rng.standard_normal(SHAPE)).astype(np.float32)


@pytest.mark.parametrize("inside", [160.0, 40.0])
@pytest.mark.parametrize("axis", [0, 1, 2, None])
def test_one_dab_over_the_edge_paints_the_lesion_only(inside, axis, lesion, painted, dice):
    image, labels = _image(lesion, inside), np.zeros(SHAPE, np.uint16)
    at = (30, 32, 7)
    found = painted(SHAPE, adaptive_voxels(image, labels, 1, SIZE, at, radius_mm=11, axis=axis))
    brush = painted(SHAPE, brush_voxels(SHAPE, SIZE, at, radius_mm=11, axis=axis))
    assert np.count_nonzero(brush) > 1.2 * np.count_nonzero(brush & lesion)
    assert dice(found, brush & lesion) > 0.97


def test_a_stroke_learns_from_what_it_painted(lesion, painted, dice):
    """Its later pieces start outside the lesion, and still paint lesion."""
    image, labels = _image(lesion, 160.0), np.zeros(SHAPE, np.uint16)
    way = [(30, 32, 7), (34, 32, 7), (38, 34, 7), (40, 37, 7), (38, 41, 7), (30, 44, 7), (24, 40, 7), (21, 32, 7)]
    for start, end in pairwise(way):
        index = adaptive_voxels(image, labels, 1, SIZE, start, end, radius_mm=4, axis=2)
        labels.ravel()[index] = 1
    brush = np.zeros(SHAPE, bool)
    for start, end in pairwise(way):
        brush |= painted(SHAPE, brush_voxels(SHAPE, SIZE, start, end, radius_mm=4, axis=2))
    assert not image[38, 41, 7] > 140
    assert dice(labels == 1, brush & lesion) > 0.96


def test_beside_fluid_the_limit_is_that_of_the_nearest_tissue(painted, dice):
    """White matter at 100, fluid at 10, lesion at 160 between them: half-way to the median of both takes all."""
    x = np.indices(SHAPE)[0]
    lesion = (x >= 26) & (x < 33) & (np.indices(SHAPE)[1] > 20) & (np.indices(SHAPE)[1] < 44)
    image = _image(lesion, 160.0)
    image[:26] -= 90
    model = local_model(image, np.zeros(SHAPE, np.uint16), 1, SIZE, (29, 32, 7), radius_mm=6, axis=2)
    assert model is not None
    assert model.low == pytest.approx(130, abs=6)
    assert model.high == np.inf
    found = adaptive_voxels(image, np.zeros(SHAPE, np.uint16), 1, SIZE, (29, 32, 7), radius_mm=6, axis=2)
    brush = painted(SHAPE, brush_voxels(SHAPE, SIZE, (29, 32, 7), radius_mm=6, axis=2))
    assert dice(painted(SHAPE, found), brush & lesion) > 0.97


def test_a_rim_is_painted_along_without_its_core(painted, dice, ellipsoid):
    """A rim of 2 voxels, +20 ppb on lesion and white matter with 4 ppb of noise."""
    outer, inner = (ellipsoid(SHAPE, SIZE, (30, 32, 7), radius) for radius in (9.0, 7.4))
    rng = np.random.default_rng(3)
    chi = (20 * (outer & ~inner) + 4 * inner + 4 * rng.standard_normal(SHAPE)).astype(np.float32)
    labels = np.zeros(SHAPE, np.uint16)
    turn = np.linspace(0, 2 * np.pi, 40)
    way = np.stack([30 + 8.2 / 0.75 * np.cos(turn), 32 + 8.2 / 0.75 * np.sin(turn), np.full(40, 7)], axis=1)
    for start, end in pairwise(way):
        labels.ravel()[adaptive_voxels(chi, labels, 2, SIZE, start, end, radius_mm=2.5, axis=2)] = 2
    rim = (outer & ~inner) & (np.indices(SHAPE)[2] == 7)
    assert dice(labels == 2, rim) > 0.9


def test_in_the_middle_of_a_large_lesion_all_of_the_brush_is_painted(painted):
    image = _image(np.ones(SHAPE, bool), 160.0)
    labels = np.zeros(SHAPE, np.uint16)
    found = adaptive_voxels(image, labels, 1, SIZE, (30, 32, 7), radius_mm=4, axis=2)
    assert found.size > 0.97 * brush_voxels(SHAPE, SIZE, (30, 32, 7), radius_mm=4, axis=2).size


def test_another_piece_of_the_same_intensity_is_not_connected(lesion, painted):
    image, labels = _image(lesion, 160.0), np.zeros(SHAPE, np.uint16)
    image[42:44, 30:34, 7] = 160
    found = painted(SHAPE, adaptive_voxels(image, labels, 1, SIZE, (34, 32, 7), radius_mm=8, axis=2))
    assert found[36, 32, 7]
    assert not found[42:44, 30:34, 7].any()


def test_other_lesions_are_neither_painted_nor_learnt_from(lesion, painted):
    image, labels = _image(lesion, 160.0), np.zeros(SHAPE, np.uint16)
    labels[30:, :, :][lesion[30:]] = 9
    found = painted(SHAPE, adaptive_voxels(image, labels, 1, SIZE, (27, 32, 7), radius_mm=7, axis=2))
    assert found[26:29, 32, 7].all()
    assert not found[labels == 9].any()
    assert not found[~lesion].sum() > 3


def test_values_that_are_no_numbers_are_never_painted(lesion, painted):
    image, labels = _image(lesion, 160.0), np.zeros(SHAPE, np.uint16)
    image[31, 32, 7] = np.nan
    found = painted(SHAPE, adaptive_voxels(image, labels, 1, SIZE, (30, 32, 7), radius_mm=5, axis=2))
    assert found[30, 32, 7]
    assert not found[31, 32, 7]
    assert local_model(np.full(SHAPE, np.nan), labels, 1, SIZE, (30, 32, 7), radius_mm=5) is None
    assert adaptive_voxels(np.full(SHAPE, np.nan), labels, 1, SIZE, (30, 32, 7), radius_mm=5).size == 0
    assert adaptive_voxels(image, labels, 1, SIZE, (30, 32, 700), radius_mm=5).size == 0


def test_whole_numbers_are_an_image_too(lesion, painted, dice):
    image = np.clip(_image(lesion, 160.0), 0, 255).astype(np.uint8)
    labels = np.zeros(SHAPE, np.uint16)
    found = painted(SHAPE, adaptive_voxels(image, labels, 1, SIZE, (30, 32, 7), radius_mm=11, axis=2))
    assert dice(found, lesion & (np.indices(SHAPE)[2] == 7)) > 0.97


def test_a_range_of_intensities():
    image = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    image[0, 0, 1] = np.nan
    index = np.array([0, 1, 5, 9, 20])
    assert within_range(image, index, low=1, high=9).tolist() == [5, 9]
    assert within_range(image, index, low=-np.inf, high=np.inf).tolist() == [0, 5, 9, 20]
    with pytest.raises(ParameterError, match="above the upper one"):
        within_range(image, index, low=3, high=2)


def test_an_image_on_another_grid_is_refused():
    with pytest.raises(ShapeMismatchError, match="shape"):
        adaptive_voxels(np.zeros((3, 3, 3)), np.zeros((3, 3, 4), np.uint16), 1, (1, 1, 1), (1, 1, 1), radius_mm=1)


def test_a_large_brush_is_quick():
    rng = np.random.default_rng(0)
    image, labels = rng.standard_normal((240, 256, 60)).astype(np.float32), np.zeros((240, 256, 60), np.uint16)
    began = time.process_time()
    adaptive_voxels(image, labels, 1, (1, 1, 1), (100, 100, 30), (104, 103, 30), radius_mm=12)
    assert time.process_time() - began < 0.1
