"""Time bases: laws, rules of binning, and what is capped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm.growth.time_basis.basis import octiles_y
from napari_msqsm.growth.time_basis.methods import TIME_BASES
from napari_msqsm.growth.time_basis.octile_bins import octile_bins
from napari_msqsm.growth.time_basis.octile_poly import octile_poly
from napari_msqsm.growth.time_basis.poly import poly
from napari_msqsm.growth.time_basis.spline import spline

AGES = np.concatenate([np.zeros(6), np.linspace(0.2, 6.0, 41)])


def test_polynomials_over_the_rows_are_orthonormal_and_of_their_degree():
    columns = poly(AGES, 5).evaluate(AGES)
    with_one = np.column_stack([np.full(AGES.size, 1 / np.sqrt(AGES.size)), columns])
    assert with_one.T @ with_one == pytest.approx(np.eye(6), abs=1e-10)
    for degree in range(1, 6):
        powers = np.vander(AGES, degree + 1)
        rest = columns[:, degree - 1] - powers @ np.linalg.lstsq(powers, columns[:, degree - 1], rcond=None)[0]
        assert np.abs(rest).max() < 1e-9


def test_octile_polynomials_are_orthonormal_over_zero_and_the_octiles():
    basis = octile_poly(AGES, 8)
    support = np.array(basis.knots_y)
    assert support[0] == 0.0
    assert support[1:] == pytest.approx(np.quantile(AGES[AGES > 0], np.arange(1, 9) / 8))
    columns = basis.evaluate(support)
    assert columns.T @ columns == pytest.approx(np.eye(8), abs=1e-9)


def test_bins_are_closed_on_the_right_with_the_lowest_age_in_the_first():
    breaks = octiles_y(AGES)
    bin_of = octile_bins(AGES, 8).bin_of
    assert bin_of is not None
    assert bin_of(np.array([0.0])).tolist() == [0]
    assert bin_of(breaks[:1]).tolist() == [1]
    assert bin_of(breaks[1:]).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert bin_of(breaks[1:-1] + 1e-9).tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert bin_of(np.array([1e-6, 99.0])).tolist() == [1, 8]


def test_equal_quantiles_are_merged_and_the_degree_follows():
    ages = np.concatenate([np.zeros(4), np.ones(20), [2.0, 3.0]])
    basis = octile_bins(ages, 8)
    assert basis.degree < 8
    assert basis.degree == basis.bin_of(ages).max()
    assert any("lowered" in note for note in basis.notes)
    assert any("saturated" in note for note in basis.notes)


def test_bins_make_a_saturated_model():
    basis = octile_bins(AGES, 8)
    columns = np.column_stack([np.ones(AGES.size), basis.evaluate(AGES)])
    number = basis.bin_of(AGES)
    indicator = (number[:, None] == np.arange(9)).astype(float)
    rest = indicator - columns @ np.linalg.lstsq(columns, indicator, rcond=None)[0]
    assert np.abs(rest).max() < 1e-9


def test_spline_is_straight_outside_its_knots_and_smooth_at_them():
    basis = spline(AGES)
    assert basis.degree == 4
    assert not basis.orthogonal
    knots = np.log1p(4 * np.array(basis.knots_y))

    def at(x):
        return basis.evaluate(np.expm1(x) / 4)

    beyond = at(np.linspace(knots[-1], knots[-1] + 2, 5))
    assert np.diff(beyond, n=2, axis=0) == pytest.approx(0.0, abs=1e-9)
    h = 1e-3
    for knot in knots[1:]:
        second = (at(np.array([knot + h])) - 2 * at(np.array([knot])) + at(np.array([knot - h]))) / h**2
        left = (at(np.array([knot - h])) - 2 * at(np.array([knot - 2 * h])) + at(np.array([knot - 3 * h]))) / h**2
        assert second == pytest.approx(left, abs=0.05)


def test_spline_needs_different_ages():
    assert spline(np.array([0.0, 0.0, 1.0, 1.0]), 4).degree == 1
    assert spline(np.zeros(5), 4).degree == 0
    few = spline(np.array([0.0, 0, 0, 0, 0, 1, 2, 3]), 4)
    assert 1 <= few.degree < 4
    assert few.notes


@pytest.mark.parametrize("name", TIME_BASES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_basis_evaluates_to_its_own_columns(name, seed):
    rng = np.random.default_rng(seed)
    ages = np.concatenate([np.zeros(3), rng.uniform(0, 7, rng.integers(1, 30))])
    basis = TIME_BASES[name](ages, int(rng.integers(1, 9)))
    columns = basis.evaluate(ages)
    assert columns.shape == (ages.size, basis.degree)
    assert np.all(np.isfinite(columns))
    assert basis.evaluate(ages[::-1]) == pytest.approx(columns[::-1])
    assert len(basis.names) == basis.degree
    if name in {"spline", "poly"} or ages.size > 20:  # with fewer rows a bin can be empty
        assert np.linalg.matrix_rank(np.column_stack([np.ones(ages.size), columns]), tol=1e-9) == basis.degree + 1
