"""The choice of the weight inside the whole chain."""

from __future__ import annotations

import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.qsm.weight_choice.discrepancy import DiscrepancySettings
from napari_msqsm.qsm.weight_choice.l_curve import LCurveSettings
from napari_msqsm.qsm.weight_choice.methods import FixedWeightSettings

L2 = ClosedFormL2Settings(margin_mm=60.0)


def settings(choice, inversion=L2):
    return PRESETS["fast"].model_copy(update={"inversion": inversion, "weight_choice": choice})


@pytest.mark.parametrize(
    "choice", [DiscrepancySettings(runs=5), LCurveSettings(runs=7)], ids=["discrepancy", "l-curve"]
)
def test_chosen_weight_makes_the_map_and_is_on_record(head, choice):
    seen = []
    out = reconstruct(
        head.series, settings(choice), mask=head.brain, on_progress=lambda title, done: seen.append((title, done))
    )
    record = out.record["weight_choice"]
    assert len(record["weights"]) == len(record["misfits"]) == choice.runs
    assert record["method"] == choice.method
    chosen = L2.model_copy(update={"lambda_gradient": record["chosen"]})
    plain = reconstruct(head.series, settings(FixedWeightSettings(), chosen), mask=head.brain)
    assert (out.chi_ppm == plain.chi_ppm).all()
    assert "weight_choice" not in plain.record
    during = [done for title, done in seen if title == "Dipole inversion"]
    assert during == sorted(during)
    assert len(during) > choice.runs


def test_needs_a_noise_in_hz_where_it_compares_with_it(head):
    without_phase = head.with_series(phase_rad=None)
    given = {"mask": head.brain, "local_field_hz": head.local_hz}
    with pytest.raises(InputError, match="noise_sd_hz"):
        reconstruct(without_phase, settings(DiscrepancySettings()), **given)
    noise = (0.05 * head.brain).astype("float32")
    out = reconstruct(without_phase, settings(DiscrepancySettings(runs=3)), noise_sd_hz=noise, **given)
    assert out.record["weight_choice"]["chosen"] > 0
    assert reconstruct(without_phase, settings(LCurveSettings(runs=7)), **given).record["weight_choice"]


def test_an_inversion_without_a_weight_is_refused(head):
    with pytest.raises(ParameterError, match="inversion tkd has no weight"):
        reconstruct(head.series, settings(LCurveSettings(), PRESETS["fast"].inversion), mask=head.brain)
