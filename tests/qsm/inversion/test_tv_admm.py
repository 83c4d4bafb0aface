from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.inversion.tv_admm import TvSettings, _PhaseData, tv_admm

SHAPE, VOXEL, HZ = (20, 16, 18), (3.0, 3.0, 3.0), 127.7
GRID = {"voxel_size_mm": VOXEL, "b0_direction": (0.0, 0.0, 1.0), "hz_per_ppm": HZ}


@pytest.fixture(scope="module")
def scene(axes_mm, field_ppm):
    r2 = sum(a**2 for a in axes_mm(SHAPE, VOXEL))
    chi = 0.1 * (r2 < 10**2)
    return r2 < 23**2, chi, HZ * field_ppm(chi, VOXEL, (0, 0, 1))


def error(chi, truth, mask):
    return np.linalg.norm((chi - chi[mask].mean() - truth + truth[mask].mean())[mask]) / np.linalg.norm(truth[mask])


def test_stops_near_the_minimum(scene):
    mask, _, field = scene
    out = tv_admm(field, mask=mask, **GRID)
    long = tv_admm(field, mask=mask, **GRID, settings=TvSettings(rtol=1e-7, max_iter=400))
    assert out.converged
    assert len(out.objective) == len(out.outer_changes) + 1
    assert out.objective[-1] == pytest.approx(long.objective[-1], rel=0.03)
    assert error(out.chi_ppm, long.chi_ppm, mask) < 0.01


def test_shrinkage_changes_the_way_but_not_the_goal(scene):
    mask, _, field = scene
    maps = [
        tv_admm(field, mask=mask, **GRID, settings=TvSettings(shrinkage=value, rtol=1e-6, max_iter=300)).chi_ppm
        for value in (3e-4, 1e-3)
    ]
    assert error(maps[0], maps[1], mask) < 0.01


def test_larger_alpha_is_smoother(scene):
    mask, _, field = scene
    noisy = field + HZ * 0.003 * np.random.default_rng(0).standard_normal(SHAPE)
    rough = []
    for alpha in (1e-5, 1e-4, 1e-3):
        chi = tv_admm(noisy, mask=mask, **GRID, settings=TvSettings(alpha=alpha)).chi_ppm
        rough.append(np.abs(np.diff(chi, axis=0)).sum())
    assert rough[0] > 1.3 * rough[1] > 1.3**2 * rough[2]


def test_noise_weights_spare_the_map_from_a_bad_region(scene):
    mask, chi, field = scene
    bad = np.zeros(SHAPE, bool)
    bad[12:16, 4:8, 6:10] = True
    spoilt = field + HZ * 0.03 * bad * np.random.default_rng(0).standard_normal(SHAPE)
    noise = np.where(bad, 0.03, 0.001)
    rest = mask & ~bad
    plain, weighted = (tv_admm(spoilt, mask=mask, noise_sd_hz=n, **GRID).chi_ppm for n in (None, noise))
    assert error(weighted, chi, rest) < 0.5 * error(plain, chi, rest)
    np.testing.assert_allclose(tv_admm(spoilt, mask=mask, noise_sd_hz=37 * noise, **GRID).chi_ppm, weighted, atol=1e-12)
    with pytest.raises(InputError, match="noise_sd_hz"):
        tv_admm(field, mask=mask, noise_sd_hz=np.zeros(SHAPE), **GRID)


def test_phase_wrapped_by_whole_turns_does_less_harm_than_to_a_linear_term(scene):
    mask, chi, field = scene
    wrapped = field.copy()
    wrapped[14:16, 8:10, 8:10] += HZ * 2 * np.pi / 20.0
    settings = TvSettings(radians_per_ppm=20.0), TvSettings(radians_per_ppm=0.01)
    errors = [error(tv_admm(wrapped, mask=mask, **GRID, settings=s).chi_ppm, chi, mask) for s in settings]
    assert errors[0] < 0.5 * errors[1]


def test_small_misfits_do_not_see_the_phase_scale(scene):
    mask, _, field = scene
    maps = [tv_admm(field, mask=mask, **GRID, settings=TvSettings(radians_per_ppm=s)).chi_ppm for s in (1.0, 5.0)]
    assert error(maps[1], maps[0], mask) < 1e-3


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 4.0])
def test_nearest_field_is_a_stationary_point_of_its_own_problem(xp_case, weight):
    field = np.linspace(-0.1, 0.1, 21)
    wanted = field + np.linspace(0.05, -0.05, 21)
    data = _PhaseData(xp_case.asarray(field), xp_case.asarray(np.full(21, weight)), 20.0)
    found = xp_case.numpy(data.nearest(xp_case.asarray(wanted)))
    slope = weight * np.sin(20.0 * (found - field)) / 20.0 + 0.1 * (found - wanted)
    np.testing.assert_allclose(slope, 0, atol=1e-9)


def test_strong_source_is_not_taken_for_whole_turns(axes_mm, sphere_field_of_voxels_ppm):
    r2 = sum(a**2 for a in axes_mm(SHAPE, VOXEL))
    mask = r2 < 23**2
    field = HZ * sphere_field_of_voxels_ppm(SHAPE, VOXEL, 8.0, 1.5, (0, 0, 1))
    assert np.abs(field).max() > 2 * HZ * np.pi / 20.0  # beyond half a turn
    chi = tv_admm(field, mask=mask, **GRID, settings=TvSettings(radians_per_ppm=20.0)).chi_ppm
    assert chi[r2 < 6**2].mean() - chi[mask & (r2 > 15**2)].mean() == pytest.approx(1.5, rel=0.05)


def test_turns_bring_the_field_next_to_the_model():
    turn = 2 * np.pi / 20.0
    data = _PhaseData(np.array([0.01, 0.01 + turn, 0.01 - 2 * turn]), np.ones(3), 20.0)
    model = np.array([0.02, 0.02, 0.02])
    turned = data.turned_to(model)
    np.testing.assert_allclose(turned.field_ppm, 0.01)
    assert turned.misfit(model) == pytest.approx(data.misfit(model))
