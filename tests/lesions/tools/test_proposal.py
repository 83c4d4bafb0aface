"""One click on FLAIR."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.lesions.tools.proposal import propose

WHITE, LESION, CORTEX, FLUID = 1000.0, 1700.0, 1400.0, 150.0


def _flair(lesion, *, noise=60.0, seed=0, **tissues):
    """White matter with a lesion; tissues are pairs of a mask and an intensity."""
    rng = np.random.default_rng(seed)
    image = np.full(lesion.shape, WHITE)
    for where, value in tissues.values():
        image[where] = value
    image[lesion] = LESION
    return np.hypot(image + noise * rng.standard_normal(image.shape), noise * rng.standard_normal(image.shape))


@pytest.fixture
def shape(voxel_size_mm):
    return tuple(int(60 / size) for size in voxel_size_mm)


@pytest.fixture
def lesion(shape, voxel_size_mm, ellipsoid):
    return ellipsoid(shape, voxel_size_mm, np.array(shape) / 2 + 0.3, (5.5, 6.5, 7.0))


@pytest.fixture
def empty(shape):
    return np.zeros(shape, np.uint16)


def test_a_click_anywhere_inside_finds_the_lesion(shape, voxel_size_mm, lesion, empty, painted, dice):
    flair, rng = _flair(lesion), np.random.default_rng(2)
    inside = np.argwhere(lesion)
    for click in inside[rng.integers(0, len(inside), 6)]:
        found = propose(flair, empty, voxel_size_mm, click)
        assert dice(painted(shape, found.voxels()), lesion) > 0.95
        assert found.is_clear
        assert not found.is_cut
        assert found.lesion == pytest.approx(LESION, rel=0.07)
        assert found.around == pytest.approx(WHITE, rel=0.05)


def test_shading_of_the_coil_does_not_matter(shape, voxel_size_mm, lesion, empty, painted, dice):
    slope = np.linspace(0.6, 1.4, shape[0])[:, None, None]
    found = propose(_flair(lesion) * slope, empty, voxel_size_mm, np.array(shape) / 2)
    assert dice(painted(shape, found.voxels()), lesion) > 0.94


def test_at_the_wall_of_the_ventricle_and_beside_cortex(shape, voxel_size_mm, lesion, empty, painted, dice):
    """Fluid touches it on one side, a band of cortex on the other."""
    x_mm = (np.indices(shape)[0] - shape[0] / 2) * voxel_size_mm[0]
    cut = lesion & (x_mm > -3.5)
    flair = _flair(cut, fluid=(x_mm <= -3.5, FLUID), cortex=((x_mm > 5.0) & (x_mm < 8.0), CORTEX))
    found = propose(flair, empty, voxel_size_mm, np.array(shape) / 2)
    assert dice(painted(shape, found.voxels()), cut) > 0.9


def test_a_larger_size_has_all_voxels_of_a_smaller_one(shape, voxel_size_mm, lesion, empty, painted):
    found = propose(_flair(lesion), empty, voxel_size_mm, np.array(shape) / 2)
    sizes = [painted(shape, found.voxels(size)) for size in np.linspace(0, 1, 11)]
    counts = [int(np.count_nonzero(mask)) for mask in sizes]
    assert all(not (small & ~large).any() for small, large in pairwise(sizes))
    assert counts[0] <= 3
    assert all(small < large for small, large in pairwise(counts))
    radii = np.cbrt(counts)
    assert radii[3] == pytest.approx(0.6 * radii[5], rel=0.1)
    assert counts[10] > 1.5 * counts[5]
    began = time.process_time()
    found.voxels(0.7)
    assert time.process_time() - began < 0.02


def test_other_lesions_and_what_is_no_brain_are_left_out(shape, voxel_size_mm, lesion, empty, painted):
    """Half of the bright region is another lesion; a slice is outside the brain."""
    labels, brain = empty.copy(), np.ones(shape, bool)
    half = np.indices(shape)[1] < shape[1] / 2
    labels[lesion & half] = 3
    brain[:, :, shape[2] // 2] = False
    click = np.array([shape[0] / 2, shape[1] / 2 + 2.0 / voxel_size_mm[1], shape[2] / 2 + 1])
    for size in (0.5, 1.0):
        found = painted(shape, propose(_flair(lesion), labels, voxel_size_mm, click, brain=brain).voxels(size))
        assert found.any()
        assert not found[labels == 3].any()
        assert not found[~brain].any()


def test_what_is_drawn_of_the_lesion_itself_may_be_proposed_again(lesion, voxel_size_mm, empty, painted, dice, shape):
    labels = empty.copy()
    labels[lesion & (np.indices(shape)[0] > shape[0] / 2)] = 3
    found = propose(_flair(lesion), labels, voxel_size_mm, np.array(shape) / 2 + 1, label=3)
    assert dice(painted(shape, found.voxels()), lesion) > 0.95


def test_order_and_direction_of_axes_do_not_matter(ellipsoid, painted):
    shape, size = (60, 64, 18), (0.75, 0.75, 3.0)
    lesion = ellipsoid(shape, size, (30, 33, 9), (5, 6, 7))
    flair, empty = _flair(lesion).astype(np.float32), np.zeros(shape, np.uint16)
    wanted = painted(shape, propose(flair, empty, size, (30, 33, 9)).voxels())
    order = (2, 0, 1)
    there = tuple(shape[axis] for axis in order)
    turned = propose(flair.transpose(order), np.zeros(there, np.uint16), (3.0, 0.75, 0.75), (9, 30, 33))
    assert np.array_equal(painted(there, turned.voxels()), wanted.transpose(order))
    flipped = propose(flair[::-1, :, ::-1], empty, size, (29, 33, 8))
    assert np.array_equal(painted(shape, flipped.voxels()), wanted[::-1, :, ::-1])


def test_scale_of_the_intensities_does_not_matter(ellipsoid):
    shape, size = (48, 48, 16), (1.0, 1.0, 3.0)
    lesion = ellipsoid(shape, size, (24, 24, 8), (5, 6, 7))
    flair, empty = _flair(lesion), np.zeros(shape, np.uint16)
    wanted = propose(flair, empty, size, (24, 24, 8)).voxels()
    for scale in (1e-3, 1e3):
        assert np.array_equal(propose(scale * flair, empty, size, (24, 24, 8)).voxels(), wanted)
    whole = propose(np.rint(flair).astype(np.uint16), empty, size, (24, 24, 8)).voxels()
    assert np.setxor1d(whole, wanted).size < 0.02 * wanted.size


def test_a_click_on_nothing_is_told(shape, voxel_size_mm, empty):
    flair = _flair(np.zeros(shape, bool))
    found = propose(flair, empty, voxel_size_mm, np.array(shape) / 2)
    assert not found.is_clear
    flat = propose(np.zeros(shape), empty, voxel_size_mm, np.array(shape) / 2)
    assert not flat.is_clear
    assert flat.voxels().size >= 1


def test_a_lesion_beyond_reach_is_told(ellipsoid):
    shape = (90, 50, 50)
    lesion = ellipsoid(shape, (1, 1, 1), (45, 25, 25), (40, 13, 13))
    assert propose(_flair(lesion), np.zeros(shape, np.uint16), (1, 1, 1), (45, 25, 25)).is_cut


def test_clicks_that_can_mean_no_lesion_are_refused(ellipsoid):
    shape = (30, 30, 30)
    flair, labels = _flair(ellipsoid(shape, (1, 1, 1), (15, 15, 15), 6)), np.zeros(shape, np.uint16)
    labels[15, 15, 15] = 4
    flair[14, 15, 15] = np.nan
    with pytest.raises(ParameterError, match="beyond the image"):
        propose(flair, labels, (1, 1, 1), (15, 15, 31))
    for click in ((15, 15, 15), (14, 15, 15)):
        with pytest.raises(ParameterError, match="another lesion or outside the brain"):
            propose(flair, labels, (1, 1, 1), click)
    with pytest.raises(ParameterError, match="another lesion or outside the brain"):
        propose(flair, labels, (1, 1, 1), (13, 15, 15), brain=np.zeros(shape, bool))
    with pytest.raises(ShapeMismatchError, match="labels"):
        propose(flair, labels[1:], (1, 1, 1), (13, 15, 15))
    with pytest.raises(ShapeMismatchError, match="brain"):
        propose(flair, labels, (1, 1, 1), (13, 15, 15), brain=np.ones((3, 3, 3), bool))
    with pytest.raises(ParameterError, match="between 0 and 1"):
        propose(flair, labels, (1, 1, 1), (13, 15, 15)).voxels(1.2)
    near = propose(flair, labels, (1, 1, 1), (13, 15, 15)).voxels()
    assert np.ravel_multi_index((14, 15, 15), shape) not in near


def test_it_takes_a_moment_on_a_large_image(ellipsoid):
    shape = (240, 256, 90)
    flair = np.full(shape, WHITE, np.float32)
    flair[100:160, 100:160, 20:80] = _flair(ellipsoid((60, 60, 60), (1, 1, 1), (30, 30, 30), 8))
    labels = np.zeros(shape, np.uint16)
    began = time.process_time()
    found = propose(flair, labels, (1, 1, 1), (130, 130, 50))
    assert time.process_time() - began < 0.25
    assert found.voxels().size == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.05)
