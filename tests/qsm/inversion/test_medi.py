"""MEDI+0 as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.residual import ResidualBackgroundSettings
from napari_msqsm.qsm.inversion.medi import MediSettings, medi

VOXEL = (4.0, 4.0, 5.0)
SPACING_S, HZ = 0.005, 127.73


@pytest.fixture(scope="module")
def inputs(head):
    rng = np.random.default_rng(0)
    combined = np.sqrt((head.series.magnitude.astype(float) ** 2).sum(0))
    noise = np.where(head.brain, 0.3, 0.0)
    return {
        "local_field_hz": head.local_hz.astype(float) + 0.1 * rng.standard_normal(head.brain.shape),
        "magnitude": combined,
        "noise_sd_hz": noise,
        "mask": head.brain,
        "csf_mask": head.csf,
        "voxel_size_mm": VOXEL,
        "b0_direction": (0.0, 0.0, 1.0),
        "hz_per_ppm": HZ,
        "echo_spacing_s": SPACING_S,
    }


def run(inputs, settings=None, **changes):
    return medi(**(inputs | changes), settings=settings or MediSettings())


def test_recovers_the_brain(inputs, head):
    out = run(inputs)
    assert out.converged
    error = (out.chi_ppm - out.chi_ppm[head.csf].mean() - head.chi_ppm)[head.brain]
    assert np.linalg.norm(error) < 0.35 * np.linalg.norm(head.chi_ppm[head.brain])
    slope = np.polyfit(head.chi_ppm[head.brain], out.chi_ppm[head.brain], 1)[0]
    assert slope == pytest.approx(1, abs=0.1)
    assert not out.chi_ppm[~head.brain].any()
    np.testing.assert_array_equal(out.mask, head.brain)


@pytest.mark.parametrize("b0", [(0.0, 0.0, 1.0), (0.0, 0.5, np.sqrt(0.75))])
def test_recovers_a_sphere(axes_mm, share, sphere_field_of_voxels_ppm, b0):
    shape, voxel = (32, 29, 25), (2.0, 2.0, 2.5)
    axes = axes_mm(shape, voxel)
    r2 = sum(a**2 for a in axes)
    mask = r2 < 26**2
    part = share(shape, voxel, lambda x, y, z: x**2 + y**2 + z**2 < 9**2)
    out = medi(
        HZ * sphere_field_of_voxels_ppm(shape, voxel, 9.0, 0.3, b0),
        magnitude=np.where(mask, 1.0 - 0.4 * part, 0),
        noise_sd_hz=mask * 1.0,
        mask=mask,
        csf_mask=None,
        voxel_size_mm=voxel,
        b0_direction=b0,
        hz_per_ppm=HZ,
        echo_spacing_s=SPACING_S,
    )
    contrast = out.chi_ppm[r2 < 7**2].mean() - out.chi_ppm[mask & (r2 > 12**2)].mean()
    assert contrast == pytest.approx(0.3, rel=0.05)
    assert out.chi_ppm[mask & (r2 > 12**2)].std() < 0.002


def test_objective_never_grows_without_merit(inputs):
    out = run(inputs, MediSettings(merit=False, outer_rtol=0.01))
    assert len(out.objective) == len(out.outer_changes) + 1
    assert len(out.cg_iterations) == len(out.outer_changes)
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in zip(out.objective, out.objective[1:], strict=False))
    assert out.objective[-1] < 0.2 * out.objective[0]


def test_csf_becomes_uniform(inputs, head):
    spread = [run(inputs, MediSettings(lambda_csf=value)).chi_ppm[head.csf].std() for value in (0.0, 100.0, 10000.0)]
    assert spread[0] > spread[1] > spread[2]
    assert spread[2] < 0.2 * spread[0]


def test_an_empty_csf_mask_is_plain_medi(inputs, head):
    none = run(inputs, csf_mask=None)
    np.testing.assert_array_equal(none.chi_ppm, run(inputs, csf_mask=np.zeros_like(head.csf)).chi_ppm)
    np.testing.assert_array_equal(none.chi_ppm, run(inputs, MediSettings(lambda_csf=0)).chi_ppm)


def test_same_map_at_another_field_strength_with_the_same_phase(inputs):
    plain = run(inputs).chi_ppm
    factor = 7.0 / 3.0
    other = run(
        inputs,
        local_field_hz=inputs["local_field_hz"] * factor,
        hz_per_ppm=HZ * factor,
        echo_spacing_s=SPACING_S / factor,
    ).chi_ppm
    np.testing.assert_allclose(other, plain, atol=1e-9)


def test_on_the_ppm_scale_neither_field_strength_nor_spacing_has_a_say(inputs):
    settings = MediSettings(phase_scale="ppm")
    plain = run(inputs, settings).chi_ppm
    factor = 7.0 / 3.0
    scaled = {"local_field_hz": inputs["local_field_hz"] * factor, "hz_per_ppm": HZ * factor, "echo_spacing_s": 0.003}
    np.testing.assert_allclose(run(inputs, settings, **scaled).chi_ppm, plain, atol=1e-9)
    published = run(inputs, hz_per_ppm=127.73, echo_spacing_s=0.0041).chi_ppm
    np.testing.assert_allclose(run(inputs, settings, hz_per_ppm=127.73).chi_ppm, published, atol=1e-9)


@pytest.mark.parametrize("name", ["noise_sd_hz", "magnitude"])
def test_common_scale_of_noise_and_magnitude_has_no_say(inputs, name):
    np.testing.assert_allclose(run(inputs, **{name: inputs[name] * 37.0}).chi_ppm, run(inputs).chi_ppm, atol=1e-6)


def test_outside_of_the_mask_has_no_say(inputs, head):
    spoilt = np.where(head.brain, inputs["local_field_hz"], np.nan)
    np.testing.assert_array_equal(run(inputs, local_field_hz=spoilt).chi_ppm, run(inputs).chi_ppm)


def test_sign(inputs):
    settings = MediSettings(merit=False)
    plain = run(inputs, settings).chi_ppm
    turned = run(inputs, settings, local_field_hz=-inputs["local_field_hz"]).chi_ppm
    np.testing.assert_allclose(turned, -plain, atol=1e-9)


def test_filter_shrinks_the_mask_or_keeps_it(inputs, head):
    smv = ResidualBackgroundSettings(smv_radii_mm=(8.0,))
    out = run(inputs, residual_background=smv)
    assert not (out.mask & ~head.brain).any()
    assert 0.2 < out.mask.sum() / head.brain.sum() < 0.9
    assert not out.chi_ppm[~out.mask].any()
    kept = run(inputs, residual_background=smv.model_copy(update={"rim": "keep", "neighbours_at_edge": True}))
    np.testing.assert_array_equal(kept.mask, head.brain)
    joined = run(inputs, residual_background=smv.model_copy(update={"rim": "joined", "neighbours_at_edge": True}))
    dropped = run(inputs, residual_background=smv.model_copy(update={"neighbours_at_edge": True}))
    assert (dropped.mask <= joined.mask).all()
    assert (joined.mask <= kept.mask).all()
    assert dropped.mask.sum() < joined.mask.sum() < kept.mask.sum()
    iron = head.iron & out.mask
    for found in (out, joined, kept):
        rest = out.mask & ~head.iron
        contrast = found.chi_ppm[iron].mean() - found.chi_ppm[rest].mean()
        wanted = head.chi_ppm[iron].mean() - head.chi_ppm[rest].mean()
        assert contrast == pytest.approx(wanted, rel=0.25)


def test_preconditioning_does_not_change_the_answer(inputs, head):
    exact = MediSettings(merit=False, outer_rtol=1e-3, cg_rtol=1e-3, max_outer=40, cg_max_iter=2000)
    plain = run(inputs, exact)
    quick = run(inputs, exact.model_copy(update={"precondition": True}))
    assert sum(quick.cg_iterations) < sum(plain.cg_iterations)
    assert quick.objective[-1] == pytest.approx(plain.objective[-1], rel=1e-3)
    difference = np.linalg.norm((quick.chi_ppm - plain.chi_ppm)[head.brain])
    assert difference < 0.03 * np.linalg.norm(plain.chi_ppm[head.brain])


def test_filter_that_fits_nowhere_is_refused(inputs):
    with pytest.raises(InputError, match="smv_radii_mm"):
        run(inputs, residual_background=ResidualBackgroundSettings(smv_radii_mm=(49.0,)))


def test_stopping_early_is_reported(inputs):
    assert not run(inputs, MediSettings(max_outer=1, cg_max_iter=3)).converged


def test_progress_grows_and_may_stop_it(inputs):
    seen = []
    run(inputs, on_progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 1

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(inputs, on_progress=stop)


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, inputs, dtype, filtered):
    smv = ResidualBackgroundSettings(smv_radii_mm=(12.0, 8.0), neighbours_at_edge=True, rim="keep")
    options = {"residual_background": smv if filtered else None, "settings": MediSettings(max_outer=3)}
    moved = {
        name: xp_case.asarray(value, None if value.dtype == bool else dtype) if isinstance(value, np.ndarray) else value
        for name, value in inputs.items()
    }
    out = medi(**moved, **options)
    xp_case.check(out.chi_ppm, dtype, inputs["mask"].shape)
    xp_case.check(out.mask, "bool", inputs["mask"].shape)
    wanted = medi(**inputs, **options).chi_ppm
    error = np.linalg.norm(xp_case.numpy(out.chi_ppm) - wanted) / np.linalg.norm(wanted)
    assert error < (1e-9 if dtype == "float64" else 1e-3)
