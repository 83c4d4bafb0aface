"""Seconds that ``import napari_msqsm`` takes in a fresh interpreter. Bar: 0.3 s."""

from __future__ import annotations

import subprocess
import sys

import pytest

BAR_S = 0.3
_CLOCK = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds_to_import(module: str) -> float:
    out = subprocess.run([sys.executable, "-c", _CLOCK.format(module)], capture_output=True, text=True, check=True)
    return float(out.stdout)


@pytest.mark.parametrize("module", ["napari_msqsm", "napari_msqsm.cli"])
def bench_import(benchmark, module):
    seconds = [seconds_to_import(module) for _ in range(5)]
    benchmark.extra_info |= {"import_s": seconds, "bar_s": BAR_S}
    benchmark.pedantic(seconds_to_import, args=(module,), rounds=3, iterations=1)
    assert min(seconds) < BAR_S
