"""Simulated lesion tables."""

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.phantom.cohort import CURVES, NO_RIM, RIM, CohortDesign, simulated_cohort


def test_curves_begin_where_they_say_and_fall_back_there():
    for curve in CURVES.values():
        assert curve(np.array([0.0]))[0] == pytest.approx(curve.start_ppb)
        assert curve(np.array([60.0]))[0] == pytest.approx(curve.start_ppb, abs=1e-6)
    ages = np.linspace(0, 6, 601)
    assert 1.0 < ages[np.argmax(CURVES[NO_RIM](ages))] < 2.0
    assert CURVES[RIM](ages)[400] > CURVES[NO_RIM](ages)[400] + 5


def test_cohort_is_as_designed_and_repeats():
    design = CohortDesign(n_patients=400, residual_sd_ppb=0.0, lesion_sd_ppb=0.0, patient_sd_ppb=0.0)
    table = simulated_cohort(design, np.random.default_rng(1))
    assert table["patient_id"].nunique() == 400
    lesions = table.groupby("lesion_id")
    assert len(lesions) / 400 == pytest.approx(1.7, abs=0.15)
    assert (lesions.size() == 5).all()
    assert (lesions["lesion_age_y"].min() == 0).all()
    for rim, rows in table.groupby("rim"):
        assert rows["chi_ppb"].to_numpy() == pytest.approx(design.mean(rim, rows["lesion_age_y"].to_numpy()))
    assert simulated_cohort(design, np.random.default_rng(1)).equals(table)


def test_without_an_effect_the_groups_are_alike():
    ages = np.linspace(0, 6, 7)
    design = CohortDesign(effect=0.0)
    assert design.mean(RIM, ages) == pytest.approx(design.mean(NO_RIM, ages))


@pytest.mark.parametrize(
    "wrong", [{"n_patients": 1}, {"rim_share": 1.0}, {"scans_per_lesion": 1}, {"follow_up_y": 0.0}]
)
def test_refusals(wrong):
    with pytest.raises(ParameterError):
        CohortDesign(**wrong)
