"""MATLAB files against SciPy's writer; damaged ones end in a sentence."""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest
import scipy.io

from napari_msqsm.errors import InputError
from napari_msqsm.io.matlab import read_matlab_map

SHAPE = (4, 5, 3)


@pytest.fixture
def values():
    return np.random.default_rng(3).normal(size=SHAPE)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1"])
def test_what_scipy_writes(tmp_path, values, compressed, dtype):
    stored = (20 * values).astype(dtype)
    content = {"matrix_size": list(SHAPE), "Method": "MEDI", "QSM": stored, "iMag": -values, "Mask": values > 0}
    scipy.io.savemat(tmp_path / "x.mat", content, do_compression=compressed)
    found = read_matlab_map(tmp_path / "x.mat")
    np.testing.assert_allclose(found.chi, stored.astype(np.float32))
    np.testing.assert_allclose(found.magnitude, np.abs(values), rtol=1e-6)
    assert np.array_equal(found.mask, values > 0)
    assert found.chi.flags.c_contiguous


def test_a_complex_map_gives_its_real_part(tmp_path, values):
    scipy.io.savemat(tmp_path / "x.mat", {"x": values + 1j})
    np.testing.assert_allclose(read_matlab_map(tmp_path / "x.mat").chi, values, rtol=1e-6)


def test_what_has_another_shape_is_left_out(tmp_path, values):
    scipy.io.savemat(tmp_path / "x.mat", {"QSM": values, "iMag": values[1:], "Mask": np.ones((2, 2))})
    found = read_matlab_map(tmp_path / "x.mat")
    assert found.magnitude is None
    assert found.mask is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no MATLAB 5 header"),
        (b"MATLAB 7.3 MAT-file" + bytes(600), "-v7"),
        (b"MATLAB 5.0" + bytes(500), "no MATLAB 5 header"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_matlab_map(tmp_path / "x.mat")
    with pytest.raises(InputError, match="does not exist"):
        read_matlab_map(tmp_path / "y.mat")


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_end_in_a_sentence(tmp_path, values, compressed):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"QSM": values, "iMag": values}, do_compression=compressed)
    whole, draw = path.read_bytes(), random.Random(4)
    for _ in range(400):
        damaged = bytearray(whole[: draw.randrange(len(whole))] if draw.random() < 0.3 else whole)
        for _ in range(draw.randrange(8) if damaged else 0):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert read_matlab_map(path).chi.ndim == 3
