from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient, dot

N = 24
_ROOT = np.random.default_rng(0).standard_normal((N, N))
MATRIX = _ROOT @ _ROOT.T + np.diag(np.linspace(1, 40, N))
RIGHT = np.random.default_rng(1).standard_normal(N)
WANTED = np.linalg.solve(MATRIX, RIGHT)


def apply(x):
    return MATRIX @ x


def solved(**changes):
    return conjugate_gradient(apply, RIGHT, **{"rtol": 1e-10, "max_iter": 200, **changes})


def test_solves_and_says_so():
    found = solved()
    assert found.converged
    np.testing.assert_allclose(found.x, WANTED, rtol=1e-7)
    assert found.residuals[0] == 1
    assert found.residuals[-1] <= 1e-10
    true = np.linalg.norm(RIGHT - MATRIX @ found.x) / np.linalg.norm(RIGHT)
    assert found.residuals[-1] == pytest.approx(true, abs=1e-11)


def test_says_when_it_was_stopped():
    found = solved(max_iter=3)
    assert not found.converged
    assert found.iterations == 3


def test_counts_applications_of_the_operator():
    calls = []
    found = conjugate_gradient(lambda x: calls.append(1) or MATRIX @ x, RIGHT, rtol=1e-6, max_iter=100)
    assert found.iterations == len(calls)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_tolerance_is_relative(scale):
    plain, scaled = solved(rtol=1e-3), conjugate_gradient(apply, scale * RIGHT, rtol=1e-3, max_iter=200)
    assert plain.iterations == scaled.iterations
    np.testing.assert_allclose(scaled.x, scale * plain.x, rtol=1e-10)


def test_preconditioner_reaches_the_same_solution_sooner():
    scale = np.logspace(0, 4, N)
    steep = np.diag(scale) + 0.1 * np.eye(N, k=1) + 0.1 * np.eye(N, k=-1)
    plain = conjugate_gradient(lambda x: steep @ x, RIGHT, rtol=1e-8, max_iter=500)
    helped = conjugate_gradient(lambda x: steep @ x, RIGHT, rtol=1e-8, max_iter=500, precondition=lambda r: r / scale)
    assert helped.converged
    np.testing.assert_allclose(helped.x, np.linalg.solve(steep, RIGHT), rtol=1e-6)
    assert helped.iterations < plain.iterations / 2


def test_zero_right_hand_side():
    found = conjugate_gradient(apply, np.zeros(N), rtol=1e-3, max_iter=5)
    assert found.converged
    assert found.iterations == 0
    assert not found.x.any()


def test_singular_system_in_its_range():
    diagonal = np.array([2.0, 1.0, 0.0])
    found = conjugate_gradient(lambda x: diagonal * x, np.array([2.0, 3.0, 0.0]), rtol=1e-10, max_iter=10)
    np.testing.assert_allclose(found.x, [1.0, 3.0, 0.0])


def test_indefinite_operator_does_not_pass_as_converged():
    found = conjugate_gradient(lambda x: -x, RIGHT, rtol=1e-3, max_iter=10)
    assert not found.converged


def test_callback_may_stop_it():
    def stop(iteration, residual):
        if iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solved(on_iteration=stop)


def test_every_array_library(xp_case):
    diagonal = xp_case.asarray(np.linspace(1, 3, 12).reshape(3, 4), "float32")
    right = xp_case.asarray(np.arange(12.0).reshape(3, 4), "float32")  # read-only with NumPy
    found = conjugate_gradient(lambda x: diagonal * x, right, rtol=1e-5, max_iter=50, precondition=lambda r: r)
    xp_case.check(found.x, "float32", (3, 4))
    np.testing.assert_allclose(xp_case.numpy(diagonal * found.x), np.arange(12.0).reshape(3, 4), atol=1e-3)


def test_dot_keeps_seven_digits_over_many_voxels():
    a = np.full(3_000_000, 0.1, np.float32)
    assert dot(a, a) == pytest.approx(3e6 * float(np.float32(0.1)) ** 2, rel=2e-7)
