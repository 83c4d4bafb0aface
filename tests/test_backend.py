from __future__ import annotations

import subprocess
import sys
import types

import array_api_compat.numpy
import numpy as np
import pytest

from napari_msqsm import _backend
from napari_msqsm.errors import GpuUnavailableError


@pytest.fixture
def volume(xp_case, rng):
    return xp_case.asarray(rng.standard_normal((5, 6, 7)), "float32")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_mixed_libraries_are_refused(xp_case):
    if xp_case.name == "numpy":
        import array_api_strict as other
    else:
        other = np
    with pytest.raises(TypeError):
        _backend.namespace_of(xp_case.asarray([1.0]), other.asarray([1.0]))


def test_fft_round_trip_keeps_library_device_and_float32(xp_case, volume):
    fft = _backend.fft_for(xp_case.xp, workers=1)
    spectrum = fft.rfftn(volume, axes=(0, 1, 2))
    xp_case.check(spectrum, "complex64", (5, 6, 4))
    back = fft.irfftn(spectrum, s=(5, 6, 7), axes=(0, 1, 2))
    xp_case.check(back, "float32", (5, 6, 7))
    np.testing.assert_allclose(xp_case.numpy(back), xp_case.numpy(volume), atol=1e-6)
    np.testing.assert_allclose(xp_case.numpy(spectrum), np.fft.rfftn(xp_case.numpy(volume)), atol=1e-4)


def test_like_follows_its_template(xp_case, volume):
    out = _backend.like(np.arange(3), volume, dtype=xp_case.xp.float32)
    xp_case.check(out)
    assert xp_case.numpy(out).tolist() == [0.0, 1.0, 2.0]


def test_histogram_sums_weights(xp_case):
    index, weight = xp_case.asarray([2, 0, 2, 3]), xp_case.asarray([0.5, 1.0, 2.0, 4.0], "float32")
    out = _backend.histogram(index, weight, 6)
    xp_case.check(out, "float64", (6,))
    assert xp_case.numpy(out).tolist() == [1.0, 0.0, 2.5, 4.0, 0.0, 0.0]


def test_to_numpy_does_not_copy_host_arrays():
    array = np.zeros(3)
    assert _backend.to_numpy(array) is array
    assert _backend.to_numpy([1, 2]).tolist() == [1, 2]


def test_array_module_cpu_is_numpy():
    assert _backend.array_module("cpu") is array_api_compat.numpy


def test_asking_for_an_unusable_gpu_says_why(monkeypatch):
    monkeypatch.setattr(_backend, "gpu_status", lambda: (False, "the driver is too old"))
    with pytest.raises(GpuUnavailableError, match=r"the driver is too old; use --device cpu"):
        _backend.array_module("cuda")
    assert _backend.array_module("auto") is array_api_compat.numpy


def test_a_cupy_that_cannot_allocate_is_not_usable(monkeypatch):
    class BrokenDriver:
        float32 = np.float32

        def ones(self, *_, **__):
            raise OSError("no driver")

    monkeypatch.setitem(sys.modules, "cupy", BrokenDriver())
    _backend.gpu_status.cache_clear()
    try:
        usable, reason = _backend.gpu_status()
    finally:
        _backend.gpu_status.cache_clear()
    assert not usable
    assert "OSError: no driver" in reason or "cannot use a GPU" in reason


def test_freeing_gpu_memory_does_not_import_cupy():
    code = (
        "import sys; from napari_msqsm._backend import free_gpu_memory; free_gpu_memory(); print('cupy' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize(("value", "threads"), [("3", 3), ("0", 1)])
def test_threads_from_the_environment(monkeypatch, value, threads):
    monkeypatch.setenv("MSQSM_THREADS", value)
    assert _backend.default_threads() == threads


def test_threads_without_a_choice_are_the_cores_at_hand(monkeypatch):
    monkeypatch.delenv("MSQSM_THREADS", raising=False)
    assert _backend.default_threads() >= 1


def _cupy_error(name, text, base=Exception):
    return type(name, (base,), {"__module__": "cupy.cuda.memory"})(text)


@pytest.mark.parametrize(
    "error",
    [
        _cupy_error("OutOfMemoryError", "Out of memory allocating 1,024 bytes", MemoryError),
        _cupy_error("CUDARuntimeError", "cudaErrorMemoryAllocation: out of memory", RuntimeError),
        _cupy_error("CuFFTError", "CUFFT_ALLOC_FAILED", RuntimeError),
    ],
)
def test_running_out_of_gpu_memory_is_recognised(error):
    assert _backend.is_gpu_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [MemoryError("host"), ValueError("OutOfMemoryError"), _cupy_error("CUDARuntimeError", "cudaErrorNoDevice")]
)
def test_other_errors_are_not_running_out_of_gpu_memory(error):
    assert not _backend.is_gpu_out_of_memory(error)


def test_free_memory_of_the_gpu_counts_what_cupy_keeps(monkeypatch):
    class Pool:
        free_bytes = staticmethod(lambda: 300)

    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(memGetInfo=lambda: (1000, 8000)))
    cupy.get_default_memory_pool = Pool
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(_backend, "gpu_status", lambda: (True, "stand-in"))
    assert _backend.gpu_memory_free() == 1300
    monkeypatch.setattr(_backend, "gpu_status", lambda: (False, "no driver"))
    assert _backend.gpu_memory_free() is None


def test_only_cupy_is_on_a_gpu(xp_case):
    assert _backend.is_gpu(xp_case.xp) == (xp_case.name == "cupy")
