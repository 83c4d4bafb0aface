"""10,000 slice files sorted and converted, against dcm2niix alone on the same folder. Bar: 0.8 × its speed.

Twenty sessions of a Siemens gradient-echo scan, magnitude and phase, five echoes of 50 slices of 208×256. Pairs of
runs, in turn, of our survey and conversion (which also sets the scale of the phase) and of dcm2niix with the same
options.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time

import pytest

from dicom_scanner import Geometry, Patient, Visit, write_gre
from napari_msqsm.io.dicom.converter import OPTIONS, find_dcm2niix
from napari_msqsm.io.dicom.stage import stage

BAR = 0.8
_VISITS, _ECHO_TIMES_S, _SHAPE = 20, (0.004, 0.010, 0.016, 0.022, 0.028), (208, 256, 50)
_PAIRS = 3


@pytest.fixture(scope="module")
def dicom_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    geometry = Geometry(shape=_SHAPE, voxel_mm=(1.0, 0.9, 3.0))
    for n in range(_VISITS):
        visit = Visit(f"2018{n % 12 + 1:02d}{n + 1:02d}")
        write_gre(folder / f"{n:02d}", geometry, _ECHO_TIMES_S, patient=Patient(), visit=visit, number=1)
    yield folder
    shutil.rmtree(folder)


def _cpu_s() -> float:
    return sum(os.times()[:4])


def _timed(function) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu_s()
    function()
    return time.perf_counter() - wall, _cpu_s() - cpu


def bench_ten_thousand_slices(benchmark, dicom_folder, tmp_path):
    executable = find_dcm2niix()
    ours, alone = [], []

    def convert():
        result = stage(dicom_folder, tmp_path / "staging")
        assert len(result.series) == 2 * _VISITS
        assert sum(len(one.images) for one in result.series) == 2 * _VISITS * len(_ECHO_TIMES_S)
        assert result.left_out == ()

    def dcm2niix():
        out = tmp_path / "alone"
        out.mkdir()
        command = [executable, *OPTIONS, "-d", "9", "-f", "%j", "-o", out, dicom_folder]
        subprocess.run(command, check=True, capture_output=True)
        assert len(list(out.glob("*.nii"))) == 2 * _VISITS * len(_ECHO_TIMES_S)

    def pairs():
        for _ in range(_PAIRS):
            for function, seconds in ((dcm2niix, alone), (convert, ours)):
                seconds.append(_timed(function))
                shutil.rmtree(tmp_path / "staging", ignore_errors=True)
                shutil.rmtree(tmp_path / "alone", ignore_errors=True)

    benchmark.pedantic(pairs, rounds=1, iterations=1)
    wall, cpu = (
        statistics.median(theirs[n] / own[n] for theirs, own in zip(alone, ours, strict=True)) for n in range(2)
    )
    benchmark.extra_info |= {
        "files": 2 * _VISITS * len(_ECHO_TIMES_S) * _SHAPE[2],
        "wall_s": [round(own[0], 2) for own in ours],
        "cpu_s": [round(own[1], 2) for own in ours],
        "dcm2niix_wall_s": [round(own[0], 2) for own in alone],
        "dcm2niix_cpu_s": [round(own[1], 2) for own in alone],
        "speed_of_dcm2niix": round(wall, 3),
        "speed_of_dcm2niix_by_cpu": round(cpu, 3),
        "bar": BAR,
    }
    assert max(wall, cpu) >= BAR  # by CPU seconds where other work shares the cores
