"""The plan against the peaks that NumPy's arrays really reach."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.memory import Workload, peak_bytes, step_bytes, workload_of
from napari_msqsm.qsm.presets import PRESETS, methods_of, with_method
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.settings import with_overrides

CASES = {
    "brain fills a cube of 2 mm": ((40, 44, 48), (2.0, 2.0, 2.0), 8, 0.95),
    "slices": ((72, 80, 24), (1.5, 1.5, 3.0), 5, 0.75),
    "much air": ((64, 72, 40), (2.0, 2.0, 2.0), 4, 0.55),
}
QUICK = {"inversion.cg_max_iter": "3", "inversion.max_outer": "2"}
WORTH_BYTES = 4.0
"""Peaks of fewer bytes per voxel decide nothing."""


def scan(shape, voxel_mm, n_echoes, filled):
    rng = np.random.default_rng(0)
    axes = np.meshgrid(*((np.arange(n) - n / 2 + 0.5) * s for n, s in zip(shape, voxel_mm, strict=True)), indexing="ij")
    half = [filled * n * s / 2 for n, s in zip(shape, voxel_mm, strict=True)]
    radius2 = sum((a / h) ** 2 for a, h in zip(axes, half, strict=True))
    times = np.array([0.005 * (echo + 1) for echo in range(n_echoes)], np.float32)[:, None, None, None]
    field = 10 * np.sin(axes[0] / 9) * np.cos(axes[2] / 7)
    r2star = np.where(radius2 < 0.05, 2, 20 + 15 * (np.sin(axes[1] / 5) > 0.6))
    signal = (radius2 < 1) * np.exp(-r2star * times) * np.exp(2j * np.pi * times * field)
    signal += 0.01 * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    grid = Grid(shape, np.diag([*voxel_mm, 1.0]))
    echoes = np.abs(signal).astype(np.float32), np.angle(signal).astype(np.float32)
    return MultiEchoSeries(*echoes, tuple(float(t) for t in times.ravel()), 3.0, grid), radius2 < 1


def measured(series, mask, settings, **given):
    """Peak of each step above what there was when it began, and of the whole with the echoes."""
    peaks, whole = {}, 0

    def around(step, _, __, run):
        nonlocal whole
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        out = run()
        peak = tracemalloc.get_traced_memory()[1]
        peaks[step.name], whole = peak - before, max(whole, peak)
        return out

    tracemalloc.start()
    try:
        reconstruct(series, settings, mask=mask, around=around, **given)
    finally:
        tracemalloc.stop()
    return peaks, whole + series.magnitude.nbytes + series.phase_rad.nbytes


def planned(series, mask):
    return workload_of(
        series.grid.shape, series.grid.voxel_size_mm, series.n_echoes, mask=mask, has_phase=series.phase_rad is not None
    )


@pytest.mark.parametrize("preset", ["published", "recommended"])
@pytest.mark.parametrize("case", CASES)
def test_the_plan_holds_the_measured_peak_and_no_more_than_half_again(case, preset):
    series, mask = scan(*CASES[case])
    settings = with_overrides(PRESETS[preset], QUICK)
    work = planned(series, mask)
    peaks, whole = measured(series, mask, settings)
    expected = step_bytes(work, settings)
    assert set(peaks) <= set(expected)
    for step, peak in peaks.items():
        if peak > WORTH_BYTES * work.voxels:
            assert peak <= expected[step] <= 1.5 * peak, (
                f"{step}: {peak / 1e6:.1f} MB, planned {expected[step] / 1e6:.1f}"
            )
    assert whole <= peak_bytes(work, settings) <= 1.5 * whole


@pytest.mark.slow
@pytest.mark.parametrize("section", ["background", "inversion", "r2star"])
@pytest.mark.parametrize("case", ["brain fills a cube of 2 mm", "slices"])
def test_every_method_stays_within_its_plan(case, section):
    series, mask = scan(*CASES[case])
    work = planned(series, mask)
    for method in sorted(set(methods_of(section)) - {"none"}):
        start = with_method(PRESETS["fast"], "background", "none") if method == "tfi" else PRESETS["fast"]
        settings = with_method(start, section, method)
        peaks, _ = measured(series, mask, settings)
        assert peaks[section] <= step_bytes(work, settings)[section], method


def test_boxes_are_those_that_the_steps_take():
    series, mask = scan(*CASES["slices"])
    work = planned(series, mask)
    voxel_mm = series.grid.voxel_size_mm
    for margin in (0.0, 7.0, 24.0):
        assert work.box_voxels(margin) == math.prod(box_around(mask, voxel_mm, margin_mm=margin).shape)
        whole = box_around(mask, voxel_mm, margin_mm=margin, stay_inside=True)
        assert work.box_voxels(margin, stay_inside=True) == math.prod(whole.shape)


def test_without_a_mask_the_whole_grid_counts():
    series, mask = scan(*CASES["much air"])
    known, unknown = planned(series, mask), planned(series, None)
    assert unknown.mask_shape == series.grid.shape
    for settings in PRESETS.values():
        assert peak_bytes(unknown, settings) > peak_bytes(known, settings)


def test_echoes_on_the_host_leave_the_device_their_room():
    work = Workload((256, 288, 128), (0.75, 0.75, 1.2), 16, (200, 240, 120), 3_000_000)
    for settings in PRESETS.values():
        all_there = peak_bytes(work, settings, on_gpu=True)
        one_by_one = peak_bytes(work, settings, on_gpu=True, echoes_on_host=True)
        assert one_by_one < all_there
        assert all_there - one_by_one > 0.5 * work.echoes_bytes


def test_the_gpu_is_not_charged_for_what_the_host_does():
    work = Workload((64, 64, 64), (2.0, 2.0, 2.0), 4, (60, 60, 60), 100_000)
    host, device = (step_bytes(work, PRESETS["published"], on_gpu=on_gpu) for on_gpu in (False, True))
    assert device["unwrapping"] < host["unwrapping"]
    assert device["inversion"] > host["inversion"]  # work areas of its transforms


@pytest.mark.parametrize("n_echoes", [8, 16])
@pytest.mark.parametrize(
    ("shape", "voxel_mm"),
    [((256, 288, 52), (0.75, 0.75, 3.0)), ((256, 256, 96), (0.9, 0.9, 1.5)), ((224, 256, 160), (1.0, 1.0, 1.0))],
)
def test_three_resolutions_and_up_to_sixteen_echoes_fit_into_eight_gigabytes(shape, voxel_mm, n_echoes):
    brain = tuple(min(n, math.ceil(extent / s)) for n, s, extent in zip(shape, voxel_mm, (150, 185, 150), strict=True))
    work = Workload(shape, voxel_mm, n_echoes, brain, math.ceil(1.6e6 / math.prod(voxel_mm)))
    for name in ("published", "recommended", "fast"):
        assert peak_bytes(work, PRESETS[name], on_gpu=True, echoes_on_host=True) < 8e9
