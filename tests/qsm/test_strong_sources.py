"""Two passes: a haemorrhage beside a faint lesion, and maps in which nothing is strong."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.strong_sources import TwoPassSettings, strong_sources, two_pass

SHAPE, VOXEL, HZ = (38, 36, 33), (2.0, 2.0, 2.5), 127.7
Z, OBLIQUE = (0.0, 0.0, 1.0), (0.0, 0.5, np.sqrt(0.75))
BLOOD_PPM, LESION_PPM, NOISE_PPM = 1.5, 0.02, 0.002


@pytest.fixture(scope="module")
def scene(axes_mm, share, field_ppm, sphere_field_of_voxels_ppm):
    """A sphere of 1.5 ppm, its field in closed form, and a lesion of 20 ppb on one of its streaks."""
    x, y, z = axes_mm(SHAPE, VOXEL)
    mask = ((x - 1) / 34) ** 2 + (y / 32) ** 2 + (z / 38) ** 2 < 1
    blood = share(SHAPE, VOXEL, lambda x, y, z: x**2 + y**2 + z**2 < 6**2)
    lesion = share(SHAPE, VOXEL, lambda x, y, z: (x + 12) ** 2 + (y + 6) ** 2 + (z - 10) ** 2 < 6**2)
    rest = LESION_PPM * lesion
    noise = NOISE_PPM * np.random.default_rng(0).standard_normal(SHAPE)
    weak = {b0: HZ * (field_ppm(rest, VOXEL, b0) + noise) for b0 in (Z, OBLIQUE)}
    both = {b0: field + HZ * sphere_field_of_voxels_ppm(SHAPE, VOXEL, 6.0, BLOOD_PPM, b0) for b0, field in weak.items()}
    return mask, blood, lesion, weak, both


def once(settings, mask, b0=Z, **more):
    def invert(field_hz, on_progress):
        return run_method(
            METHODS[type(settings)],
            field_hz,
            mask=mask,
            noise_sd_hz=None,
            voxel_size_mm=VOXEL,
            b0_direction=b0,
            hz_per_ppm=HZ,
            settings=settings,
            on_progress=on_progress,
            **more,
        )

    return invert


def twice(invert, field_hz, mask, b0=Z, *, settings=None, **changes):
    keywords = {"voxel_size_mm": VOXEL, "b0_direction": b0, "hz_per_ppm": HZ} | changes
    if "noise_sd_hz" not in keywords:
        keywords["noise_sd_hz"] = np.where(mask, NOISE_PPM * HZ, 0.0)
    return two_pass(invert, field_hz, settings=settings, **keywords)


def contrast(chi, region, around):
    return chi[region > 0.9].mean() - chi[around].mean()


@pytest.mark.parametrize("b0", [Z, OBLIQUE], ids=["along z", "oblique"])
@pytest.mark.parametrize("settings", [TkdSettings(), ClosedFormL2Settings()], ids=["tkd", "l2"])
def test_streaks_of_a_haemorrhage_and_the_error_of_a_lesion_beside_it_fall(axes_mm, scene, settings, b0):
    mask, blood, lesion, weak, both = scene
    x, y, z = axes_mm(SHAPE, VOXEL)
    away = mask & (x**2 + y**2 + z**2 > 10**2)
    shell = away & ((x + 12) ** 2 + (y + 6) ** 2 + (z - 10) ** 2 < 10**2) & (lesion == 0)
    invert = once(settings, mask, b0)
    without = invert(weak[b0], lambda _: None).chi_ppm  # what the inversion makes of the rest alone
    plain, better = invert(both[b0], lambda _: None).chi_ppm, twice(invert, both[b0], mask, b0).chi_ppm
    assert (better - without)[away].std() < 0.2 * (plain - without)[away].std()
    wanted = contrast(without, lesion, shell)
    assert abs(contrast(better, lesion, shell) - wanted) < 0.25 * abs(contrast(plain, lesion, shell) - wanted)
    assert abs(contrast(better, lesion, shell) - wanted) < 2e-3
    assert contrast(better, blood, away) == pytest.approx(BLOOD_PPM, rel=0.05)
    assert not better[~mask].any()


def test_a_calcification_is_as_good_as_blood(scene):
    mask, blood, _, weak, both = scene
    out = twice(once(TkdSettings(), mask), 2 * weak[Z] - both[Z], mask).chi_ppm
    assert contrast(out, blood, mask & (blood == 0)) == pytest.approx(-BLOOD_PPM, rel=0.05)


def test_where_nothing_is_strong_the_first_pass_is_the_result(scene):
    mask, _, _, weak, _ = scene
    calls = []

    def invert(field_hz, on_progress):
        calls.append(field_hz)
        return once(TkdSettings(), mask)(field_hz, on_progress)

    out = twice(invert, weak[Z], mask)
    assert len(calls) == 1
    assert calls[0] is weak[Z]
    np.testing.assert_array_equal(out.chi_ppm, tkd(weak[Z], mask=mask, **_grid()).chi_ppm)
    assert not out.warnings


def _grid():
    return {"voxel_size_mm": VOXEL, "b0_direction": Z, "hz_per_ppm": HZ}


def test_the_two_maps_and_fields_add_up(scene):
    """The field handed to the second pass is the first less that of what was fitted."""
    mask, _, _, _, both = scene
    seen = []

    def invert(field_hz, _):
        seen.append(field_hz)
        return Inversion(
            np.where(mask, 1.0 * (np.abs(field_hz) > 50), 0.0),
            mask,
            True,
            (0.5,),
            (7,),
            (2.0,),
            local_field_hz=field_hz,
        )

    out = twice(invert, both[Z], mask)
    assert len(seen) == 2
    assert out.outer_changes == (0.5, 0.5)
    assert out.cg_iterations == (7, 7)
    assert out.objective == (2.0,)
    explained = strong_sources(1.0 * (mask & (np.abs(both[Z]) > 50)), mask, threshold_ppm=0.4)
    np.testing.assert_allclose(out.local_field_hz[~explained], both[Z][~explained], atol=1e-9)
    assert not seen[1][explained].any()
    assert (seen[1] - both[Z])[mask].std() > 0.1 * both[Z][mask].std()


def test_strong_is_measured_from_the_median_and_takes_neighbours_along():
    chi = np.full((5, 7, 5), 0.5)
    mask = np.ones(chi.shape, bool)
    mask[0] = False
    chi[0], chi[1, 1, 1], chi[3, 4, 3], chi[3, 1, 3] = 9.0, 0.95, 0.05, 0.85
    found = {tuple(int(i) for i in place) for place in np.argwhere(strong_sources(chi, mask, threshold_ppm=0.4))}
    first = {(1, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2)}
    second = {(3, 4, 3), (2, 4, 3), (4, 4, 3), (3, 3, 3), (3, 5, 3), (3, 4, 2), (3, 4, 4)}
    assert found == first | second


def test_unmeasured_voxels_are_not_used(scene):
    mask, blood, _, _, both = scene
    hidden = blood > 0  # a haemorrhage has no signal
    noise = np.where(mask & ~hidden, NOISE_PPM * HZ, 0.0)
    invert = once(TkdSettings(), mask)
    field = np.where(hidden, 0.0, both[Z])
    settings = TwoPassSettings(threshold_ppm=0.3)
    plain = twice(invert, field, mask, noise_sd_hz=noise, settings=settings)
    first = invert(field, lambda _: None)
    strong = strong_sources(first.chi_ppm, mask, threshold_ppm=0.3)
    assert strong.any()

    def elsewhere(field_hz, report):
        return invert(np.where(hidden, 0.0, field_hz), report)

    other = twice(elsewhere, np.where(hidden, 77.0, both[Z]), mask, noise_sd_hz=noise, settings=settings)
    inner = twice(elsewhere, field, mask, noise_sd_hz=noise, settings=settings)
    np.testing.assert_allclose(other.chi_ppm, inner.chi_ppm, atol=1e-12)
    assert np.isfinite(plain.chi_ppm).all()


def test_what_was_done_and_what_did_not_converge_is_said(scene):
    mask, _, _, _, both = scene
    out = twice(once(TkdSettings(), mask), both[Z], mask)
    assert any("voxels" in sentence and "±0.4 ppm" in sentence for sentence in out.warnings)
    out = twice(once(TkdSettings(), mask), both[Z], mask, settings=TwoPassSettings(cg_max_iter=1))
    assert any("before its tolerance" in sentence for sentence in out.warnings)


def test_same_map_at_any_field_strength(scene):
    mask, _, _, _, both = scene
    invert = once(TkdSettings(), mask)
    plain = twice(invert, both[Z], mask).chi_ppm

    def stronger(field_hz, report):
        return invert(field_hz / 3, report)

    out = twice(stronger, 3 * both[Z], mask, hz_per_ppm=3 * HZ, noise_sd_hz=np.where(mask, 3 * NOISE_PPM * HZ, 0.0))
    np.testing.assert_allclose(out.chi_ppm, plain, atol=1e-9)


def test_progress_grows_and_may_stop_it(scene):
    mask, _, _, _, both = scene

    def invert(field_hz, report):
        for fraction in (0.0, 0.5, 1.0):
            report(fraction)
        return once(TkdSettings(), mask)(field_hz, report)

    seen = []
    twice(invert, both[Z], mask, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)
    assert len(seen) > 6


def test_every_array_library(xp_case, scene):
    mask, _, _, _, both = scene
    expected = twice(once(TkdSettings(), mask), both[Z], mask).chi_ppm
    on_device = xp_case.asarray(mask)
    out = twice(
        once(TkdSettings(), on_device),
        xp_case.asarray(both[Z], "float32"),
        on_device,
        noise_sd_hz=xp_case.asarray(np.where(mask, NOISE_PPM * HZ, 0.0), "float32"),
    )
    xp_case.check(out.chi_ppm, "float32", SHAPE)
    np.testing.assert_allclose(xp_case.numpy(out.chi_ppm), expected, atol=5e-3)
