"""Small images written on the spot, and the check that an error is one sentence."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

AFFINE = np.diag((1.0, 1.5, 2.0, 1.0))
SHAPE = (6, 7, 8)
TIMES_S = (0.004, 0.009, 0.015)
SIDECAR = {"MagneticFieldStrength": 3, "ImagingFrequency": 127.74, "Manufacturer": "Siemens"}


@contextmanager
def _refused(*words: object, error: type[InputError] = InputError):
    """Expect an error whose message is one sentence that holds all ``words`` and ends without a full stop."""
    with pytest.raises(error) as caught:
        yield caught
    message = str(caught.value)
    assert "\n" not in message
    assert not message.endswith(".")
    for word in words:
        assert str(word) in message, f"{word!r} is not in: {message}"


@pytest.fixture
def refused() -> Callable[..., object]:
    return _refused


def _write_nifti(path, array, affine=AFFINE, *, slope=None, inter=None, sform=1, qform=1, sidecar=None):
    """Write ``array`` as it is; ``slope`` and ``inter`` go to the header without changing the stored values."""
    image = nib.Nifti1Image(array, None, dtype=array.dtype)
    image.header.set_sform(affine, code=sform)
    image.header.set_qform(affine, code=qform, strip_shears=True)
    image.header["magic"] = b"n+1"
    image.header["vox_offset"] = 352
    if slope is None:
        nib.save(image, path)
    else:
        header = image.header.copy()
        header.set_data_dtype(array.dtype)
        header.set_slope_inter(slope, inter or 0.0)
        path.write_bytes(header.binaryblock + b"\0" * 4 + array.tobytes(order="F"))
    if sidecar is not None:
        stem = path.name.removesuffix(".gz").removesuffix(".nii")
        path.with_name(stem + ".json").write_text(json.dumps(sidecar))
    return path


@pytest.fixture
def write_nifti() -> Callable[..., object]:
    return _write_nifti


def _echo_values(n):
    """Magnitude 100·(n + 1) everywhere but for one dark corner; phase of a field of 20 Hz + gradient, in radians."""
    magnitude = np.full(SHAPE, 100.0 * (n + 1), np.float32)
    magnitude[0, 0, 0] = 0
    field_hz = 20.0 + 5.0 * np.arange(SHAPE[0])[:, None, None] * np.ones(SHAPE)
    time = TIMES_S[n] if n < len(TIMES_S) else 0.015 + 0.003 * n
    return magnitude, np.angle(np.exp(2j * np.pi * field_hz * time)).astype(np.float32)


@pytest.fixture
def echo_values() -> Callable[..., object]:
    return _echo_values


@pytest.fixture
def series_files(tmp_path):
    """Write magnitude and phase, one file per echo, with sidecars; return both lists."""

    def write(n_echoes=3, sidecar=None, times=True, name="sub-01_echo-{}_part-{}_MEGRE.nii", affine=None):
        lists = [], []
        where = {} if affine is None else {"affine": affine}
        for n in range(n_echoes):
            for files, part, values in zip(lists, ("mag", "phase"), _echo_values(n), strict=True):
                side = dict(SIDECAR if sidecar is None else sidecar)
                if times:
                    side["EchoTime"] = TIMES_S[n] if n < 3 else 0.015 + 0.003 * n
                if part == "phase":
                    side["Units"] = "rad"
                path = tmp_path / name.format(n + 1, part)
                files.append(_write_nifti(path, values, sidecar=side if side else None, **where))
        return lists

    return write


@pytest.fixture
def complex_files(tmp_path):
    """Write real and imaginary parts; ``axis`` has alternate slices of opposite sign."""

    def write(axis=None):
        lists = [], []
        for n in range(3):
            magnitude, phase = _echo_values(n)
            signal = magnitude * np.exp(1j * phase)
            if axis is not None:
                shape = [-1 if a == axis else 1 for a in range(3)]
                signal = signal * np.where(np.arange(SHAPE[axis]) % 2, -1, 1).reshape(shape)
            for files, part, values in zip(lists, ("real", "imag"), (signal.real, signal.imag), strict=True):
                side = {"MagneticFieldStrength": 3, "Manufacturer": "GE MEDICAL SYSTEMS", "EchoTime": TIMES_S[n]}
                files.append(_write_nifti(tmp_path / f"echo-{n + 1}_{part}.nii", values.astype("f4"), sidecar=side))
        return {"real": lists[0], "imaginary": lists[1]}

    return write
