"""Power by simulation."""

import threading

import pytest

from napari_msqsm.errors import CancelledError
from napari_msqsm.phantom.cohort import CohortDesign
from napari_msqsm.workflow.growth.power import power_of


def test_a_large_effect_is_found_and_none_is_not():
    strong = power_of(CohortDesign(n_patients=30, effect=2.0), n_samples=12)
    none = power_of(CohortDesign(n_patients=30, effect=0.0), n_samples=12)
    assert strong.power > 0.9
    assert none.power < 0.5
    assert strong.lower <= strong.power <= strong.upper
    assert strong.n_samples + strong.n_failed == 12


def test_cohorts_that_cannot_be_fitted_are_counted():
    found = power_of(CohortDesign(n_patients=2, scans_per_lesion=2, lesions_per_patient=1.0), n_samples=10)
    assert found.n_failed > 0


def test_progress_and_cancel():
    seen, stop = [], threading.Event()

    def report(words, fraction):
        seen.append(fraction)
        stop.set()

    with pytest.raises(CancelledError):
        power_of(CohortDesign(), n_samples=5, on_progress=report, cancel=stop)
    assert seen == [0.0]
