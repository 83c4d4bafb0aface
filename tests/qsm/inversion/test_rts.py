from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.inversion.rts import RtsSettings, rts

SHAPE, VOXEL, HZ = (20, 16, 18), (3.0, 3.0, 3.0), 127.7
GRID = {"voxel_size_mm": VOXEL, "b0_direction": (0.0, 0.0, 1.0), "hz_per_ppm": HZ}


@pytest.fixture(scope="module")
def scene(axes_mm, field_ppm):
    r2 = sum(a**2 for a in axes_mm(SHAPE, VOXEL))
    chi = 0.2 * (r2 < 10**2)
    return r2 < 23**2, chi, HZ * field_ppm(chi, VOXEL, (0, 0, 1))


def test_does_not_stop_where_the_first_step_left_it(scene):
    mask, chi, field = scene
    out = rts(field, mask=mask, **GRID)
    assert out.converged
    assert len(out.outer_changes) > 10
    once = rts(field, mask=mask, **GRID, settings=RtsSettings(max_iter=1))
    assert not once.converged
    error = [np.linalg.norm((x - x[mask].mean() - chi + chi[mask].mean())[mask]) for x in (once.chi_ppm, out.chi_ppm)]
    assert error[1] < 0.7 * error[0]


def test_objective_ends_below_its_start_and_near_that_of_a_long_run(scene):
    mask, _, field = scene
    out = rts(field, mask=mask, **GRID)
    long = rts(field, mask=mask, **GRID, settings=RtsSettings(rtol=1e-6, max_iter=400))
    assert len(out.objective) == len(out.outer_changes) + 1
    assert out.objective[-1] < 0.9 * out.objective[0]
    assert out.objective[-1] == pytest.approx(long.objective[-1], rel=0.01)


def test_trusted_part_of_k_space_comes_from_the_field(scene):
    _, _, field = scene
    settings = RtsSettings(mu=1e9, least_squares_iterations=60, margin_mm=0.0)
    out = rts(field, mask=np.ones(SHAPE, bool), **GRID, settings=settings)
    dipole = dipole_kernel(SHAPE, VOXEL, (0, 0, 1), like=field)
    trusted = np.abs(dipole) > settings.threshold
    found, data = np.fft.rfftn(out.chi_ppm) * dipole, np.fft.rfftn(field / HZ)
    np.testing.assert_allclose(found[trusted], data[trusted], atol=1e-3 * np.abs(data).max())


def test_objective_counts_the_misfit_over_all_of_k_space(scene):
    mask, _, field = scene
    settings = RtsSettings(mu=10.0, max_iter=3, margin_mm=0.0)
    whole = np.ones_like(mask)
    out = rts(field, mask=whole, **GRID, settings=settings)
    known = rts(field, mask=whole, **GRID, settings=RtsSettings(mu=1e12, threshold=1e-9, max_iter=1, margin_mm=0.0))
    size = np.abs(np.fft.fftn(out.chi_ppm - known.chi_ppm, norm="ortho")) ** 2
    k = np.meshgrid(*(np.fft.fftfreq(n, step) for n, step in zip(SHAPE, VOXEL, strict=True)), indexing="ij")
    squared = sum(a**2 for a in k)
    dipole = 1 / 3 - k[2] ** 2 / np.where(squared > 0, squared, 1)
    dipole[0, 0, 0] = 0
    slopes = [np.abs(np.roll(out.chi_ppm, -1, axis) - out.chi_ppm).sum() / VOXEL[axis] for axis in range(3)]
    wanted = sum(slopes) + 0.5 * 10.0 * size[np.abs(dipole) > settings.threshold].sum()
    assert out.objective[-1] == pytest.approx(wanted, rel=1e-6)
