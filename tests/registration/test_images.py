"""Levels, shading, interior, points and overlap."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.model.grid import Grid
from napari_msqsm.registration.interior import interior
from napari_msqsm.registration.interpolation import mapped, nearest, trilinear
from napari_msqsm.registration.levels import centre_of_mass
from napari_msqsm.registration.overlap import part_inside
from napari_msqsm.registration.prepared import prepared, scaled
from napari_msqsm.registration.pyramid import LevelImage, at_level, smoothed
from napari_msqsm.registration.sampling import sample_points, thick_axis
from napari_msqsm.registration.shading import without_shading

OBLIQUE = np.array([[0.8, 0.1, 0.0, -20.0], [-0.1, 0.8, 0.0, 5.0], [0.0, 0.0, 2.5, -30.0], [0.0, 0.0, 0.0, 1.0]])


def positions(image):
    index = np.stack(np.meshgrid(*(np.arange(n) for n in image.shape), indexing="ij"), axis=-1)
    return index @ image.affine[:3, :3].T + image.affine[:3, 3]


@pytest.mark.parametrize("shape", [(31, 28, 17), (30, 41, 20)])
@pytest.mark.parametrize("level_mm", [1.0, 2.0, 4.0])
def test_a_ramp_keeps_its_place_at_every_level(xp_case, shape, level_mm):
    fine = LevelImage(None, OBLIQUE)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    ramp = (index @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]) @ np.array([0.3, -0.7, 0.5])
    coarse = at_level(LevelImage(xp_case.asarray(ramp, "float32"), fine.affine), level_mm)
    xp_case.check(coarse.array, "float32")
    inner = tuple(slice(min(3, n // 3), n - min(3, n // 3)) for n in coarse.shape)
    expected = positions(coarse) @ np.array([0.3, -0.7, 0.5])
    np.testing.assert_allclose(xp_case.numpy(coarse.array)[inner], expected[inner], atol=2e-4)
    assert min(coarse.shape) >= 2


def test_smoothing_is_gaussian_and_keeps_constants(xp_case):
    spike = np.zeros((21, 3, 3))
    spike[10] = 1.0
    out = xp_case.numpy(smoothed(xp_case.asarray(spike, "float64"), 0, 2.0))[:, 1, 1]
    assert out.sum() == pytest.approx(1.0)
    assert out[12] / out[10] == pytest.approx(np.exp(-0.5))
    flat = xp_case.asarray(np.full((7, 6, 5), 3.0), "float32")
    np.testing.assert_allclose(xp_case.numpy(smoothed(flat, 1, 40.0, every=2)), 3.0, rtol=1e-5)


def test_interpolation_is_exact_for_linear_images(xp_case):
    x, y, z = np.meshgrid(np.arange(5.0), np.arange(6.0), np.arange(4.0), indexing="ij")
    flat = xp_case.asarray((2 * x - y + 0.5 * z).ravel(), "float64")
    at = np.array([[0.0, 5.0, 3.0], [1.3, 2.7, 0.4], [4.0, 0.0, 3.0], [4.1, 0.0, 0.0], [-0.1, 1.0, 1.0]])
    found = trilinear(flat, (5, 6, 4), tuple(xp_case.asarray(column, "float64") for column in at.T))
    np.testing.assert_allclose(xp_case.numpy(found.value)[:3], at[:3] @ [2, -1, 0.5], atol=1e-12)
    for slope, expected in zip(found.gradient, (2, -1, 0.5), strict=True):
        np.testing.assert_allclose(xp_case.numpy(slope)[:3], expected, atol=1e-12)
    assert xp_case.numpy(found.inside).tolist() == [1, 1, 1, 0, 0]
    rounded = nearest(flat, (5, 6, 4), tuple(xp_case.asarray(column, "float64") for column in at.T))
    assert xp_case.numpy(rounded)[1] == 2 * 1 - 3 + 0
    assert xp_case.numpy(nearest(flat, (5, 6, 4), tuple(xp_case.asarray([-0.6], "float64") for _ in "xyz")))[0] == 0


def test_shading_is_removed_and_air_is_left(heads, xp_case):
    plain = heads.scan("GRE", noise=0.0)
    shaded = heads.scan("GRE", noise=0.0, shading=0.5)
    brain = plain.array > 450

    def spread(array):
        """Of the ratio to the unshaded image, within the brain."""
        return np.std(np.log(array[brain] / plain.array[brain]))

    image = LevelImage(xp_case.asarray(shaded.array / 1000, "float32"), plain.grid.affine)
    out = without_shading(image, at_level(image, 4.0), shading_mm=20.0)
    xp_case.check(out.array, "float32", plain.grid.shape)
    result = xp_case.numpy(out.array)
    assert spread(result) < 0.6 * spread(shaded.array)
    assert result[plain.array < 1].max() < 2e-3


def test_nothing_to_unshade_is_given_back():
    image = LevelImage(np.full((8, 8, 8), 0.01, dtype=np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
    np.testing.assert_array_equal(without_shading(image, image, shading_mm=14.0).array, image.array)


def test_interior_is_deep_and_goes_on_beyond_the_image(xp_case):
    array = np.zeros((20, 20, 20))
    array[4:16, 4:16, :] = 1.0
    inside = interior(
        LevelImage(xp_case.asarray(array, "float32"), np.diag([4.0, 4.0, 4.0, 1.0])), head_level=0.5, depth_mm=8.0
    )
    expected = np.zeros_like(array)
    expected[6:14, 6:14, :] = 1.0
    np.testing.assert_array_equal(xp_case.numpy(inside.array), expected)


def test_grey_levels_are_cut_at_their_ends():
    rng = np.random.default_rng(0)
    array = rng.normal(100, 10, (20, 21, 22))
    array[0, 0, 0] = 1e6
    out = scaled(LevelImage(array.astype(np.float32), np.eye(4)), what="it").array
    assert out.min() == 0
    assert out.max() == 1
    assert 0.3 < np.median(out) < 0.6


@pytest.fixture
def level(heads):
    scan = heads.scan("GRE")
    return LevelImage(scan.array / 1000, scan.grid.affine)


def points_of(level, n_points=4000, seed=0, weights=(), edge_share=0.5):
    return sample_points(
        level,
        n_points=n_points,
        head=at_level(level, 6.0),
        head_level=0.06,
        edges=level,
        edge_share=edge_share,
        weights=weights,
        seed=seed,
    )


def test_points_lie_in_the_head_and_follow_its_edges(level, heads):
    points = points_of(level)
    at = np.stack(points.at_mm, axis=1) + points.centre_mm
    assert len(at) == pytest.approx(4000, rel=0.1)
    assert np.all(np.linalg.norm(at / (heads.semi_axes_mm + 9), axis=1) < 1)
    assert np.abs(np.mean(np.stack(points.at_mm), axis=1)).max() < 1e-3

    def part_outside(found):
        return np.mean(
            np.linalg.norm((np.stack(found.at_mm, axis=1) + found.centre_mm) / heads.semi_axes_mm, axis=1) > 0.7
        )

    assert part_outside(points_of(level, edge_share=0.9)) > part_outside(points_of(level, edge_share=0.0)) + 0.05


def test_points_depend_on_the_seed_only(level):
    one, again, other = points_of(level), points_of(level), points_of(level, seed=1)
    np.testing.assert_array_equal(one.value, again.value)
    assert not np.array_equal(one.value[:500], other.value[:500])


def test_points_of_thick_slices_lie_on_them(heads):
    scan = heads.scan("GRE", voxel_mm=(2.0, 2.0, 6.0))
    level = LevelImage(scan.array / 1000, scan.grid.affine)
    points = points_of(level)
    assert thick_axis(level) == 2
    assert points.slice_mm == (0.0, 0.0, 6.0)
    z = (points.at_mm[2] + points.centre_mm[2] - scan.grid.affine[2, 3]) / 6.0
    np.testing.assert_allclose(z, np.round(z), atol=1e-4)
    x = (points.at_mm[0] + points.centre_mm[0] - scan.grid.affine[0, 3]) / 2.0
    assert np.std(x - np.round(x)) > 0.2


def test_positions_without_weight_get_no_point(level):
    weight = np.zeros(level.shape, dtype=np.float32)
    weight[: level.shape[0] // 2] = 0.5
    points = points_of(level, weights=[(LevelImage(weight, level.affine), None)])
    x = points.at_mm[0] + points.centre_mm[0]
    edge = level.affine[0, 0] * (level.shape[0] // 2 - 0.5) + level.affine[0, 3]
    assert x.max() <= edge
    assert set(np.unique(points.weight)) == {np.float32(0.5)}


def test_overlap_counts_the_head(xp_case, level):
    image = LevelImage(xp_case.asarray(level.array, "float32"), level.affine)
    shifted = np.eye(4)
    assert part_inside(image, image, shifted, head_level=0.06) == 1.0
    shifted[0, 3] = 55.0
    assert 0.6 < part_inside(image, image, shifted, head_level=0.06) < 0.75
    shifted[0, 3] = 500.0
    assert part_inside(image, image, shifted, head_level=0.06) == 0.0


def test_centre_of_mass(xp_case):
    array = np.zeros((9, 8, 7))
    array[2, 3, 4] = array[4, 3, 4] = 1.0
    image = LevelImage(xp_case.asarray(array, "float32"), OBLIQUE)
    np.testing.assert_allclose(centre_of_mass(image, 0.5), OBLIQUE[:3, :3] @ [3, 3, 4] + OBLIQUE[:3, 3], atol=1e-4)
    np.testing.assert_allclose(centre_of_mass(image, 2.0), OBLIQUE[:3, :3] @ [4, 3.5, 3] + OBLIQUE[:3, 3], atol=1e-4)


def test_mapped_applies_an_affine(xp_case):
    rows = [[float(OBLIQUE[r, c]) for c in range(4)] for r in range(3)]
    at = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]])
    found = mapped(rows, tuple(xp_case.asarray(column, "float64") for column in at.T))
    expected = at @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
    for column, wanted in zip(found, expected.T, strict=True):
        np.testing.assert_allclose(xp_case.numpy(column), wanted)


HEAD = np.pad(np.ones((12, 12, 12), dtype=np.float32), 4)
GRID = Grid(HEAD.shape, np.diag([3.0, 3.0, 3.0, 1.0]))


@pytest.mark.parametrize(
    ("array", "grid", "mask", "weight", "error", "words"),
    [
        (HEAD[:, :, 0], GRID, None, None, ShapeMismatchError, "2 axes"),
        (HEAD[1:], GRID, None, None, ShapeMismatchError, "its own grid"),
        (HEAD[:3], Grid((3, 20, 20), GRID.affine), None, None, InputError, "at least 4 voxels"),
        (HEAD, Grid(HEAD.shape, np.diag([0.5, 0.5, 0.5, 1.0])), None, None, InputError, "only 10 mm"),
        (np.full_like(HEAD, 7), GRID, None, None, InputError, "no contrast"),
        (np.zeros_like(HEAD), GRID, None, None, InputError, "no contrast"),
        (HEAD.astype(np.complex64), GRID, None, None, InputError, "magnitude"),
        (np.where(HEAD > 0, np.nan, 0).astype(np.float32), GRID, None, None, InputError, "1728 NaN"),
        (HEAD, GRID, HEAD[1:] > 0, None, ShapeMismatchError, "mask of"),
        (HEAD, GRID, HEAD > 2, None, InputError, "mask of the image is empty"),
        (HEAD, GRID, None, -HEAD, InputError, "≥ 0"),
        (HEAD, GRID, HEAD > 0, (HEAD == 0).astype(np.float32), InputError, "leave no voxel"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(array, grid, mask, weight, error, words):
    with pytest.raises(error, match=words) as refusal:
        prepared(array, grid, mask=mask, weight=weight, what="the image")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_every_number_type_is_taken(dtype):
    image = prepared((HEAD * 200).astype(dtype), GRID, mask=None, weight=None, what="the image").image
    assert image.array.dtype == np.float32
    assert image.array.max() == 1
