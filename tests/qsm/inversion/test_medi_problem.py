"""The objective and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole, harmonic_filter
from napari_msqsm.qsm.inversion.medi_problem import MediProblem, inner_edges, published_edges
from napari_msqsm.qsm.stencils import gradient, shrunk

SHAPE, VOXEL, OBLIQUE = (15, 14, 11), (1.0, 1.2, 1.5), (0.0, 0.6, 0.8)


@pytest.fixture
def parts(axes_mm):
    x, y, z = axes_mm(SHAPE, VOXEL)
    mask = np.asarray((x / 6) ** 2 + (y / 7) ** 2 + (z / 7) ** 2 < 1)
    csf = mask & (x**2 + y**2 < 5)
    rng = np.random.default_rng(0)
    magnitude = np.where(mask, 1 + 0.5 * (y > 1) + 0.05 * rng.standard_normal(SHAPE), 0)
    return mask, csf, magnitude, rng


def problem(parts, *, filtered=False, lambda_csf=100.0):
    mask, csf, magnitude, rng = parts
    like = xp.zeros(1)
    harmonic = None
    if filtered:
        harmonic = harmonic_filter(mask, VOXEL, radii_mm=(2.5,), neighbours_at_edge=True, like=like)
    return MediProblem(
        field=np.where(mask, 0.3 * rng.standard_normal(SHAPE), 0),
        model=FilteredDipole(dipole_kernel(SHAPE, VOXEL, OBLIQUE, like=like), harmonic),
        noise=np.where(mask, rng.uniform(0.5, 2, SHAPE), 0),
        mask=mask if harmonic is None else harmonic.covered,
        edges_kept=published_edges(magnitude, mask, voxel_size_mm=VOXEL, edge_fraction=0.9),
        csf=csf if lambda_csf else None,
        voxel_size_mm=VOXEL,
        lambda_data=50.0,
        lambda_csf=lambda_csf,
    )


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("lambda_csf", [0.0, 100.0])
def test_downhill_is_minus_the_gradient(parts, filtered, lambda_csf):
    medi = problem(parts, filtered=filtered, lambda_csf=lambda_csf)
    rng = np.random.default_rng(1)
    chi = 0.2 * rng.standard_normal(SHAPE)
    _, downhill = medi.linearised(chi)
    for _ in range(5):
        direction = rng.standard_normal(SHAPE)
        step = 1e-5
        slope = (medi.objective(chi + step * direction) - medi.objective(chi - step * direction)) / (2 * step)
        assert slope == pytest.approx(-np.vdot(downhill, direction), rel=2e-4)


@pytest.mark.parametrize("filtered", [False, True])
def test_normal_operator_is_symmetric_positive_and_linear(parts, filtered):
    medi = problem(parts, filtered=filtered)
    rng = np.random.default_rng(2)
    normal, _ = medi.linearised(0.2 * rng.standard_normal(SHAPE))
    a, b = rng.standard_normal((2, *SHAPE))
    assert np.vdot(a, normal(b)) == pytest.approx(np.vdot(normal(a), b), rel=1e-9)
    assert np.vdot(a, normal(a)) > 0
    np.testing.assert_allclose(normal(2 * a - b), 2 * normal(a) - normal(b), rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("filtered", [False, True])
def test_preconditioner_is_symmetric_positive_and_saves_iterations(parts, filtered):
    medi = problem(parts, filtered=filtered, lambda_csf=0.0)
    rng = np.random.default_rng(3)
    chi = 0.2 * rng.standard_normal(SHAPE)
    normal, downhill = medi.linearised(chi)
    precondition = medi.preconditioner(chi)
    a, b = rng.standard_normal((2, *SHAPE))
    assert np.vdot(a, precondition(b)) == pytest.approx(np.vdot(precondition(a), b), rel=1e-9)
    assert np.vdot(a, precondition(a)) > 0
    limits = {"rtol": 1e-3, "max_iter": 500}
    plain = conjugate_gradient(normal, downhill, **limits)
    quick = conjugate_gradient(normal, downhill, precondition=precondition, **limits)
    assert plain.converged
    assert quick.converged
    assert quick.iterations < plain.iterations


def test_weights_have_mean_one_and_unknown_voxels_none(parts):
    medi = problem(parts)
    mask = parts[0]
    assert medi.weights[mask].mean() == pytest.approx(1)
    assert not medi.weights[~mask].any()
    medi.noise = np.where(np.arange(SHAPE[0])[:, None, None] == 7, 0.0, medi.noise)
    medi._set_weights()
    assert not medi.weights[7].any()


def test_outliers_lose_weight(parts):
    medi = problem(parts)
    field = np.where(parts[0], 0.01, 0.0)
    field[7, 7, 5] = 3.0
    medi.field = field
    medi.noise = np.where(parts[0], 1.0, 0.0)
    medi._set_weights()
    before = medi.weights.copy()
    medi.discount_outliers(np.zeros(SHAPE))
    assert medi.weights[7, 7, 5] < 0.5 * before[7, 7, 5]
    assert medi.weights[7, 7, 7] == pytest.approx(1, rel=0.05)


def test_published_edges_are_as_many_as_said_and_the_strongest(parts):
    mask, _, magnitude, _ = parts
    edges = published_edges(magnitude, mask, voxel_size_mm=VOXEL, edge_fraction=0.9)
    free = sum(int((part == 0).sum()) for part in edges)
    assert free == pytest.approx(0.9 * mask.sum(), rel=0.02)
    assert all(set(np.unique(part)) <= {0.0, 1.0} for part in edges)
    strength = [np.abs(part) for part in gradient(np.where(mask, magnitude, 0), VOXEL)]
    weakest_free = min(part[edge == 0].min() for part, edge in zip(strength, edges, strict=True))
    strongest_kept = max(part[edge == 1].max() for part, edge in zip(strength, edges, strict=True))
    assert weakest_free > strongest_kept


@pytest.mark.parametrize("rim_is_measured", [False, True])
def test_inner_edges_regularise_the_rim_where_it_has_no_field(parts, rim_is_measured):
    mask, _, magnitude, _ = parts
    measured = mask if rim_is_measured else shrunk(mask)
    edges = inner_edges(magnitude, mask, voxel_size_mm=VOXEL, edge_fraction=0.9, measured=measured)
    free = 0
    for axis, part in enumerate(edges):
        rim = mask ^ np.roll(mask, -1, axis)
        assert (part[rim] == (0 if rim_is_measured else 1)).all()
        free += int((part[~rim] == 0).sum())
    inside = sum(int((mask & np.roll(mask, -1, axis)).sum()) for axis in range(3))
    assert free == pytest.approx(0.3 * inside, rel=0.03)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_library(xp_case, parts, dtype):
    mask, csf, magnitude, rng = parts
    like = xp_case.asarray([0.0], dtype)
    noise, field = np.where(mask, rng.uniform(0.5, 2, SHAPE), 0), np.where(mask, rng.standard_normal(SHAPE), 0)
    chi = 0.1 * rng.standard_normal(SHAPE)
    results = {}
    for name, send in (("case", xp_case.asarray), ("numpy", np.asarray)):
        as_type = dtype if name == "case" else "float64"
        one = like if name == "case" else xp.zeros(1)
        medi = MediProblem(
            field=send(field, as_type),
            model=FilteredDipole(dipole_kernel(SHAPE, VOXEL, OBLIQUE, like=one), None),
            noise=send(noise, as_type),
            mask=send(mask),
            edges_kept=inner_edges(send(magnitude, as_type), send(mask), voxel_size_mm=VOXEL, edge_fraction=0.9),
            csf=send(csf),
            voxel_size_mm=VOXEL,
            lambda_data=50.0,
            lambda_csf=10.0,
        )
        medi.discount_outliers(send(chi, as_type))
        normal, downhill = medi.linearised(send(chi, as_type))
        preconditioned = medi.preconditioner(send(chi, as_type))(downhill)
        results[name] = medi.objective(send(chi, as_type)), normal(send(chi, as_type)), downhill, preconditioned
    for out in results["case"][1:]:
        xp_case.check(out, dtype, SHAPE)
    assert results["case"][0] == pytest.approx(results["numpy"][0], rel=1e-4)
    for out, wanted in zip(results["case"][1:], results["numpy"][1:], strict=True):
        np.testing.assert_allclose(xp_case.numpy(out), wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
