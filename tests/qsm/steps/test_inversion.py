"""The step of the inversion: total fields, local fields and strong sources, chosen by the settings."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.inversion.tkd import TkdSettings
from napari_msqsm.qsm.presets import PRESETS, with_method
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.settings import with_overrides

TFI = with_method(with_method(PRESETS["recommended"], "background", "none"), "inversion", "tfi")
FAST = PRESETS["fast"]


def error(found, truth, region):
    return float(np.std((found - truth)[region]) / np.std(truth[region]))


@pytest.fixture(scope="module")
def by_tfi(head):
    return reconstruct(head.series, TFI, mask=head.brain)


def test_total_field_inversion_keeps_the_whole_mask(head, by_tfi):
    assert by_tfi.converged
    assert by_tfi.quality["kept_fraction"] == 1
    assert error(by_tfi.chi_ppm, head.chi_ppm, head.brain) < 0.3
    assert by_tfi.warnings == ()


def test_the_local_field_of_a_total_field_inversion_is_free_of_background(head, by_tfi):
    assert error(by_tfi.local_field_hz, head.local_hz, head.brain) < 0.2
    assert error(head.total_hz, head.local_hz, head.brain) > 1
    assert by_tfi.quality["edge_energy_ratio"] < 0.5
    assert by_tfi.quality["harmonic_fraction"] < 0.1
    np.testing.assert_array_equal(by_tfi.local_field_hz != 0, head.brain)


def test_total_field_inversion_of_a_given_local_field_takes_nothing_away(head):
    for settings in (TFI, with_method(PRESETS["recommended"], "inversion", "tfi")):
        out = reconstruct(head.series, settings, mask=head.brain, local_field_hz=head.local_hz)
        assert error(out.chi_ppm, head.chi_ppm, head.brain) < 0.3
        np.testing.assert_array_equal(out.local_field_hz, np.where(head.brain, head.local_hz, 0))


def test_background_and_inversion_must_fit_together(head):
    twice = with_method(PRESETS["recommended"], "inversion", "tfi")
    with pytest.raises(ParameterError, match=r"tfi separates the background .* background is lbv; set background to"):
        reconstruct(head.series, twice, mask=head.brain)
    never = with_method(FAST, "background", "none")
    with pytest.raises(ParameterError, match=r"background none leaves .* inversion tkd .* choose a background method"):
        reconstruct(head.series, never, mask=head.brain)
    given = reconstruct(head.series, never, mask=head.brain, local_field_hz=head.local_hz)
    assert isinstance(given.settings.inversion, TkdSettings)


def test_strong_sources_change_nothing_where_there_are_none(head):
    settings = with_method(FAST, "strong_sources", "two-pass")
    plain = reconstruct(head.series, FAST, mask=head.brain, local_field_hz=head.local_hz)
    out = reconstruct(head.series, settings, mask=head.brain, local_field_hz=head.local_hz)
    np.testing.assert_array_equal(out.chi_ppm, plain.chi_ppm)
    assert out.warnings == plain.warnings


@pytest.mark.parametrize("start", [FAST, TFI], ids=["tkd", "tfi"])
def test_strong_sources_are_taken_out_of_any_inversion(head, start):
    settings = with_overrides(with_method(start, "strong_sources", "two-pass"), {"strong_sources.threshold_ppm": "0.1"})
    plain = reconstruct(head.series, start, mask=head.brain)
    out = reconstruct(head.series, settings, mask=head.brain)
    assert out.converged
    assert any("fitted separately" in sentence for sentence in out.warnings)
    away = out.mask & (np.abs(head.chi_ppm) < 1e-6)
    assert error(out.chi_ppm, head.chi_ppm, out.mask) < 1.1 * error(plain.chi_ppm, head.chi_ppm, out.mask)
    assert out.chi_ppm[away].std() < 1.1 * plain.chi_ppm[away].std()
    assert error(out.local_field_hz, head.local_hz, out.local_field_hz != 0) < 0.25
