"""Comparison pictures."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.workflow.inspect_pair.compare import (
    as_brightness,
    brightness_range,
    checkerboard,
    edges,
    grey_levels_of,
)


def test_brightness_leaves_out_the_empty_and_the_extreme():
    values = np.concatenate([np.zeros(5000), np.linspace(10.0, 110.0, 1000), [1e6, np.nan]])
    low, high = brightness_range(values)
    assert 10.0 <= low < 12.0
    assert 108.0 < high <= 110.0
    shown = as_brightness(np.array([0.0, low, (low + high) / 2, 1e6, np.nan]), (low, high))
    np.testing.assert_allclose(shown, [0, 0, 0.5, 1, 0], atol=1e-6)
    assert shown.dtype == np.float32


@pytest.mark.parametrize("values", [np.zeros(4), np.full(4, np.nan)])
def test_an_empty_image_has_a_brightness_too(values):
    assert brightness_range(values) == (0.0, 1.0)


def test_a_uniform_image_is_not_divided_by_nothing():
    assert np.all(np.isfinite(as_brightness(np.full(3, 7.0), brightness_range(np.full(3, 7.0)))))


def test_squares_change_where_a_multiple_is_passed():
    board = checkerboard(np.zeros((4, 6)), np.ones((4, 6)), ([0.0, 5.0, 10.0, 15.0], np.arange(-10.0, 20.0, 5.0)), 10.0)
    np.testing.assert_array_equal(
        board,
        [[1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0]],
    )


def test_a_plane_of_a_board_is_a_board_of_the_volume():
    first, second = np.zeros((5, 6, 7)), np.ones((5, 6, 7))
    where = (np.arange(5.0), np.arange(6.0), np.arange(7.0))
    whole = checkerboard(first, second, where, 2.0)
    plane = checkerboard(first[3:4], second[3:4], (where[0][3:4], *where[1:]), 2.0)
    np.testing.assert_array_equal(plane, whole[3:4])


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0), (0.5, 2.0)])
def test_the_outline_of_a_disc_lies_on_its_rim(spacing_mm):
    n = [round(80.0 / spacing) for spacing in spacing_mm]
    y, x = np.meshgrid(*((np.arange(k) - k // 2) * s for k, s in zip(n, spacing_mm, strict=True)), indexing="ij")
    radius = np.hypot(x, y)
    found = edges(1.0 / (1.0 + np.exp((radius - 25.0) / 0.5)), spacing_mm, blur_mm=1.5)
    strong = found > 0.5 * found.max()
    assert np.abs(radius[strong] - 25.0).max() < max(spacing_mm)
    # Slope of a step after Gaussian blur; the step itself has a width of its own
    assert found.max() == pytest.approx(1 / (np.sqrt(2 * np.pi) * np.hypot(1.5, 0.5 * np.pi / np.sqrt(3))), rel=0.1)
    angles = np.degrees(np.arctan2(y, x))[strong]
    assert np.histogram(angles, bins=36, range=(-180, 180))[0].min() > 0  # closed
    assert strong.sum() < 3 * 2 * np.pi * 25.0 / min(spacing_mm)  # thin


def test_outlines_of_a_plane_keep_its_shape_and_those_of_a_voxel_are_nothing():
    plane = np.zeros((1, 20, 30))
    plane[:, :, 15:] = 1.0
    found = edges(plane, (3.0, 1.0, 1.0))
    assert found.shape == plane.shape
    assert set(np.nonzero(found[0])[1]) <= {14, 15}
    assert not edges(np.ones((1, 1, 1)), (1.0, 1.0, 1.0)).any()


def test_grey_levels_of_another_contrast_are_learnt():
    tissue = np.random.default_rng(0).integers(0, 4, (40, 40, 20))
    fixed = np.array([0.0, 100.0, 60.0, 30.0])[tissue]
    moving = np.array([0.0, 200.0, 400.0, 900.0])[tissue]
    levels = grey_levels_of(fixed, moving)
    shown = (tissue > 0) & np.isfinite(moving)
    np.testing.assert_allclose(levels.apply(moving)[shown], fixed[shown], atol=1e-4)
    assert np.abs(levels.difference(fixed, moving)).max() < 1e-5
    darker = levels.difference(fixed, np.full_like(moving, 900.0))
    assert darker[tissue == 1].mean() == pytest.approx(70.0 / (levels.fixed_range[1] - levels.fixed_range[0]), rel=1e-5)


def test_what_moved_shows_in_the_difference():
    rng = np.random.default_rng(1)
    fixed = 100.0 + np.cumsum(rng.normal(size=(60, 60)), axis=0)
    levels = grey_levels_of(fixed, 2.0 * fixed + 5.0)
    still = np.abs(levels.difference(fixed, 2.0 * fixed + 5.0)).mean()
    moved = np.abs(levels.difference(fixed, 2.0 * np.roll(fixed, 6, axis=0) + 5.0)).mean()
    assert moved > 4 * still


def test_outside_the_moving_image_there_is_no_difference():
    fixed = np.random.default_rng(2).random((30, 30))
    moving = fixed.copy()
    moving[:5] = np.nan
    out = grey_levels_of(fixed, moving).difference(fixed, moving)
    assert np.all(np.isnan(out[:5]))
    assert np.all(np.isfinite(out[5:]))


def test_images_that_do_not_overlap_do_not_break_the_view():
    levels = grey_levels_of(np.ones((5, 5)), np.full((5, 5), np.nan))
    assert np.all(np.isnan(levels.difference(np.ones((5, 5)), np.full((5, 5), np.nan))))
