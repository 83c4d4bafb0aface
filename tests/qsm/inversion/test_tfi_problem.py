"""The objective of total-field inversion: its gradient, its curvature, its preconditioner."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole
from napari_msqsm.qsm.inversion.medi_problem import MediProblem
from napari_msqsm.qsm.inversion.tfi_problem import TotalFieldProblem, gauss_newton

SHAPE, VOXEL = (12, 11, 10), (2.0, 2.0, 3.0)
B0 = (0.0, 0.5, np.sqrt(0.75))


@pytest.fixture
def problem(axes_mm):
    rng = np.random.default_rng(0)
    inside = sum(a**2 for a in axes_mm(SHAPE, VOXEL)) < 9**2
    edges = [1.0 * (rng.random(SHAPE) > 0.3) * (inside & np.roll(inside, -1, axis)) for axis in range(3)]
    medi = MediProblem(
        field=np.where(inside, 0.3 * rng.standard_normal(SHAPE), 0.0),
        model=FilteredDipole(dipole_kernel(SHAPE, VOXEL, B0, like=np.zeros(1)), None),
        noise=np.where(inside, 0.5 + rng.random(SHAPE), 0.0),
        mask=inside,
        edges_kept=edges,
        csf=inside & (rng.random(SHAPE) > 0.8),
        voxel_size_mm=VOXEL,
        lambda_data=100.0,
        lambda_csf=10.0,
    )
    return TotalFieldProblem(medi, inside, np.where(inside, 0.0, 0.7), sources_outside=True)


def test_downhill_is_minus_the_gradient(problem):
    rng = np.random.default_rng(1)
    at, along = 0.2 * rng.standard_normal(SHAPE), rng.standard_normal(SHAPE)
    _, downhill = problem.linearised(at)
    step = 1e-5
    slope = (problem.objective(at + step * along) - problem.objective(at - step * along)) / (2 * step)
    assert -float((downhill * along).sum()) == pytest.approx(slope, rel=1e-5)


def test_operator_and_preconditioner_are_symmetric_and_positive(problem):
    rng = np.random.default_rng(2)
    at, a, b = (rng.standard_normal(SHAPE) for _ in range(3))
    normal, _ = problem.linearised(at)
    for apply in (normal, problem.preconditioner(at)):
        assert float((a * apply(b)).sum()) == pytest.approx(float((apply(a) * b).sum()), rel=1e-9)
        assert float((a * apply(a)).sum()) > 0


def test_outside_and_inside_are_both_unknowns(problem):
    sources, (converged, changes, _, objective, linear) = gauss_newton(
        problem, max_outer=10, outer_rtol=0.05, cg_max_iter=200, cg_rtol=1e-4, merit=False, report=lambda _: None
    )
    assert converged
    assert linear
    assert changes[-1] < 0.05
    assert objective[-1] < 0.8 * objective[0]
    assert all(after <= before * (1 + 1e-6) for before, after in pairwise(objective))
    assert np.abs(sources[~problem.inside]).max() > 0
    normal, downhill = problem.linearised(sources)
    assert float((downhill * downhill).sum()) < 0.01 * float((problem.linearised(0.0 * sources)[1] ** 2).sum())
    assert float((sources * normal(sources)).sum()) > 0
