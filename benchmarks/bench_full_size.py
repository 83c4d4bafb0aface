"""Whole chain and inversion at full size, on echoes of the synthetic head, each in a process of its own.

256×288×52 at 0.75×0.75×3 mm with 11 echoes, and 256×256×96 at 0.9×0.9×1.5 mm with 8, B0 12° oblique. Every benchmark
records CPU seconds by step, peak resident memory beside the planned one, the seconds of the inversion's Fourier
transforms alone, iterations, the last relative change, NRMSE and XSIM.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).with_name("full_size.py")
_SIZES = {
    "256x288x52": ((256, 288, 52), (0.75, 0.75, 3.0), 11),
    "256x256x96": ((256, 256, 96), (0.9, 0.9, 1.5), 8),
}
_MOST_GB = 3.0


def _script(*args: object, threads: int = 1) -> str:
    environment = {**os.environ, "MSQSM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, str(_SCRIPT), *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.fixture(scope="session")
def scan_of(request):
    """File of a scan, made once and kept in pytest's cache."""
    folder = request.config.cache.mkdir("full_size_scans")

    def scan(size: str) -> Path:
        path = folder / f"{size}.npz"
        if not path.exists():
            shape, voxel_mm, n_echoes = _SIZES[size]
            new = path.with_suffix(".new.npz")
            _script(new, "--make", *shape, *voxel_mm, n_echoes)
            new.replace(path)
        return path

    return scan


def _recorded(benchmark, scan: Path, preset: str, start: str, threads: int) -> dict[str, float]:
    figures = json.loads(
        benchmark.pedantic(_script, args=(scan, preset, "--start", start), kwargs={"threads": threads}, rounds=1)
    )
    benchmark.extra_info |= figures
    assert figures["peak_rss_gb"] <= _MOST_GB
    return figures


@pytest.mark.parametrize("threads", [1, 2])
def bench_inversion(benchmark, scan_of, threads):
    _recorded(benchmark, scan_of("256x288x52"), "published", "local", threads)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("preset", ["published", "recommended"])
@pytest.mark.parametrize("size", _SIZES)
def bench_chain(benchmark, scan_of, size, preset, threads):
    _recorded(benchmark, scan_of(size), preset, "echoes", threads)
