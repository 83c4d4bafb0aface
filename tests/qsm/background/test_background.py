"""What every background removal must do: fields from outside go, fields from inside stay."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.pdf import PdfSettings, pdf
from napari_msqsm.qsm.background.resharp import ResharpSettings, resharp
from napari_msqsm.qsm.background.vsharp import VsharpSettings, vsharp
from napari_msqsm.qsm.background.wiener import WienerSettings, wiener
from napari_msqsm.qsm.method import run_method

SHAPE, VOXEL = (33, 36, 29), (3.0, 3.0, 3.5)
Z, OBLIQUE = (0.0, 0.0, 1.0), (0.0, 0.5, np.sqrt(0.75))


@pytest.fixture(scope="module")
def scene(axes_mm, sphere_field_ppm):
    axes = axes_mm(SHAPE, VOXEL)
    x, y, z = axes
    mask = (x / 30) ** 2 + (y / 34) ** 2 + (z / 31) ** 2 < 1
    fields = {}
    for b0 in (Z, OBLIQUE):
        outside = sphere_field_ppm(axes, (5, 46, -14), 7, 9.0, b0) + sphere_field_ppm(axes, (-42, 0, 16), 6, -6.0, b0)
        inside = sphere_field_ppm(axes, (6, 0, 4), 7, 0.2, b0)
        fields[b0] = 127.7 * outside, 127.7 * inside
    return mask, fields


EVERY = ["pdf", "lbv", "lbv of fourth order", "vsharp", "resharp", "wiener"]
WITHOUT_B0 = {
    "lbv": (lbv, LbvSettings(cg_rtol=1e-5)),
    "lbv of fourth order": (lbv, LbvSettings(order=4, cg_rtol=1e-5)),
    "vsharp": (vsharp, VsharpSettings()),
    "resharp": (resharp, ResharpSettings(radius_mm=7, ridge=1e-3)),
}


def removed(method, total, mask, b0, noise=None):
    if method in WITHOUT_B0:
        function, settings = WITHOUT_B0[method]
        return function(total, mask=mask, voxel_size_mm=VOXEL, settings=settings)
    noise = np.where(mask, 1.0, 0.0).astype(total.dtype) if noise is None else noise
    if method == "wiener":
        return wiener(total, mask=mask, noise_sd_hz=noise, voxel_size_mm=VOXEL, b0_direction=b0, hz_per_ppm=127.7)
    settings = PdfSettings(cg_rtol=1e-4, cg_max_iter=300)
    return pdf(total, noise_sd_hz=noise, mask=mask, voxel_size_mm=VOXEL, b0_direction=b0, settings=settings)


def rms(a):
    return float(np.sqrt(np.mean(np.asarray(a, float) ** 2)))


@pytest.mark.parametrize("b0", [Z, OBLIQUE])
@pytest.mark.parametrize("method", EVERY)
def test_sources_outside_are_removed(scene, method, b0):
    mask, fields = scene
    background = fields[b0][0]
    out = removed(method, background, mask, b0)
    assert out.converged
    assert rms(out.field_hz[out.mask]) < 0.05 * rms(background[out.mask])
    assert not out.field_hz[~mask].any()


@pytest.mark.parametrize("b0", [Z, OBLIQUE])
@pytest.mark.parametrize("method", EVERY)
def test_a_source_inside_stays(scene, method, b0):
    mask, fields = scene
    background, local = fields[b0]
    out = removed(method, background + local, mask, b0)
    near = out.mask & (np.abs(local) > 0.3 * np.abs(local).max())
    error = out.field_hz - local
    assert rms(error[near]) < 0.2 * rms(local[near])
    assert np.vdot(out.field_hz[near], local[near]) / np.vdot(local[near], local[near]) == pytest.approx(1, abs=0.16)


@pytest.mark.parametrize("method", [method for method in EVERY if method != "wiener"])
def test_scale_and_what_lies_outside_the_mask_have_no_say(scene, method):
    mask, fields = scene
    total = sum(fields[Z])
    plain = removed(method, total, mask, Z)
    noise = np.where(mask, 7.0, 0.0)
    other = removed(method, np.where(mask, 1e-3 * total, np.nan), mask, Z, noise)
    np.testing.assert_allclose(other.field_hz, 1e-3 * plain.field_hz, atol=1e-5 * np.abs(total[mask]).max())


@pytest.mark.parametrize(
    ("function", "settings", "iterations"),
    [
        (pdf, PdfSettings(cg_max_iter=2, cg_rtol=1e-8), 2),
        (lbv, LbvSettings(cg_max_iter=2, cg_rtol=1e-8), 2),
        (resharp, ResharpSettings(cg_max_iter=2, cg_rtol=1e-8), 2),
        (wiener, WienerSettings(cg_max_iter=2, cg_rtol=1e-8), None),
        (vsharp, VsharpSettings(), None),
    ],
)
def test_progress_may_stop_it_and_too_few_iterations_are_told(scene, function, settings, iterations):
    mask, fields = scene
    total = sum(fields[Z])
    seen = []

    def stop(fraction):
        seen.append(fraction)
        if len(seen) > 1:
            raise KeyboardInterrupt

    shared = {
        "mask": mask,
        "voxel_size_mm": VOXEL,
        "noise_sd_hz": mask * 1.0,
        "b0_direction": Z,
        "hz_per_ppm": 127.7,
        "settings": settings,
    }
    out = run_method(function, total, **shared)
    assert out.converged == (function is vsharp)
    assert iterations is None or out.iterations == iterations
    with pytest.raises(KeyboardInterrupt):
        run_method(function, total, **shared, on_progress=stop)
    assert 0 < seen[0] < seen[1] <= 1


def test_pdf_voxels_without_noise_have_no_say(scene):
    mask, fields = scene
    total = sum(fields[Z]).copy()
    noise = mask * 1.0
    noise[16:18, 18:20, 14:16] = 0
    plain = removed("pdf", total, mask, Z, noise)
    total[16:18, 18:20, 14:16] += 500
    spoilt = removed("pdf", total, mask, Z, noise)
    clean = mask & (noise > 0)
    np.testing.assert_allclose(spoilt.field_hz[clean], plain.field_hz[clean], atol=1e-6)


def test_lbv_gives_up_the_outermost_layer_and_refuses_a_mask_without_interior(scene):
    mask, fields = scene
    out = removed("lbv", sum(fields[Z]), mask, Z)
    assert not (out.mask & ~mask).any()
    assert 0 < (mask & ~out.mask).sum() < 0.4 * mask.sum()
    thin = np.zeros(SHAPE, bool)
    thin[10:20, 10:20, 5] = True
    with pytest.raises(InputError, match="interior"):
        removed("lbv", sum(fields[Z]), thin, Z)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", EVERY)
def test_every_array_library(xp_case, scene, method, dtype):
    mask, fields = scene
    part = (slice(8, 24), slice(8, 25), slice(8, 21))
    total, small = sum(fields[OBLIQUE])[part], mask[part].copy()
    small[0], small[-1] = False, False
    wanted = removed(method, total, small, OBLIQUE)
    noise = xp_case.asarray(small, dtype)
    out = removed(method, xp_case.asarray(total, dtype), xp_case.asarray(small), OBLIQUE, noise)
    xp_case.check(out.field_hz, dtype, total.shape)
    xp_case.check(out.mask, "bool", total.shape)
    np.testing.assert_allclose(xp_case.numpy(out.field_hz), wanted.field_hz, atol=0.02 * np.ptp(wanted.field_hz))
