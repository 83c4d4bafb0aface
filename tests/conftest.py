"""Fixtures shared by all tests: array libraries and data that lie beside the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import array_api_compat
import array_api_compat.numpy
import array_api_strict
import numpy as np
import pytest

from napari_msqsm._backend import gpu_status, to_numpy

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference data beside the checkout."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"reference data are not there: {_SHARED_DATA}")
    return _SHARED_DATA


@dataclass(frozen=True)
class ArrayCase:
    """One array library on one device, to run the same test on.

    ``asarray`` makes the inputs (read-only for NumPy, so that changing an input is an error), ``check`` asserts where
    and what an output is, ``numpy`` brings it back for comparing values.
    """

    name: str
    xp: Any
    device: Any

    def asarray(self, array: Any, dtype: str | None = None) -> Any:
        """Test input on this library and device; ``dtype`` is that of ``array`` unless named."""
        host = np.array(array, dtype=dtype)
        if array_api_compat.is_numpy_namespace(self.xp):
            host.setflags(write=False)
            return host
        return self.xp.asarray(host, device=self.device)

    def check(self, out: Any, dtype: str = "float32", shape: tuple[int, ...] | None = None) -> None:
        """Assert that ``out`` is an array of this library, on this device, with this dtype (and shape)."""
        assert array_api_compat.array_namespace(out) is self.xp, f"{type(out)} is not an array of {self.name}"
        assert array_api_compat.device(out) == self.device, f"{array_api_compat.device(out)} is not {self.device}"
        assert out.dtype == getattr(self.xp, dtype), f"dtype is {out.dtype}, wanted {dtype}"
        if shape is not None:
            assert tuple(out.shape) == shape

    def numpy(self, out: Any) -> np.ndarray[Any, Any]:
        """Copy of ``out`` on the host."""
        return to_numpy(out)


def _numpy_case() -> ArrayCase:
    return ArrayCase("numpy", array_api_compat.numpy, "cpu")


def _strict_case(device_name: str) -> ArrayCase:
    return ArrayCase(f"array_api_strict on {device_name}", array_api_strict, array_api_strict.Device(device_name))


def _cupy_case() -> ArrayCase:
    usable, reason = gpu_status()
    if not usable:
        pytest.skip(reason)
    import array_api_compat.cupy as xp

    return ArrayCase("cupy", xp, array_api_compat.device(xp.zeros(1)))


_CASES = {
    "numpy": _numpy_case,
    "strict-cpu": lambda: _strict_case("CPU_DEVICE"),
    "strict-device1": lambda: _strict_case("device1"),
    "cupy": _cupy_case,
}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.gpu) if name == "cupy" else name for name in _CASES])
def xp_case(request: pytest.FixtureRequest) -> ArrayCase:
    """Every array library in turn; ``strict-device1`` is a stand-in for a GPU: a hidden ``np.asarray`` raises."""
    return _CASES[request.param]()
