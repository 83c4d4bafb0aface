"""The steps from phase to total field: what they say, and that the methods are chosen by the settings."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.presets import PRESETS, with_method
from napari_msqsm.qsm.steps.field import field_fit_step, phase_offset_step, unwrapping_step
from napari_msqsm.settings import with_overrides

PUBLISHED = PRESETS["published"]
MPC = with_method(PUBLISHED, "phase_offset", "mcpc3ds")


def values_of(series, brain):
    magnitude = series.magnitude
    return {
        "magnitude": magnitude,
        "combined_magnitude": np.sqrt((magnitude**2).sum(axis=0)),
        "phase_rad": series.phase_rad,
        "echo_times_s": series.echo_times_s,
        "mask": brain,
        "voxel_size_mm": series.grid.voxel_size_mm,
    }


def total_field(values, settings):
    """Run the three steps; the field and all that they say."""
    seen = []
    values = values | phase_offset_step(values, settings, seen.append)
    values |= field_fit_step(values, settings, seen.append)
    del seen[:]
    values |= unwrapping_step(values, settings, seen.append)
    assert seen == sorted(seen)
    said = [values[f"{step}_warnings"] for step in ("phase_offset", "field_fit", "unwrapping")]
    return values["total_field_hz"], [sentence for sentences in said for sentence in sentences]


def spread(difference):
    return float(np.std(difference - np.median(difference)))


@pytest.mark.parametrize("method", ["path", "quality", "laplacian"])
def test_every_unwrapping_gives_the_same_field(head, method):
    settings = with_method(PUBLISHED, "unwrapping", method)
    field, said = total_field(values_of(head.series, head.brain), settings)
    assert spread((field - head.total_hz)[head.brain]) < 1
    assert said == []


def test_a_bipolar_readout_is_recognised_corrected_and_said(head):
    values = values_of(head.series, head.brain)
    clean, said = total_field(values, MPC)
    np.testing.assert_array_equal(clean, total_field(values, PUBLISHED)[0])
    assert said == []
    phase = head.series.phase_rad.copy()
    phase[1::2] += np.linspace(-1, 1.5, phase.shape[1], dtype=np.float32)[:, None, None]
    values["phase_rad"] = phase
    spoilt, _ = total_field(values, PUBLISHED)
    mended, said = total_field(values, MPC)
    assert "bipolar" in said[0]
    assert spread((mended - clean)[head.brain]) < 0.1 * spread((spoilt - clean)[head.brain])


def test_a_bad_echo_is_left_out_and_named(head):
    values = values_of(head.series, head.brain)
    clean, _ = total_field(values, PUBLISHED)
    phase = head.series.phase_rad.copy()
    phase[2] = np.random.default_rng(0).uniform(-np.pi, np.pi, phase[2].shape)
    values["phase_rad"] = phase
    robust = with_overrides(PUBLISHED, {"field_fit.outlier_echoes": True})
    spoilt, _ = total_field(values, PUBLISHED)
    mended, said = total_field(values, robust)
    assert any(sentence.startswith("echo 3 disagrees with the others in") for sentence in said)
    off = [np.median(np.abs(field - clean)[head.brain]) for field in (spoilt, mended)]
    assert off[1] < 0.3 * off[0]
    assert not any("disagrees" in sentence for sentence in total_field(values_of(head.series, head.brain), robust)[1])


def test_too_few_echoes_for_outliers_are_said(make_head):
    head = make_head(times_s=(0.004, 0.009, 0.014))
    robust = with_overrides(PUBLISHED, {"field_fit.outlier_echoes": True})
    _, said = total_field(values_of(head.series, head.brain), robust)
    assert "wanted at least 4" in said[0]


def test_without_phase_there_is_no_offset(head):
    values = values_of(head.series, head.brain) | {"phase_rad": None}
    made = phase_offset_step(values, MPC, lambda _: None)
    assert made == {"phase_offset_rad": None, "even_odd_phase_rad": None, "phase_offset_warnings": []}
