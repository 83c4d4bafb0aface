from __future__ import annotations

import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.inversion.tkd import TkdSettings
from napari_msqsm.qsm.inversion.tv_admm import TvSettings
from napari_msqsm.qsm.weight_choice.weight import Weight, weight_of, with_weight


def test_each_method_declares_its_own_weight():
    assert weight_of(TvSettings(alpha=3e-4)) == Weight("alpha", 3e-4, of_data=False)
    assert weight_of(TvSettings) == Weight("alpha", 1e-4, of_data=False)
    assert weight_of(ClosedFormL2Settings) == Weight("lambda_gradient", 0.01, of_data=False)
    assert weight_of(TkdSettings()) is None


@pytest.mark.parametrize("kind", METHODS)
def test_no_method_has_two_weights(kind):
    marked = [f for f in kind.model_fields.values() if (f.json_schema_extra or {}).get("weighs")]
    assert len(marked) <= 1
    assert all(field.json_schema_extra["weighs"] in {"data", "smoothness"} for field in marked)


@pytest.mark.parametrize("of_data", [True, False])
def test_ladder_goes_from_smooth_to_the_data_around_the_present_weight(of_data):
    ladder = Weight("w", 20.0, of_data).ladder(5, 2.0)
    wanted = [2.0, 20 / 10**0.5, 20.0, 20 * 10**0.5, 200.0]
    assert ladder == pytest.approx(wanted if of_data else wanted[::-1])


def test_another_weight():
    assert with_weight(TvSettings(max_iter=7), "alpha", 0.5) == TvSettings(max_iter=7, alpha=0.5)
    with pytest.raises(ParameterError, match="alpha"):
        with_weight(TvSettings(), "alpha", -1.0)
