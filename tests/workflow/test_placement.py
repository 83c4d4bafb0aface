"""The choice of a device against reports of its memory; no GPU is needed, and none is tested."""

from __future__ import annotations

import array_api_compat.numpy
import array_api_strict
import numpy as np
import pytest

from napari_msqsm import _backend
from napari_msqsm.errors import InputError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.qsm.echo_wise import EchoesOnHost
from napari_msqsm.qsm.memory import peak_bytes, workload_of
from napari_msqsm.qsm.phase_sign import SignVerdict
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.workflow import compute as compute_module
from napari_msqsm.workflow.compute import compute
from napari_msqsm.workflow.inputs import Inputs
from napari_msqsm.workflow.placement import after_running_out, placed

SHAPE, TIMES = (20, 22, 18), (0.005, 0.010, 0.015)
FAST = PRESETS["fast"]
OutOfMemoryError = type("OutOfMemoryError", (MemoryError,), {"__module__": "cupy.cuda.memory"})


def inputs(n_echoes=3):
    axes = np.meshgrid(*(np.arange(n) - n / 2 + 0.5 for n in SHAPE), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    brain = radius < 7.5
    times = np.array([0.005 * (echo + 1) for echo in range(n_echoes)], np.float32)[:, None, None, None]
    field_hz = (20 * axes[2] / np.maximum(radius, 2) ** 2).astype(np.float32)
    magnitude = (100 * brain * np.exp(-20 * times) + 1).astype(np.float32)
    phase = np.angle(np.exp(2j * np.pi * times * field_hz)).astype(np.float32)
    grid = Grid(SHAPE, np.diag([2, 2, 2, 1.0]))
    series = MultiEchoSeries(magnitude, phase, tuple(float(t) for t in times.ravel()), 3.0, grid)
    return Inputs(series=series, files=(), declared_sign=None, mask=brain)


def needed(given, *, echoes_on_host):
    series = given.series
    work = workload_of(SHAPE, series.grid.voxel_size_mm, series.n_echoes, mask=given.mask, has_phase=True)
    return peak_bytes(work, FAST, on_gpu=True, echoes_on_host=echoes_on_host)


@pytest.fixture
def stand_in(monkeypatch):
    """Strict arrays in the place of CuPy's, and a report of free memory to choose."""

    def report(free):
        monkeypatch.setattr(_backend, "is_gpu", lambda xp: xp is array_api_strict)
        monkeypatch.setattr(_backend, "gpu_memory_free", lambda: free)
        choose = {"cpu": array_api_compat.numpy}
        monkeypatch.setattr(_backend, "array_module", lambda name: choose.get(name, array_api_strict))
        monkeypatch.setattr(compute_module, "phase_sign_from_data", lambda *_, **__: SignVerdict(-1, -2.0, "iron says"))

    return report


def test_what_fits_goes_to_the_device_with_its_echoes(stand_in):
    given = inputs()
    for free in (needed(given, echoes_on_host=False), None):
        stand_in(free)
        placement = placed(given, FAST, array_api_strict)
        assert (placement.device, placement.echoes_on_host, placement.notice) == ("cuda", False, "")
        there = placement.moved(given)
        assert isinstance(there.series.magnitude, type(array_api_strict.zeros(1)))
        assert there.noise_sd_hz is None


def test_echoes_that_do_not_fit_stay_on_the_host(stand_in):
    given = inputs(16)
    stand_in(needed(given, echoes_on_host=False) - 1)
    placement = placed(given, FAST, array_api_strict)
    assert (placement.device, placement.echoes_on_host, placement.notice) == ("cuda", True, "")
    there = placement.moved(given)
    assert isinstance(there.series.phase_rad, EchoesOnHost)
    assert isinstance(there.mask, type(array_api_strict.zeros(1)))


def test_too_small_a_device_is_left_with_a_notice(stand_in):
    given = inputs(16)
    stand_in(needed(given, echoes_on_host=True) - 1)
    placement = placed(given, FAST, array_api_strict)
    assert (placement.device, placement.xp) == ("cpu", array_api_compat.numpy)
    assert f"{needed(given, echoes_on_host=True) / 1e9:.1f} GB" in placement.notice
    assert f"{(needed(given, echoes_on_host=True) - 1) / 1e9:.1f} GB are free" in placement.notice


def test_on_the_cpu_nothing_is_compared(monkeypatch):
    monkeypatch.setattr(_backend, "gpu_memory_free", lambda: pytest.fail("asked"))
    assert placed(inputs(), FAST, array_api_compat.numpy).device == "cpu"


def test_the_three_ways_make_the_same_map(stand_in, tmp_path):
    given = inputs(16)
    reports = {
        "all": (10**12, "cuda"),
        "echoes on the host": (needed(given, echoes_on_host=False) - 1, "cuda"),
        "cpu": (0, "cpu"),
    }
    maps = {}
    for name, (free, device) in reports.items():
        stand_in(free)
        done = compute(given, FAST, cache_folder=tmp_path / name)
        assert done.device == device
        assert done.flipped  # also echoes in host memory can be negated
        assert any("GB" in sentence for sentence in done.warnings) == (device == "cpu")
        maps[name] = done.result.chi_ppm
    np.testing.assert_array_equal(maps["all"], maps["echoes on the host"])
    np.testing.assert_allclose(maps["cpu"], maps["all"], atol=1e-3)


def test_running_out_of_memory_goes_on_on_the_cpu(stand_in, monkeypatch, tmp_path):
    stand_in(10**12)
    tried, fractions, said = [], [], []
    reconstruct = compute_module.reconstruct

    def short_of_memory(series, settings, **keywords):
        tried.append(type(series.magnitude))
        if len(tried) == 1:
            keywords["on_progress"]("Dipole inversion", 0.9)
            raise OutOfMemoryError("Out of memory allocating 512 bytes")
        return reconstruct(series, settings, **keywords)

    monkeypatch.setattr(compute_module, "reconstruct", short_of_memory)
    done = compute(
        inputs(),
        FAST,
        cache_folder=tmp_path,
        on_progress=lambda _, fraction: fractions.append(fraction),
        on_warning=said.append,
    )
    assert len(tried) == 2
    assert tried[1] is np.ndarray
    assert done.device == "cpu"
    assert sum("ran out of memory" in sentence and "1000.0 GB" in sentence for sentence in said) == 1
    assert len(said) == len(set(said))
    assert set(said) == set(done.warnings)
    assert fractions == sorted(fractions)


def test_other_errors_are_not_taken_for_it(stand_in, monkeypatch, tmp_path):
    stand_in(10**12)

    def refuse(*_, **__):
        raise InputError("no")

    monkeypatch.setattr(compute_module, "reconstruct", refuse)
    with pytest.raises(InputError):
        compute(inputs(), FAST, cache_folder=tmp_path)


def test_a_second_placement_keeps_the_figures_of_the_first(stand_in):
    stand_in(3 * 10**9)
    first = placed(inputs(), FAST, array_api_strict)
    assert "3.0 GB were free" in after_running_out(first).notice
