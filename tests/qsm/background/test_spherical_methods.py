"""What V-SHARP and RESHARP do with their spheres."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.resharp import ResharpSettings, resharp
from napari_msqsm.qsm.background.vsharp import VsharpSettings, vsharp
from napari_msqsm.qsm.host.distance import depth_mm

SHAPE, VOXEL = (31, 34, 21), (2.0, 2.0, 3.0)


@pytest.fixture(scope="module")
def scene(axes_mm, sphere_field_ppm):
    axes = axes_mm(SHAPE, VOXEL)
    mask = sum((a / r) ** 2 for a, r in zip(axes, (28, 31, 27), strict=True)) < 1
    local = sphere_field_ppm(axes, (2, 0, 3), 5, 0.2, (0, 0, 1.0))
    outside = sphere_field_ppm(axes, (4, 42, -8), 6, 9.0, (0, 0, 1.0))
    return mask, local, outside


def test_resharp_gives_up_one_radius_and_vsharp_one_voxel(scene):
    mask, local, outside = scene
    depth = depth_mm(mask, VOXEL)
    fixed = resharp(local + outside, mask=mask, voxel_size_mm=VOXEL, settings=ResharpSettings(radius_mm=6.0))
    assert fixed.mask[depth > 6 + 3].all()
    assert not fixed.mask[depth < 6 - 3].any()
    variable = vsharp(local + outside, mask=mask, voxel_size_mm=VOXEL)
    assert variable.mask[depth > 5].all()
    assert variable.mask.sum() > 1.5 * fixed.mask.sum()
    for out in (fixed, variable):
        assert not (out.mask & ~mask).any()
        assert not out.field_hz[~out.mask].any()


def test_vsharp_gives_back_what_the_mean_took(scene):
    mask, local, _ = scene
    near = mask & (np.abs(local) > 0.3 * np.abs(local).max())

    def slope(settings):
        out = vsharp(local, mask=mask, voxel_size_mm=VOXEL, settings=settings)
        return np.vdot(out.field_hz[near], local[near]) / np.vdot(local[near], local[near])

    small = slope(VsharpSettings(max_radius_mm=4.0, truncation=0.3))
    assert slope(VsharpSettings(max_radius_mm=4.0, truncation=0.05)) > small + 0.02
    assert slope(VsharpSettings(max_radius_mm=12.0)) == pytest.approx(1, abs=0.1)


def test_resharp_shrinks_the_field_as_its_ridge_grows(scene):
    mask, local, outside = scene
    sizes = [
        np.linalg.norm(
            resharp(
                local + outside, mask=mask, voxel_size_mm=VOXEL, settings=ResharpSettings(radius_mm=6.0, ridge=ridge)
            ).field_hz
        )
        for ridge in (1e-3, 1e-2, 1e-1)
    ]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_voxels_without_a_field_lie_outside(scene):
    mask, local, outside = scene
    noise = mask * 1.0
    noise[15, 17, 10] = 0
    total = local + outside
    total = np.where(noise > 0, total, np.nan)
    for function in (vsharp, resharp):
        out = function(total, mask=mask, noise_sd_hz=noise, voxel_size_mm=VOXEL)
        assert not out.mask[15, 17, 10]
        assert np.isfinite(out.field_hz).all()


@pytest.mark.parametrize("function", [vsharp, resharp])
def test_a_pinhole_does_not_leak_the_background(scene, axes_mm, function):
    mask = scene[0]
    holed = mask.copy()
    holed[15, 17, 10] = False
    background = 300.0 + axes_mm(SHAPE, VOXEL)[0] + np.zeros(SHAPE)
    out = function(background, mask=holed, voxel_size_mm=VOXEL)
    assert not out.mask[15, 17, 10]
    assert np.abs(out.field_hz).max() < 0.1


def test_refuses_a_mask_that_holds_no_sphere(scene):
    _, local, _ = scene
    thin = np.zeros(SHAPE, bool)
    thin[5:25, 5:25, 8] = True
    with pytest.raises(InputError, match=r"no sphere of 2\.289.* mm lies in the mask"):
        vsharp(local, mask=thin, voxel_size_mm=VOXEL)
    with pytest.raises(InputError, match=r"background\.radius_mm"):
        resharp(local, mask=thin, voxel_size_mm=VOXEL)
