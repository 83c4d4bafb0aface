"""R2* inside a reconstruction: it comes after unwrapping, so that the total field is at hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import PRESETS, with_method
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.settings import with_overrides

NONLINEAR = with_method(PRESETS["fast"], "r2star", "nonlinear")
CORRECTED = with_overrides(NONLINEAR, {"r2star.macroscopic_correction": True})


def test_the_fitted_field_corrects_r2star(head):
    plain = reconstruct(head.series, NONLINEAR, mask=head.brain)
    corrected = reconstruct(head.series, CORRECTED, mask=head.brain)
    assert (corrected.r2star_hz <= plain.r2star_hz + 0.01).all()
    assert corrected.r2star_hz[head.brain].sum() < plain.r2star_hz[head.brain].sum()


def test_correction_needs_a_total_field(head):
    series = head.with_series(phase_rad=None)
    with pytest.raises(ParameterError, match="there is no total field"):
        reconstruct(series, CORRECTED, mask=head.brain, local_field_hz=head.local_hz)
    found = reconstruct(series, NONLINEAR, mask=head.brain, local_field_hz=head.local_hz)
    assert np.isnan(found.quality["wraps_left_fraction"])
    assert np.isnan(found.quality["snr_first_echo"])
    assert found.total_field_hz is None
