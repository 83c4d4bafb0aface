"""NumPy or CuPy: the only module that knows which array library is in use."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any

import numpy as np
import scipy.fft
from array_api_compat import array_namespace, device, is_cupy_namespace, is_numpy_namespace

from napari_msqsm.errors import GpuUnavailableError

Array = Any
"""An array of any library that follows the array API standard."""

_OUT_OF_GPU_MEMORY = (
    "OutOfMemoryError",
    "cudaErrorMemoryAllocation",
    "CUFFT_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)

Namespace = Any
"""The module an array comes from, as `array_api_compat` gives it."""


def namespace_of(*arrays: Array) -> Namespace:
    """Array namespace shared by all arguments; mixing libraries is a TypeError."""
    return array_namespace(*arrays)


def fft_for(xp: Namespace, workers: int | None = None) -> Any:
    """Object with ``fftn, ifftn, rfftn, irfftn``: threaded `scipy.fft` for NumPy, the library's own otherwise."""
    return _ThreadedFFT(workers or default_threads()) if is_numpy_namespace(xp) else xp.fft


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Copy to host memory (no copy when it is there already)."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "get"):  # CuPy
        return np.asarray(array.get())
    if hasattr(array, "to_device"):  # array-api-strict
        import array_api_strict

        return np.asarray(array.to_device(array_api_strict.Device("CPU_DEVICE")))
    return np.asarray(array)


def like(array: Any, template: Array, *, dtype: Any = None) -> Array:
    """Host array or scalar as an array of the template's library, on its device."""
    xp = namespace_of(template)
    return xp.asarray(array, device=device(template), dtype=dtype)


def histogram(index: Array, weight: Array, length: int) -> Array:
    """Sum of the weights of every index 0…length − 1, float64; test libraries without a histogram go by the host."""
    xp = namespace_of(index, weight)
    if is_numpy_namespace(xp) or is_cupy_namespace(xp):
        return xp.bincount(index, weights=weight, minlength=length)
    return like(np.bincount(to_numpy(index), to_numpy(weight), length), weight, dtype=xp.float64)


def array_module(name: str) -> Namespace:
    """Namespace for a ``--device`` choice: ``cpu``, ``cuda`` or ``auto`` (the GPU when it is usable).

    Raises
    ------
    GpuUnavailableError
        For ``cuda`` when no GPU can be used; the message says why.
    """
    if name == "cpu":
        return importlib.import_module("array_api_compat.numpy")
    usable, reason = gpu_status()
    if usable:
        return importlib.import_module("array_api_compat.cupy")
    if name == "cuda":
        raise GpuUnavailableError(f"--device cuda was asked for, but {reason}; use --device cpu")
    return importlib.import_module("array_api_compat.numpy")


@functools.cache
def gpu_status() -> tuple[bool, str]:
    """Whether CuPy can be *used* (it allocates and runs one FFT), and the reason when not."""
    try:
        import cupy
    except ImportError:
        return False, "CuPy is not installed (extra cuda12 or cuda13)"
    try:
        probe = cupy.fft.rfftn(cupy.ones((8, 8, 8), dtype=cupy.float32))
        float(cupy.abs(probe).sum())
        name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    except Exception as error:  # noqa: BLE001  a broken driver raises many kinds of error
        return False, f"CuPy is installed but cannot use a GPU ({type(error).__name__}: {error})"
    return True, name


def is_gpu(xp: Namespace) -> bool:
    """Whether arrays of a namespace live on a GPU."""
    return bool(is_cupy_namespace(xp))


def gpu_memory_free() -> int | None:
    """Bytes of the GPU that can still be had: the driver's and those that CuPy keeps for reuse; None without CuPy."""
    if not gpu_status()[0]:
        return None
    import cupy

    free, _ = cupy.cuda.runtime.memGetInfo()
    return int(free) + int(cupy.get_default_memory_pool().free_bytes())


def is_gpu_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the GPU does not suffice, for an array or the plan of an FFT."""
    if not type(error).__module__.startswith("cupy"):
        return False
    said = f"{type(error).__name__} {error}"
    return any(sign in said for sign in _OUT_OF_GPU_MEMORY)


def free_gpu_memory() -> None:
    """Give CuPy's cached memory and FFT plans back to the driver; nothing without CuPy in use."""
    import sys

    if "cupy" in sys.modules and gpu_status()[0]:
        import cupy

        cupy.fft.config.get_plan_cache().clear()
        cupy.get_default_memory_pool().free_all_blocks()


def fast_fft_length(n: int) -> int:
    """Smallest length ≥ n whose real FFT is fast."""
    return int(scipy.fft.next_fast_len(n, real=True))


def default_threads() -> int:
    """CPU threads for FFTs: ``MSQSM_THREADS`` or all the cores this process may use."""
    chosen = os.environ.get("MSQSM_THREADS")
    if chosen:
        return max(1, int(chosen))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _ThreadedFFT:
    """`scipy.fft` with a number of threads; keeps float32."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(scipy.fft, name), workers=self._workers)
