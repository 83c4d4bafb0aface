"""What every benchmark records beside its seconds, so that a gain in one cannot hide a loss in another."""

from __future__ import annotations

import platform
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from napari_msqsm._backend import default_threads, gpu_status

if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLING_S = 0.005


class PeakMemory:
    """Largest resident memory of this process while the block runs, above what it held before, in MB."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._before = self._largest = self._process.memory_info().rss
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    @property
    def mb(self) -> float:
        return (self._largest - self._before) / 1e6

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLING_S):
            self._largest = max(self._largest, self._process.memory_info().rss)


def synchronise() -> None:
    """Wait for the GPU, so that the clock is read when the work is done and not when it was handed over."""
    if "cupy" in sys.modules and gpu_status()[0]:
        import cupy

        cupy.cuda.get_current_stream().synchronize()


@pytest.fixture
def record(benchmark: Any) -> Callable[..., Any]:
    """Time ``function(*args, **keywords)`` and record what it took.

    ``extra_info`` gets wall and CPU seconds, peak memory in MB, threads and processor, and what ``figures(result)``
    returns: at least ``iterations`` and ``residual`` for anything iterative.
    """

    def run(
        function: Callable[..., Any],
        *args: Any,
        figures: Callable[[Any], dict[str, float]] | None = None,
        rounds: int = 1,
        **keywords: Any,
    ) -> Any:
        def once() -> Any:
            result = function(*args, **keywords)
            synchronise()
            return result

        cpu_before = time.process_time()
        with PeakMemory() as memory:
            result = benchmark.pedantic(once, rounds=rounds, iterations=1)
        benchmark.extra_info |= {
            "cpu_s": (time.process_time() - cpu_before) / rounds,
            "peak_memory_mb": memory.mb,
            "threads": default_threads(),
            "processor": platform.processor() or platform.machine(),
            **(figures(result) if figures else {}),
        }
        return result

    return run
