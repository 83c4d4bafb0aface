"""Ventricles, sulci, a cyst, partial volume: what each way of finding CSF takes and leaves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.qsm.host.csf_fluid import FluidCsfSettings
from napari_msqsm.qsm.host.csf_mask import csf_mask
from napari_msqsm.qsm.host.csf_r2star import R2starCsfSettings

VOXEL = (2.0, 2.5, 3.0)
SHAPE = (61, 58, 40)
METHODS = pytest.mark.parametrize("settings", [R2starCsfSettings(), FluidCsfSettings()], ids=["r2star", "fluid"])


@pytest.fixture
def scene(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    brain = (x / 56) ** 2 + (y / 64) ** 2 + (z / 52) ** 2 < 1
    ventricles = (((np.abs(x) - 9) / 6) ** 2 + (y / 22) ** 2 + (z / 10) ** 2 < 1) & brain
    sulci = brain & ((x / 52) ** 2 + (y / 60) ** 2 + (z / 48) ** 2 > 1)
    cyst = (x - 20) ** 2 + (y + 44) ** 2 + z**2 < 36
    r2star = np.where(ventricles | sulci | cyst, 1.5, 18.0) * np.ones(SHAPE)
    return r2star, brain, ventricles, cyst & brain


@METHODS
def test_ventricles_and_nothing_else(scene, settings):
    r2star, brain, ventricles, cyst = scene
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=settings)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, ventricles)
    assert not (found & cyst).any()


@METHODS
def test_a_shifted_head(scene, settings):
    r2star, brain, ventricles, _ = scene
    pads = ((9, 0), (0, 7), (3, 0))
    moved = [np.pad(a, pads) for a in (r2star, brain, ventricles)]
    found = csf_mask(moved[0], mask=moved[1], voxel_size_mm=VOXEL, settings=settings)
    np.testing.assert_array_equal(found, moved[2])


@METHODS
def test_one_ventricle_suffices(scene, axes_mm, settings):
    r2star, brain, ventricles, _ = scene
    x, *_ = axes_mm(SHAPE, VOXEL)
    right = (x > 0) & np.ones(SHAPE, bool)
    one = np.where(right & ventricles, 18.0, r2star)
    found = csf_mask(one, mask=brain, voxel_size_mm=VOXEL, settings=settings)
    np.testing.assert_array_equal(found, ventricles & ~right)


@METHODS
def test_specks_are_left_out(scene, settings):
    r2star, brain, ventricles, _ = scene
    r2star[30, 18, 20] = 1.0  # 15 mm³, near the centre
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=settings)
    np.testing.assert_array_equal(found, ventricles)
    all_parts = settings.model_copy(update={"least_volume_mm3": 0.0})
    assert csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=all_parts)[30, 18, 20]


@METHODS
def test_none_is_an_empty_mask(scene, settings):
    _, brain, *_ = scene
    for r2star, mask in ((np.full(SHAPE, 20.0), brain), (np.zeros(SHAPE), np.zeros(SHAPE, bool))):
        assert not csf_mask(r2star, mask=mask, voxel_size_mm=VOXEL, settings=settings).any()


def test_a_slab_far_from_the_middle(scene):
    r2star, brain, ventricles, _ = scene
    part = np.s_[:, 24:]  # the ventricles lie at one end of it, cut by the border
    found = csf_mask(r2star[part], mask=brain[part], voxel_size_mm=VOXEL, settings=FluidCsfSettings())
    np.testing.assert_array_equal(found, ventricles[part])


def test_ventricles_as_wide_as_in_atrophy(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    brain = (x / 56) ** 2 + (y / 64) ** 2 + (z / 52) ** 2 < 1
    wide = (x / 30) ** 2 + (y / 44) ** 2 + (z / 24) ** 2 < 1
    r2star = np.where(wide, 1.5, 18.0)
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=FluidCsfSettings())
    np.testing.assert_array_equal(found, wide)


def test_a_ventricle_open_to_the_surface_through_a_neck(scene, axes_mm):
    r2star, brain, ventricles, _ = scene
    x, y, z = axes_mm(SHAPE, VOXEL)
    neck = (np.abs(x - 8) < 1.5) & (np.abs(z) < 2) & (y > 0) & brain
    r2star = np.where(neck, 1.5, r2star)
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, settings=FluidCsfSettings())
    assert (found & ventricles).sum() > 0.9 * ventricles.sum()
    assert (found & ~ventricles).sum() < 0.03 * ventricles.sum()


@pytest.fixture
def mixed(scene):
    """R2* and signal with noise and coil shading; the edge of the ventricles is half tissue."""
    r2star, brain, ventricles, _ = scene
    rng = np.random.default_rng(2)
    edge = ventricles & ~ndimage.binary_erosion(ventricles)
    r2star = np.where(edge, 6.0, r2star) + rng.normal(0, 0.5, SHAPE)
    signal = np.where(r2star < 4, 1.2, 2.0) + rng.normal(0, 0.02, SHAPE)
    signal = np.where(edge, 1.6, signal) * (1 + 0.5 * np.arange(SHAPE[0])[:, None, None] / SHAPE[0])
    return r2star, signal, brain, ventricles & ~edge, edge


def test_edge_voxels_that_hold_tissue_are_left_out(mixed):
    r2star, signal, brain, inside, edge = mixed
    given = {"mask": brain, "voxel_size_mm": VOXEL, "settings": FluidCsfSettings()}
    whole = csf_mask(r2star, **given)
    pure = csf_mask(r2star, signal=signal, **given)
    assert (whole & edge).sum() > 0.95 * edge.sum()
    assert (pure & edge).sum() < 0.02 * edge.sum()
    assert (pure & inside).sum() > 0.9 * inside.sum()
    np.testing.assert_array_equal(pure, csf_mask(r2star, signal=1e4 * signal, **given))


def test_global_fluid_holds_that_of_the_surface_and_of_cysts(mixed, scene):
    r2star, signal, brain, inside, _ = mixed
    *_, cyst = scene
    settings = FluidCsfSettings(region="global", rim_mm=0.0)
    found = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, signal=signal, settings=settings)
    fluid = inside | cyst | (brain & (scene[0] < 5) & ~ndimage.binary_dilation(inside, iterations=2))
    assert (found & fluid).sum() > 0.9 * fluid.sum()
    assert (found & ~fluid).sum() < 0.02 * fluid.sum()
    rim = settings.model_copy(update={"rim_mm": 6.0})
    within = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, signal=signal, settings=rim)
    assert not (within & (ndimage.distance_transform_edt(brain, sampling=VOXEL) <= 6)).any()
    assert (within & cyst).sum() > 0.9 * cyst.sum()


@pytest.mark.parametrize(
    ("order", "steps"), list(itertools.product(itertools.permutations(range(3)), ((1, -1, 1), (-1, -1, -1))))[1::2]
)
def test_order_and_direction_of_axes_do_not_matter(mixed, order, steps):
    def oriented(image):
        return np.transpose(image, order)[tuple(slice(None, None, step) for step in steps)]

    r2star, signal, brain, *_ = mixed
    whole = csf_mask(r2star, mask=brain, voxel_size_mm=VOXEL, signal=signal, settings=FluidCsfSettings())
    turned = csf_mask(
        oriented(r2star),
        mask=oriented(brain),
        voxel_size_mm=tuple(VOXEL[axis] for axis in order),
        signal=oriented(signal),
        settings=FluidCsfSettings(),
    )
    assert (turned ^ oriented(whole)).sum() <= 1e-3 * whole.sum() + 1
