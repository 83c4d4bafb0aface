"""Agreement of two raters: hand-made tables, laws, and the reference cohort."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.lesions.agreement import agreement, clustered_interval

RATINGS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


def test_textbook_table():
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    found = agreement(first, second)
    assert (found.both, found.only_first, found.only_second, found.neither) == (20, 5, 10, 15)
    assert found.observed == pytest.approx(0.7)
    assert found.expected == pytest.approx(0.5)
    assert found.kappa == pytest.approx(0.4)
    assert found.pabak == pytest.approx(0.4)
    assert found.positive == pytest.approx(40 / 55)
    assert found.negative == pytest.approx(30 / 45)
    # p_ii [1 − (p_i. + p_.i)(1 − κ)]² + (1 − κ)² Σ p_ij (p_.i + p_j.)² − [κ − p_e (1 − κ)]², over n (1 − p_e)²
    agree = 0.4 * (1 - 1.1 * 0.6) ** 2 + 0.3 * (1 - 0.9 * 0.6) ** 2
    differ = 0.6**2 * (0.1 * (0.6 + 0.5) ** 2 + 0.2 * (0.4 + 0.5) ** 2)
    assert found.se == pytest.approx(np.sqrt((agree + differ - 0.1**2) / 50) / 0.5)


@given(RATINGS)
def test_raters_and_answers_may_be_exchanged(pairs):
    a, b = np.array(pairs).T
    one, swapped, negated = agreement(a, b), agreement(b, a), agreement(1 - a, 1 - b)
    for other in (swapped, negated):
        assert other.kappa == pytest.approx(one.kappa, nan_ok=True)
        assert other.pabak == pytest.approx(one.pabak)
    assert negated.positive == pytest.approx(one.negative, nan_ok=True)
    assert one.both + one.only_first + one.only_second + one.neither == one.n == a.size
    assert not one.kappa > 1


def test_perfect_and_no_agreement():
    ratings = np.array([1, 0, 1, 0])
    assert agreement(ratings, ratings).kappa == 1.0
    assert agreement(ratings, 1 - ratings).kappa == -1.0
    assert np.isnan(agreement([1, 1], [1, 1]).kappa)


def test_what_one_did_not_rate_is_left_out():
    assert agreement([1, 0, np.nan, 1], [1, np.nan, 0, 0]).n == 2


def test_interval_over_patients_is_wider_where_a_patient_decides_alone():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(20), 6)
    first = rng.integers(0, 2, 120)
    disagrees = np.repeat(rng.uniform(size=20) < 0.3, 6)
    second = np.where(disagrees, 1 - first, first)
    lower, upper = clustered_interval(first, second, patients)
    alone = agreement(first, second)
    assert lower < alone.kappa < upper
    assert upper - lower > 1.5 * (alone.upper - alone.lower)
    assert clustered_interval(first, second, patients) == (lower, upper)


def test_interval_is_missing_where_kappa_is():
    assert np.isnan(clustered_interval([1, 1], [1, 1], ["a", "b"])).all()


def test_refusals():
    with pytest.raises(InputError, match="both raters"):
        agreement([np.nan], [1])
    with pytest.raises(InputError, match="got 2"):
        agreement([2], [1])
    with pytest.raises(ShapeMismatchError):
        agreement([1, 0], [1])


def test_reference_cohort(shared_data):
    table = pd.read_csv(shared_data / "growth" / "cohort_public.csv")
    lesions = table.groupby("lesion_id", sort=False).first()
    found = agreement(lesions["rim_rater1"], lesions["rim_rater2"])
    expected = json.loads((shared_data / "growth" / "kappa_public.json").read_text())
    ours = {
        "n": found.n, "po": found.observed, "pe": found.expected, "kappa": found.kappa, "se": found.se,
        "pabak": found.pabak, "pos_agree": found.positive, "neg_agree": found.negative,
    }  # fmt: skip
    for name, value in ours.items():
        assert value == pytest.approx(expected[name], abs=1e-9), name
    assert [found.lower, found.upper] == pytest.approx(expected["ci"], abs=1e-9)
