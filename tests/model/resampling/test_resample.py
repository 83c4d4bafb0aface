"""Images on another grid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.errors import InputError, ParameterError, ShapeMismatchError
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.resampling import resample as module
from napari_msqsm.model.resampling.resample import covered, resample
from napari_msqsm.model.transform import AffineTransform

KERNELS = ("lanczos", "quintic", "cubic", "linear")
SHAPE, VOXEL = (15, 18, 9), (0.75, 0.8, 3.0)


def noise(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("interpolation", KERNELS)
def test_same_grid_changes_nothing(make_grid, interpolation, xp_case):
    grid, image = make_grid(SHAPE, VOXEL, turn_deg=(10, 5, -7)), noise()
    out = resample(xp_case.asarray(image), grid, grid, AffineTransform.identity(), interpolation=interpolation)
    xp_case.check(out, shape=SHAPE)
    np.testing.assert_allclose(xp_case.numpy(out), image, atol=2e-5)


@pytest.mark.parametrize("interpolation", KERNELS)
def test_a_constant_stays_one(make_grid, make_rigid, interpolation, xp_case):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid((9, 11, 13), (1.1, 1.2, 1.5))
    ones = xp_case.asarray(np.full(SHAPE, 3.0, np.float32))
    out = xp_case.numpy(resample(ones, grid, onto, make_rigid(), interpolation=interpolation, outside=-1.0))
    inside = covered(grid, onto, make_rigid())
    assert 0.3 < inside.mean() < 1.0
    np.testing.assert_allclose(out[inside], 3.0, atol=1e-5)
    assert np.all(out[~inside] == -1.0)


@pytest.mark.parametrize(("interpolation", "order"), [("linear", 1), ("cubic", 3), ("quintic", 5)])
def test_splines_agree_with_scipy(make_grid, make_rigid, interpolation, order):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid((14, 17, 10), VOXEL, turn_deg=(2, 3, 0))
    out = resample(noise(), grid, onto, make_rigid(), interpolation=interpolation, outside=np.nan)
    placement = np.linalg.inv(grid.affine) @ make_rigid().matrix @ onto.affine
    wanted = ndimage.affine_transform(
        noise().astype(float), placement[:3, :3], placement[:3, 3], onto.shape, order=order, mode="mirror"
    )
    inside = np.isfinite(out)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(out[inside], wanted[inside], atol=2e-5)


def test_lanczos_by_hand(make_grid):
    """Half a voxel along y: the ten samples about the point, weighted by the kernel."""
    grid = Grid(SHAPE, np.eye(4))
    onto = Grid((1, 1, 1), np.array([[1, 0, 0, 7], [0, 1, 0, 8.5], [0, 0, 1, 4], [0, 0, 0, 1.0]]))
    x = 0.5 - np.arange(-4, 6)
    weights = np.sinc(x) * np.sinc(x / 5)
    wanted = (weights / weights.sum()) @ noise()[7, 4:14, 4]
    assert resample(noise(), grid, onto, AffineTransform.identity())[0, 0, 0] == pytest.approx(wanted, abs=1e-5)


def test_lanczos_keeps_what_the_samples_can_hold(make_grid, make_rigid, positions):
    """A wave of six voxels a period comes out at its analytic values, where linear interpolation loses a tenth."""
    grid, onto = make_grid((40, 40, 40), (1, 1, 1)), make_grid((20, 20, 20), (1, 1, 1), turn_deg=(4, 3, -5))

    def wave(at):
        return np.cos(2 * np.pi * at @ (0.12, 0.1, 0.05)).astype(np.float32)

    wanted = wave(make_rigid().apply(positions(onto)))
    errors = {
        name: np.abs(resample(wave(positions(grid)), grid, onto, make_rigid(), interpolation=name) - wanted).max()
        for name in KERNELS
    }
    assert errors["lanczos"] < 0.012
    assert errors["quintic"] < 0.01
    assert errors["cubic"] < 0.02
    assert errors["linear"] > 0.1


@pytest.mark.parametrize("codes", ["RAS", "LPI", "SAR", "PIR", "ILA"])
def test_order_and_direction_of_axes_do_not_matter(make_grid, make_rigid, codes):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid((14, 17, 10), VOXEL, turn_deg=(2, 3, 0))
    moved, moved_grid = reoriented(noise(), grid, codes)
    wanted = resample(noise(), grid, onto, make_rigid())
    np.testing.assert_allclose(resample(moved, moved_grid, onto, make_rigid()), wanted, atol=1e-5)
    other_onto = reoriented(np.zeros(onto.shape), onto, codes)[1]
    found = resample(noise(), grid, other_onto, make_rigid())
    np.testing.assert_allclose(reoriented(found, other_onto, onto.axis_codes)[0], wanted, atol=1e-5)


def test_thick_slices_are_averages(make_grid):
    """1 mm slices on 3 mm slices whose edges lie on edges: the mean of three, and nothing between them is lost."""
    grid, onto = make_grid((6, 6, 9), (1, 1, 1)), make_grid((6, 6, 3), (1, 1, 3))
    image = noise((6, 6, 9))
    out = resample(image, grid, onto, AffineTransform.identity())
    np.testing.assert_allclose(out, image.reshape(6, 6, 3, 3).mean(axis=3), atol=1e-5)


def test_a_voxel_that_is_half_outside_still_counts(make_grid):
    grid = make_grid((6, 6, 4), (1, 1, 1))
    onto = make_grid((6, 6, 2), (1, 1, 4), centre_mm=(0, 0, 2))
    out = resample(np.ones((6, 6, 4), np.float32), grid, onto, AffineTransform.identity(), outside=np.nan)
    np.testing.assert_allclose(out[:, :, 0], 1.0, atol=1e-6)
    assert np.all(np.isnan(out[:, :, 1]))
    beyond = make_grid((6, 6, 1), (1, 1, 4), centre_mm=(0, 0, 2.0))
    np.testing.assert_allclose(resample(np.ones((6, 6, 4)), grid, beyond, AffineTransform.identity()), 1.0, atol=1e-6)


@pytest.mark.parametrize("interpolation", KERNELS)
def test_zeros_outside_the_mask_do_not_leak_in(make_grid, make_rigid, interpolation, xp_case):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid((14, 17, 10), VOXEL)
    mask = np.zeros(SHAPE, bool)
    mask[3:12, 4:13, 2:7] = True
    image = np.where(mask, 5.0, np.nan).astype(np.float32)
    out = resample(
        xp_case.asarray(image),
        grid,
        onto,
        make_rigid(),
        interpolation=interpolation,
        mask=xp_case.asarray(mask),
        outside=np.nan,
    )
    xp_case.check(out)
    values = xp_case.numpy(out)
    inside = np.isfinite(values)
    np.testing.assert_allclose(values[inside], 5.0, atol=2e-5)
    wanted = mask.sum() * grid.voxel_volume_mm3
    assert inside.sum() * onto.voxel_volume_mm3 == pytest.approx(wanted, rel=0.1)


def test_whole_numbers_become_float32_and_double_stays(make_grid):
    grid = make_grid(SHAPE, VOXEL)
    counts = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    identity = AffineTransform.identity()
    assert resample(counts, grid, grid, identity).dtype == np.float32
    assert resample(counts.astype(float), grid, grid, identity).dtype == np.float64
    assert resample(counts, grid, grid, identity, interpolation="label").dtype == np.int16


def test_the_size_of_a_slab_does_not_matter(make_grid, make_rigid, monkeypatch):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid((13, 17, 10), VOXEL)
    whole = resample(noise(), grid, onto, make_rigid())
    monkeypatch.setattr(module, "_POINTS", 1)
    assert np.array_equal(resample(noise(), grid, onto, make_rigid()), whole)


@pytest.mark.parametrize("shape", list(itertools.product((1, 2), repeat=3)))
@pytest.mark.parametrize("interpolation", KERNELS)
def test_images_of_one_or_two_voxels_along_an_axis(shape, interpolation):
    grid = Grid(shape, np.eye(4))
    image = noise(shape)
    out = resample(image, grid, grid, AffineTransform.identity(), interpolation=interpolation)
    np.testing.assert_allclose(out, image, atol=1e-4)


def test_an_image_elsewhere_is_all_outside(make_grid):
    grid, onto = make_grid(SHAPE, VOXEL), make_grid(SHAPE, VOXEL, centre_mm=(500, 0, 0))
    assert np.all(resample(noise(), grid, onto, AffineTransform.identity(), outside=7.0) == 7.0)
    assert not covered(grid, onto, AffineTransform.identity()).any()


def test_refusals(make_grid):
    grid, identity = make_grid(SHAPE, VOXEL), AffineTransform.identity()
    with pytest.raises(ShapeMismatchError, match="the array has shape"):
        resample(noise((3, 3, 3)), grid, grid, identity)
    with pytest.raises(ShapeMismatchError, match="the mask has shape"):
        resample(noise(), grid, grid, identity, mask=np.ones((2, 2, 2), bool))
    with pytest.raises(InputError, match="mask of the image is empty"):
        resample(noise(), grid, grid, identity, mask=np.zeros(SHAPE, bool))
    with pytest.raises(ParameterError, match="no interpolation 'nearest'"):
        resample(noise(), grid, grid, identity, interpolation="nearest")
