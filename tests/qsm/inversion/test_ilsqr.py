from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.inversion.boxed import boxed_field
from napari_msqsm.qsm.inversion.ilsqr import (
    IlsqrSettings,
    _data_weights,
    _edge_weights,
    _falling,
    _quick_estimate,
    ilsqr,
)

SHAPE, VOXEL, HZ = (20, 16, 18), (3.0, 3.0, 3.0), 127.7
GRID = {"voxel_size_mm": VOXEL, "b0_direction": (0.0, 0.0, 1.0), "hz_per_ppm": HZ}


@pytest.fixture(scope="module")
def scene(axes_mm, field_ppm):
    r2 = sum(a**2 for a in axes_mm(SHAPE, VOXEL))
    chi = 0.2 * (r2 < 10**2)
    return r2 < 23**2, r2, chi, HZ * field_ppm(chi, VOXEL, (0, 0, 1))


@pytest.fixture(scope="module")
def boxed(scene):
    mask, _, _, field = scene
    return boxed_field(field, mask=mask, margin_mm=12.0, **GRID)


def test_streaks_are_smaller_than_those_of_least_squares(scene):
    mask, r2, _, field = scene
    away = mask & (r2 > 15**2)
    noisy = field + HZ * 0.003 * np.random.default_rng(0).standard_normal(SHAPE)
    narrow = ilsqr(noisy, mask=mask, **GRID, settings=IlsqrSettings(cone=1e-4)).chi_ppm  # next to nothing is removed
    wide = ilsqr(noisy, mask=mask, **GRID).chi_ppm
    assert wide[away].std() < 0.7 * narrow[away].std()


def test_reports_both_linear_systems(scene):
    mask, _, _, field = scene
    out = ilsqr(field, mask=mask, **GRID)
    assert out.converged
    assert out.cg_converged
    assert len(out.cg_iterations) == 2
    assert 0 < out.outer_changes[0] < 1
    first_stopped = ilsqr(field, mask=mask, **GRID, settings=IlsqrSettings(cg_max_iter=out.cg_iterations[0] - 1))
    assert not first_stopped.converged


def test_data_weights_are_lowest_where_the_field_is_rough(boxed, scene):
    _, r2, *_ = scene
    weights = boxed.box.embed(_data_weights(boxed, VOXEL))
    assert weights.min() >= 0
    assert weights.max() == 1
    assert weights[(r2 > 8**2) & (r2 < 12**2)].mean() < 0.7 * weights[(r2 > 16**2) & (r2 < 19**2)].mean()


def test_quick_estimate_has_the_scale_of_the_source(boxed, scene):
    _, r2, chi, _ = scene
    quick = boxed.box.embed(_quick_estimate(boxed, VOXEL))
    mask = boxed.mask
    assert np.corrcoef(quick[mask], chi[mask])[0, 1] > 0.8
    assert quick[r2 < 7**2].mean() - quick[mask & (r2 > 14**2)].mean() == pytest.approx(0.2, rel=0.35)
    assert not quick[~mask].any()


def test_edge_weights_vanish_at_edges_and_at_the_rim(scene):
    mask, _, chi, _ = scene
    textured = chi + 1e-3 * np.random.default_rng(0).standard_normal(SHAPE)
    kept = _edge_weights(np.where(mask, textured + 1.0, 0.0), mask, VOXEL)
    for axis, part in enumerate(kept):
        jump = np.abs(np.roll(chi, -1, axis) - chi) > 0.1
        rim = np.roll(mask, -1, axis) != mask
        assert not part[jump].any()
        assert not part[rim].any()
        assert part[~mask & ~rim].min() == 1.0
        assert 0.5 <= (part > 0)[mask & ~rim].mean() <= 0.75


def test_falling_between_quantiles_and_for_a_constant(xp_case):
    values = np.linspace(0, 10, 11)
    out = xp_case.numpy(_falling(xp_case.asarray(values), xp_case.asarray(values), (0.2, 0.6)))
    np.testing.assert_allclose(out, np.clip((6 - values) / 4, 0, 1))
    flat = xp_case.numpy(_falling(xp_case.asarray(values), xp_case.asarray(np.full(5, 3.0)), (0.2, 0.6)))
    np.testing.assert_array_equal(flat, values <= 3)
