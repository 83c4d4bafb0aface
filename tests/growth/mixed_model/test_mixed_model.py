"""The mixed model against the dense likelihood, its laws, and lme4's answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.growth.mixed_model.columns import independent_columns
from napari_msqsm.growth.mixed_model.fit import fit_mixed_model
from napari_msqsm.growth.mixed_model.groups import Groups
from napari_msqsm.growth.mixed_model.kenward_roger import KenwardRoger
from napari_msqsm.growth.mixed_model.satterthwaite import Satterthwaite


def cohort(seed=1, n_patients=8, slope=False, sd=(3.0, 2.0, 1.0)):
    """Unbalanced rows: response, design, patient, lesion, age."""
    rng = np.random.default_rng(seed)
    patient, lesion, age = [], [], []
    for p in range(n_patients):
        for k in range(rng.integers(1, 4)):
            n = rng.integers(2, 7)
            patient += [f"P{p}"] * n
            lesion += [f"L{k}"] * n
            age += list(np.sort(rng.uniform(0, 6, n)))
    patient, lesion, age = np.array(patient), np.array(lesion), np.array(age)
    groups = Groups.of(patient, lesion)
    y = 10 + 2 * age - 0.3 * age**2
    y += sd[0] * rng.standard_normal(groups.n_patients)[groups.patient_of_row]
    y += sd[1] * rng.standard_normal(groups.n_lesions)[groups.lesion_of_row]
    if slope:
        y += 1.5 * rng.standard_normal(groups.n_patients)[groups.patient_of_row] * age
    y += sd[2] * rng.standard_normal(age.size)
    return y, np.stack([np.ones_like(age), age, age**2], axis=1), patient, lesion, age


def dense_deviance(y, x, v, *, reml):
    """−2 log-likelihood with β and σ² profiled out, from the whole covariance."""
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    rest = y - x @ beta
    n, p = x.shape
    degrees = n - p if reml else n
    out = np.linalg.slogdet(v)[1] + degrees * (1 + np.log(2 * np.pi * (rest @ inverse @ rest) / degrees))
    return out + np.linalg.slogdet(information)[1] * reml


def covariance(theta, groups, age, slope):
    """V/σ² of all rows."""
    same = groups.lesion_of_row[:, None] == groups.lesion_of_row
    person = groups.patient_of_row[:, None] == groups.patient_of_row
    v = np.eye(age.size) + theta[0] ** 2 * same
    z = np.stack([np.ones_like(age), age], axis=1) if slope else np.ones((age.size, 1))
    factor = np.array([[theta[1], 0.0], [theta[2], theta[3]]]) if slope else np.array([[theta[1]]])
    return v + person * (z @ factor @ factor.T @ z.T)


@pytest.mark.parametrize("slope", [False, True])
@pytest.mark.parametrize("reml", [False, True])
def test_deviance_and_slopes_equal_the_dense_ones(slope, reml):
    y, x, patient, lesion, age = cohort(slope=slope)
    groups = Groups.of(patient, lesion, age if slope else None)
    fit = fit_mixed_model(y, x, ("1", "t", "t2"), groups, reml=reml)
    deviance = fit.deviance()
    theta = np.array([0.7, 0.9, -0.2, 0.4][: 4 if slope else 2])

    def dense(at):
        return dense_deviance(y / fit.scale, x, covariance(at, groups, age, slope), reml=reml)

    value, slopes = deviance.profiled(theta)
    assert value == pytest.approx(dense(theta), abs=1e-9)
    assert slopes == pytest.approx(optimize.approx_fprime(theta, dense, 1e-6), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("slope", [False, True])
def test_fit_is_the_minimum_that_a_general_optimiser_finds(slope):
    y, x, patient, lesion, age = cohort(seed=3, n_patients=12, slope=slope)
    groups = Groups.of(patient, lesion, age if slope else None)
    fit = fit_mixed_model(y, x, ("1", "t", "t2"), groups)

    def dense(at):
        return dense_deviance(y, x, covariance(at, groups, age, slope), reml=True)

    found = min(
        optimize.minimize(
            dense, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 8000}
        ).fun
        for start in ([1, 1, 0, 1], [0.3, 2, 0.2, 0.3])[: 2 if slope else 1]
        for start in [np.array(start[: 4 if slope else 2], dtype=float)]
    )
    assert fit.converged
    assert -2 * fit.loglik == pytest.approx(found, abs=1e-5)
    v = covariance(fit.theta, groups, age, slope)
    cov = fit.sigma**2 * np.linalg.inv(x.T @ np.linalg.inv(v) @ x)
    assert fit.cov == pytest.approx(cov, rel=1e-8)
    assert fit.beta == pytest.approx(
        np.linalg.solve(x.T @ np.linalg.solve(v, x), x.T @ np.linalg.solve(v, y)), rel=1e-8
    )


@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1e-3, 1e3, 1e6]))
@settings(max_examples=20, deadline=None)
def test_unit_of_the_response_does_not_matter(seed, factor):
    y, x, patient, lesion, _ = cohort(seed=seed)
    one, other = (fit_mixed_model(y * unit, x, ("1", "t", "t2"), Groups.of(patient, lesion)) for unit in (1.0, factor))
    assert other.beta == pytest.approx(factor * one.beta, rel=1e-6)
    assert other.se == pytest.approx(factor * one.se, rel=1e-6)
    assert other.theta == pytest.approx(one.theta, abs=1e-6)
    degrees = one.n_rows - len(one.names)
    assert other.loglik == pytest.approx(one.loglik - degrees * np.log(factor), abs=1e-6)


def test_order_of_rows_and_names_of_groups_do_not_matter():
    y, x, patient, lesion, _ = cohort()
    order = np.random.default_rng(0).permutation(y.size)
    one = fit_mixed_model(y, x, ("1", "t", "t2"), Groups.of(patient, lesion))
    other = fit_mixed_model(y[order], x[order], ("1", "t", "t2"), Groups.of(patient[order], lesion[order]))
    assert other.beta == pytest.approx(one.beta, rel=1e-9)
    assert other.loglik == pytest.approx(one.loglik, abs=1e-9)


def test_variance_that_is_zero_is_found_on_the_boundary():
    y, x, patient, lesion, _ = cohort(sd=(0.0, 0.0, 1.0), seed=5, n_patients=30)
    fits = [fit_mixed_model(y, x, ("1", "t", "t2"), Groups.of(patient, lesion))]
    assert all(fit.converged for fit in fits)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    if np.all(fits[0].theta == 0):
        assert fits[0].beta == pytest.approx(least_squares, rel=1e-9)
    assert fits[0].singular == bool(np.any(fits[0].theta < 1e-4))


def test_optimum_is_not_missed_when_the_start_lies_on_the_boundary():
    y, x, patient, lesion, _ = cohort(seed=7)
    free = fit_mixed_model(y, x, ("1", "t", "t2"), Groups.of(patient, lesion))
    from_zero = fit_mixed_model(y, x, ("1", "t", "t2"), Groups.of(patient, lesion), start=np.zeros(2))
    assert from_zero.loglik == pytest.approx(free.loglik, abs=1e-7)


def test_balanced_one_way_layout_has_the_textbook_degrees_of_freedom():
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(9), 5)
    y = 3.0 * rng.standard_normal(9)[patient] + rng.standard_normal(45)
    fit = fit_mixed_model(y, np.ones((45, 1)), ("1",), Groups.of(patient))
    means = y.reshape(9, 5).mean(axis=1)
    assert fit.se[0] == pytest.approx(means.std(ddof=1) / 3.0, rel=1e-6)
    for method in (Satterthwaite(fit), KenwardRoger(fit)):
        assert method.degrees(np.ones((1, 1)))[0] == pytest.approx(8.0, rel=1e-4)
        assert np.sqrt(method.cov()[0, 0]) == pytest.approx(fit.se[0], rel=1e-6)


def test_dependent_columns_are_dropped_from_the_right_and_named():
    y, x, patient, lesion, age = cohort()
    design = np.column_stack([x[:, :2], x[:, 0] + 3 * x[:, 1], x[:, 2], np.zeros_like(age)])
    fit = fit_mixed_model(y, design, ("1", "t", "sum", "t2", "zero"), Groups.of(patient, lesion))
    assert fit.names == ("1", "t", "t2")
    assert fit.dropped == ("sum", "zero")
    assert fit.beta == pytest.approx(fit_mixed_model(y, x, ("1", "t", "t2"), Groups.of(patient, lesion)).beta, rel=1e-9)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_basis_of_columns_is_orthonormal_and_complete(seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((12, 5)) @ np.diag([1e-4, 1.0, 1e5, 1.0, 1.0])
    design[:, 3] = design[:, 1] - 2 * design[:, 0]
    kept, q, r = independent_columns(design)
    assert kept.tolist() == [0, 1, 2, 4]
    assert q.T @ q == pytest.approx(np.eye(4), abs=1e-12)
    assert q @ r == pytest.approx(design[:, kept], rel=1e-9, abs=1e-9)


def test_refusals():
    y, x, patient, lesion, _ = cohort()
    groups = Groups.of(patient, lesion)
    with pytest.raises(InputError, match="the same in every row"):
        fit_mixed_model(np.ones_like(y), x, ("1", "t", "t2"), groups)
    with pytest.raises(InputError, match="missing or infinite"):
        fit_mixed_model(np.where(np.arange(y.size) == 2, np.nan, y), x, ("1", "t", "t2"), groups)
    with pytest.raises(InputError, match="cannot tell 3 fixed effects"):
        fit_mixed_model(y[:3], x[:3], ("1", "t", "t2"), Groups.of(patient[:3], lesion[:3]))
    with pytest.raises(InputError, match="explain every row"):
        fit_mixed_model(x @ np.array([1.0, 2.0, 3.0]), x, ("1", "t", "t2"), groups)
    with pytest.raises(ShapeMismatchError, match="names"):
        fit_mixed_model(y, x, ("1", "t"), groups)
    with pytest.raises(InputError, match="no row"):
        Groups.of([])
    with pytest.raises(ShapeMismatchError):
        Groups.of(patient, lesion[:-1])
