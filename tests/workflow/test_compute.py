from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.qsm.phase_sign import SignVerdict
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.workflow import compute as module
from napari_msqsm.workflow.compute import compute, pipeline_version
from napari_msqsm.workflow.inputs import Inputs

TIMES = (0.005, 0.010, 0.015)
SHAPE = (20, 22, 18)


def inputs(*, declared_sign=None, mask=True):
    axes = np.meshgrid(*(np.arange(n) - n / 2 + 0.5 for n in SHAPE), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    brain = radius < 7.5
    times = np.array(TIMES, np.float32)[:, None, None, None]
    field_hz = (20 * axes[2] / np.maximum(radius, 2) ** 2).astype(np.float32)
    magnitude = (100 * brain * np.exp(-20 * times) + 1).astype(np.float32)
    phase = np.angle(np.exp(2j * np.pi * times * field_hz)).astype(np.float32)
    series = MultiEchoSeries(magnitude, phase, TIMES, 3.0, Grid(SHAPE, np.diag([2, 2, 2, 1.0])))
    return Inputs(series=series, files=(), declared_sign=declared_sign, mask=brain if mask else None)


def verdict(monkeypatch, sign):
    monkeypatch.setattr(module, "phase_sign_from_data", lambda *_, **__: SignVerdict(sign, 2.0 * sign, "iron says so"))


def chi(given, folder, **keywords):
    said = []
    done = compute(given, PRESETS["fast"], cache_folder=folder, on_warning=said.append, **keywords)
    signs = [sentence for sentence in said if "sign of the phase" in sentence.lower()]
    return done, signs


def test_data_turn_an_assumed_sign_and_say_so(monkeypatch, tmp_path):
    verdict(monkeypatch, 1)
    straight, said = chi(inputs(), tmp_path / "a")
    assert said == []
    verdict(monkeypatch, -1)
    turned, said = chi(inputs(), tmp_path / "b")
    assert len(said) == 1
    assert "TURNED" in said[0]
    assert "--phase-sign" in said[0]
    assert turned.flipped
    assert said[0] in turned.inputs.series.assumptions
    assert said[0] in turned.warnings
    np.testing.assert_allclose(turned.result.total_field_hz, -straight.result.total_field_hz, atol=1e-3)


def test_a_declared_sign_is_kept_with_a_warning(monkeypatch, tmp_path):
    verdict(monkeypatch, -1)
    kept, said = chi(inputs(declared_sign=1), tmp_path)
    assert not kept.flipped
    assert len(said) == 1
    assert "kept" in said[0]


def test_an_inconclusive_check_keeps_and_says_it_was_not_verified(monkeypatch, tmp_path):
    verdict(monkeypatch, 0)
    kept, said = chi(inputs(), tmp_path / "a")
    assert not kept.flipped
    assert len(said) == 1
    assert "could not be verified" in said[0]
    assert chi(inputs(declared_sign=1), tmp_path / "b")[1] == []


def test_progress_only_grows_and_ends_near_one(monkeypatch, tmp_path):
    verdict(monkeypatch, 1)
    fractions = []
    chi(inputs(mask=False), tmp_path, on_progress=lambda _, fraction: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(0.98)


def test_unusable_input_leaves_no_folder_but_an_old_cache_stays(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise InputError("no")

    verdict(monkeypatch, 1)
    chi(inputs(), tmp_path / "old")
    kept = sorted(path.name for path in (tmp_path / "old").iterdir())
    monkeypatch.setattr(module, "reconstruct", refuse)
    for folder in ("old", "new/deep"):
        with pytest.raises(InputError):
            chi(inputs(), tmp_path / folder)
    assert not (tmp_path / "new").exists()
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == kept


def test_the_pipeline_version_follows_the_steps(monkeypatch):
    before = pipeline_version()
    assert before == pipeline_version()
    monkeypatch.setattr(module, "STEPS", module.STEPS[:-1])
    assert pipeline_version() != before


def test_results_come_back_to_the_host_and_the_cache_serves_every_library(monkeypatch, tmp_path):
    import array_api_strict

    verdict(monkeypatch, -1)
    expected, _ = chi(inputs(), tmp_path / "a")
    monkeypatch.setattr(module._backend, "array_module", lambda _: array_api_strict)
    found, _ = chi(inputs(), tmp_path / "b")
    for name in ("chi_ppm", "local_field_hz", "total_field_hz", "r2star_hz"):
        assert isinstance(getattr(found.result, name), np.ndarray)
        np.testing.assert_allclose(getattr(found.result, name), getattr(expected.result, name), atol=1e-3)
    again, _ = chi(inputs(), tmp_path / "a")
    assert set(again.reused) == set(again.seconds)
    np.testing.assert_array_equal(again.result.chi_ppm, expected.result.chi_ppm)
