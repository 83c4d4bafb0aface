"""What every method of brain extraction must do with a head with scalp, skull, eyes and coil shading."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.brain_mask import brain_mask
from napari_msqsm.qsm.host.brain_opening import OpeningSettings
from napari_msqsm.qsm.host.brain_surface import SurfaceSettings

VOXEL = (3.0, 3.0, 3.5)
COARSE = functools.partial(SurfaceSettings, subdivisions=12)
METHODS = pytest.mark.parametrize("settings", [OpeningSettings, COARSE], ids=["opening", "surface"])


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@METHODS
@pytest.mark.parametrize("shift", [(6.0, -12.0, 5.0)])
def test_finds_the_brain(head, shift, settings):
    image, brain = head(shift)
    found = brain_mask(image, voxel_size_mm=VOXEL, settings=settings())
    assert found.dtype == bool
    assert dice(found, brain) > 0.95
    scalp = (image > 100) & ~brain
    assert (found & scalp).sum() < 0.03 * brain.sum()


@METHODS
def test_works_on_a_slab(head, settings):
    image, brain = head()
    found = brain_mask(image[:, :, 18:36], voxel_size_mm=VOXEL, settings=settings())
    assert dice(found, brain[:, :, 18:36]) > 0.94


@METHODS
@pytest.mark.parametrize("scale", [1e4])
def test_scale_has_no_say(head, scale, settings):
    image, _ = head()
    masks = [brain_mask(image * np.float32(s), voxel_size_mm=VOXEL, settings=settings()) for s in (1, scale)]
    assert (masks[0] ^ masks[1]).sum() <= 1e-3 * masks[0].sum()


@METHODS
def test_erosion_takes_a_rim(head, settings):
    image, _ = head()
    whole = brain_mask(image, voxel_size_mm=VOXEL, settings=settings())
    less = brain_mask(image, voxel_size_mm=VOXEL, settings=settings(erosion_mm=4.0))
    np.testing.assert_array_equal(less, ndimage.distance_transform_edt(whole, sampling=VOXEL) > 4)


@METHODS
def test_random_phase_at_the_edge_is_dropped(head, settings):
    image, brain = head()
    x, y, z = np.meshgrid(*[np.arange(n) for n in image.shape], indexing="ij", sparse=True)
    at_edge = (x > 31) & (y > 55) & np.isfinite(z)
    inside = (x - 31) ** 2 + (y - 37) ** 2 + (z - 25) ** 2 < 9
    quality = np.where(at_edge | inside, 0.3, 0.95)
    limit = settings(min_phase_quality=0.8)
    found = brain_mask(image, voxel_size_mm=VOXEL, phase_quality=quality, settings=limit)
    assert not (found & at_edge).any()
    assert found[inside].all()
    assert dice(found, brain & ~at_edge) > 0.95
    off = settings(min_phase_quality=0)
    np.testing.assert_array_equal(
        brain_mask(image, voxel_size_mm=VOXEL, phase_quality=quality, settings=off),
        brain_mask(image, voxel_size_mm=VOXEL, settings=off),
    )


@METHODS
def test_holes_are_filled_or_kept(head, settings):
    image, _ = head()
    image = image.copy()
    image[30:33, 36:39, 24:27] = 2.0
    quality = np.full(image.shape, 0.95)
    quality[20:22, 36:38, 24:26] = 0.2
    given = {"voxel_size_mm": VOXEL, "phase_quality": quality}
    filled = brain_mask(image, settings=settings(min_phase_quality=0.8), **given)
    kept = brain_mask(image, settings=settings(min_phase_quality=0.8, holes="keep"), **given)
    assert filled[30:33, 36:39, 24:27].all()
    assert filled[20:22, 36:38, 24:26].all()
    assert not kept[30:33, 36:39, 24:27].any()
    assert not kept[20:22, 36:38, 24:26].any()
    assert not (kept & ~filled).any()


@METHODS
def test_a_crop_of_brain_is_brain(settings):
    rng = np.random.default_rng(3)
    image = 100 + 10 * ndimage.gaussian_filter(rng.standard_normal((30, 24, 21)), 1) + rng.normal(0, 2, (30, 24, 21))
    found = brain_mask(image, voxel_size_mm=(0.5, 0.5, 1.0), settings=settings())
    assert found.mean() > 0.99


def test_refuses_what_has_no_brain():
    with pytest.raises(InputError, match="no contrast"):
        brain_mask(np.zeros((8, 8, 8)), voxel_size_mm=VOXEL)
    with pytest.raises(InputError, match="no contrast"):
        brain_mask(np.full((8, 8, 8), 7.0), voxel_size_mm=VOXEL)
    speck = np.zeros((12, 12, 12))
    speck[6, 6, 6] = 1
    for settings in (OpeningSettings(), COARSE()):
        with pytest.raises(InputError, match="mask"):
            brain_mask(speck, voxel_size_mm=VOXEL, settings=settings)
    image = np.zeros((20, 20, 20))
    image[4:16, 4:16, 4:16] = 100
    with pytest.raises(InputError, match="erosion_mm"):
        brain_mask(image, voxel_size_mm=(2, 2, 2), settings=OpeningSettings(erosion_mm=50, opening_radius_mm=2))
