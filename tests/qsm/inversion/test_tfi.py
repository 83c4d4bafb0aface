"""Total-field inversion: the brain's sources and those around it, told apart in one inversion."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.lbv import lbv
from napari_msqsm.qsm.inversion.medi import MediSettings, medi
from napari_msqsm.qsm.inversion.tfi import TfiSettings, tfi

SHAPE, VOXEL = (27, 30, 25), (4.0, 4.0, 4.5)
OBLIQUE = (0.0, 0.5, np.sqrt(0.75))
HZ = 127.7
QUICK = TfiSettings(max_outer=2, cg_max_iter=20, margin_mm=8.0)
"""Laws hold on a narrow grid and at any iteration."""


@pytest.fixture(scope="module")
def scene(axes_mm, share, field_ppm, sphere_field_ppm):
    """Nuclei of 0.15 and -0.08 ppm in an oblique field, beside two air spaces: χ, mask, local and total field in Hz."""
    axes = axes_mm(SHAPE, VOXEL)
    mask = sum((a / r) ** 2 for a, r in zip(axes, (38, 45, 42), strict=True)) < 1
    iron = share(SHAPE, VOXEL, lambda x, y, z: (x - 14) ** 2 + (y - 4) ** 2 + (z - 2) ** 2 < 9**2)
    calcium = share(SHAPE, VOXEL, lambda x, y, z: (x + 16) ** 2 + (y + 10) ** 2 + (z + 6) ** 2 < 8**2)
    chi = 0.15 * iron - 0.08 * calcium
    local = field_ppm(chi, VOXEL, OBLIQUE)
    outside = sphere_field_ppm(axes, (4, 62, -20), 14, 9.0, OBLIQUE)
    outside = outside + sphere_field_ppm(axes, (-56, 0, 20), 12, -6.0, OBLIQUE)
    magnitude = np.where(mask, 1.0 - 0.4 * iron + 0.3 * calcium, 0.0)
    return chi, mask, HZ * local, HZ * (local + outside), magnitude


def inverted(scene, field_hz=None, *, settings=None, csf_mask=None, noise_ppm=1e-3, scale=HZ, **more):
    _, mask, _, total, magnitude = scene
    keywords = {
        "magnitude": magnitude,
        "noise_sd_hz": np.where(mask, noise_ppm * scale, 0.0),
        "mask": mask,
        "csf_mask": csf_mask,
        "voxel_size_mm": VOXEL,
        "b0_direction": OBLIQUE,
        "hz_per_ppm": scale,
        "settings": settings or TfiSettings(lambda_csf=0.0),
    }
    return tfi(total if field_hz is None else field_hz, **(keywords | more))


def relative(found, truth, region):
    return float(np.std((found - truth)[region]) / np.std(truth[region]))


def test_finds_sources_and_local_field_below_a_background_many_times_as_strong(scene):
    chi, mask, local, total, _ = scene
    assert total[mask].std() > 10 * local[mask].std()
    out = inverted(scene)
    assert out.converged
    assert out.cg_converged
    np.testing.assert_array_equal(out.mask, mask)
    assert relative(out.chi_ppm, chi, mask) < 0.25
    assert np.polyfit(chi[mask], out.chi_ppm[mask], 1)[0] == pytest.approx(1.0, abs=0.05)
    assert not out.chi_ppm[~mask].any()
    assert not out.local_field_hz[~mask].any()
    other = lbv(total, mask=mask, voxel_size_mm=VOXEL)
    assert relative(out.local_field_hz, local, mask) < 0.15
    assert relative(out.local_field_hz, local, other.mask) < 0.8 * relative(other.field_hz, local, other.mask)


def test_local_field_and_map_belong_together(scene, field_ppm):
    _, mask, _, _, _ = scene
    out = inverted(scene)
    made = HZ * field_ppm(out.chi_ppm, VOXEL, OBLIQUE)
    assert np.std((made - out.local_field_hz)[mask]) < 0.5 * 1e-3 * HZ  # half the noise, a tenth of the local field


def test_a_stronger_background_of_the_same_shape_changes_little(scene):
    chi, mask, local, total, _ = scene
    plain, stronger = inverted(scene).chi_ppm, inverted(scene, local + 1.5 * (total - local)).chi_ppm
    assert np.std((stronger - plain)[mask]) < 0.1 * np.std(chi[mask])


def test_of_a_local_field_it_is_medi(scene):
    _, mask, local, _, magnitude = scene
    csf = mask & (np.abs(magnitude - 1) < 1e-9) & (np.arange(SHAPE[2]) == SHAPE[2] // 2)
    keywords = {"max_outer": 3, "cg_rtol": 1e-5, "outer_rtol": 1e-6, "cg_max_iter": 400}
    out = inverted(scene, local, csf_mask=csf, background_removed=True, settings=TfiSettings(**keywords))
    expected = medi(
        local,
        magnitude=magnitude,
        noise_sd_hz=np.where(mask, 1e-3 * HZ, 0.0),
        mask=mask,
        csf_mask=csf,
        voxel_size_mm=VOXEL,
        b0_direction=OBLIQUE,
        hz_per_ppm=HZ,
        echo_spacing_s=0.0041,
        settings=MediSettings(edges="inside", phase_scale="ppm", **keywords),
    )
    np.testing.assert_allclose(out.chi_ppm, expected.chi_ppm, atol=2e-5)
    np.testing.assert_allclose(out.local_field_hz, np.where(mask, local, 0), atol=1e-9)


def test_objective_falls_with_fixed_weights(scene):
    out = inverted(scene, settings=TfiSettings(lambda_csf=0.0, merit=False, outer_rtol=0.01, max_outer=4))
    assert all(after <= before * (1 + 1e-6) for before, after in zip(out.objective, out.objective[1:], strict=False))
    assert len(out.objective) == len(out.outer_changes) + 1


def test_csf_becomes_uniform(scene):
    _, mask, _, _, _ = scene
    csf = mask & (np.indices(SHAPE)[1] == SHAPE[1] // 2) & (np.indices(SHAPE)[0] < SHAPE[0] // 2)
    plain, out = inverted(scene), inverted(scene, csf_mask=csf, settings=TfiSettings(lambda_csf=1e5))
    assert out.chi_ppm[csf].std() < 0.5 * plain.chi_ppm[csf].std()
    assert not out.warnings


@pytest.mark.parametrize("csf", [None, np.zeros(SHAPE, bool)], ids=["none", "empty"])
def test_without_csf_it_says_so(scene, csf):
    assert "no ventricular CSF" in inverted(scene, csf_mask=csf, settings=QUICK).warnings[0]


def test_same_map_at_any_field_strength(scene):
    _, _, _, total, _ = scene
    plain = inverted(scene, settings=QUICK)
    other = inverted(scene, total * 7 / 3, scale=HZ * 7 / 3, settings=QUICK)
    np.testing.assert_allclose(other.chi_ppm, plain.chi_ppm, atol=1e-9)


def test_scale_of_the_noise_does_not_matter(scene):
    plain = inverted(scene, settings=QUICK).chi_ppm
    np.testing.assert_allclose(inverted(scene, noise_ppm=0.7, settings=QUICK).chi_ppm, plain, atol=1e-9)


def test_outside_of_the_mask_has_no_say(scene):
    _, mask, _, total, _ = scene
    plain = inverted(scene, settings=QUICK).chi_ppm
    np.testing.assert_array_equal(inverted(scene, np.where(mask, total, 1e3), settings=QUICK).chi_ppm, plain)


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 1, 0)])
def test_same_map_for_permuted_and_mirrored_axes(scene, axes):
    _, mask, _, total, magnitude = scene
    flip = axes[0]
    plain = inverted(scene, settings=QUICK).chi_ppm

    def turned(image):
        return np.flip(np.transpose(image, axes), flip)

    b0 = [OBLIQUE[a] for a in axes]
    b0[flip] *= -1
    out = inverted(
        scene,
        turned(total),
        magnitude=turned(magnitude),
        mask=turned(mask),
        noise_sd_hz=np.where(turned(mask), 1e-3 * HZ, 0.0),
        voxel_size_mm=tuple(VOXEL[a] for a in axes),
        b0_direction=tuple(b0),
        settings=QUICK,
    )
    # an edge's weight is kept with its lower voxel, so that mirrored maps agree as far as edges are symmetric
    assert np.std((out.chi_ppm - turned(plain))[turned(mask)]) < 1e-6


def test_voxels_without_a_field_get_the_field_of_the_map(scene):
    chi, mask, local, total, _ = scene
    hole = np.zeros(SHAPE, bool)
    hole[11:14, 18:20, 10:12] = True
    noise = np.where(mask & ~hole, 1e-3 * HZ, 0.0)
    out = inverted(scene, np.where(hole, 500.0, total), noise_sd_hz=noise)
    assert relative(out.chi_ppm, chi, mask) < 0.3
    assert np.abs(out.local_field_hz - local)[hole].max() < 0.3 * np.abs(local[mask]).max()


def test_refusals(scene):
    _, mask, _, _, _ = scene
    with pytest.raises(InputError, match="noise_sd_hz is zero in the whole mask"):
        inverted(scene, noise_sd_hz=np.zeros(SHAPE))
    thin = np.zeros_like(mask)
    thin[:, :, 10] = mask[:, :, 10]
    with pytest.raises(InputError, match="no interior"):
        inverted(scene, mask=thin, noise_sd_hz=thin * 0.1)


def test_stopping_early_is_reported_and_a_field_of_zero_is_a_map_of_zero(scene):
    out = inverted(scene, settings=TfiSettings(cg_max_iter=3, max_outer=1))
    assert not out.converged
    assert not out.cg_converged
    nothing = inverted(scene, np.zeros(SHAPE))
    assert nothing.converged
    assert not nothing.chi_ppm.any()


def test_progress_grows_and_may_stop_it(scene):
    seen = []
    inverted(scene, settings=QUICK, on_progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 1

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inverted(scene, settings=QUICK, on_progress=stop)


def test_every_array_library(xp_case, scene):
    _, mask, _, total, magnitude = scene
    host = {"magnitude": magnitude, "noise_sd_hz": np.where(mask, 1e-3 * HZ, 0.0)}
    expected = inverted(scene, settings=QUICK, csf_mask=mask & (magnitude > 1.1))
    out = inverted(
        scene,
        xp_case.asarray(total, "float32"),
        mask=xp_case.asarray(mask),
        csf_mask=xp_case.asarray(mask & (magnitude > 1.1)),
        settings=QUICK,
        **{name: xp_case.asarray(image, "float32") for name, image in host.items()},
    )
    xp_case.check(out.chi_ppm, "float32", SHAPE)
    xp_case.check(out.local_field_hz, "float32", SHAPE)
    xp_case.check(out.mask, "bool", SHAPE)
    np.testing.assert_allclose(xp_case.numpy(out.chi_ppm), expected.chi_ppm, atol=2e-3)
