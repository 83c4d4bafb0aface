"""Alternate slices of opposite sign in the files of a series."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.dicom.alternate import undo_alternate_signs

SHAPE = (12, 14, 9)
TIMES = (5.0, 10.0)


def signals():
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return [1000 * np.exp(-(x**2) - y**2) * np.exp(1j * (x + 0.3 * z + 20 * y * time / 1e2)) for time in TIMES]


def write(folder, axis, dtype, slope=1.0, intercept=0.0):
    """Real and imaginary files by echo time; ``axis`` alternates."""
    parts = {}
    for name, part in (("real", np.real), ("imag", np.imag)):
        parts[name] = {}
        for time, signal in zip(TIMES, signals(), strict=True):
            shape = [-1 if a == axis else 1 for a in range(3)]
            signs = 1 if axis is None else np.where(np.arange(SHAPE[axis]) % 2, -1, 1).reshape(shape)
            stored = (part(signal) * signs - intercept) / slope
            stored = np.round(stored) if np.issubdtype(dtype, np.integer) else stored
            image = nib.Nifti1Image(stored.astype(dtype), np.diag((1, 2, 3, 1)))
            image.header.set_slope_inter(slope, intercept)
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"{time:g}").mkdir()
            parts[name][time] = folder / name / f"{time:g}" / "image.nii"
            nib.save(image, parts[name][time])
    return parts


def undo(parts):
    """Every echo exported once."""
    return undo_alternate_signs(*({time: [path] for time, path in parts[name].items()} for name in ("real", "imag")))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("dtype", "slope", "intercept"),
    [
        (np.int16, 1.0, 0.0),
        (np.int16, 0.5, 0.0),
        (np.float32, 1.0, 0.0),
        (np.int16, 0.5, -1024.0),
        (np.uint16, 1, -2048),
    ],
)
def test_signs_are_undone_in_every_echo(tmp_path, axis, dtype, slope, intercept):
    parts = write(tmp_path, axis, dtype, slope, intercept)
    assert undo(parts)
    for time, true in zip(TIMES, signals(), strict=True):
        found = np.asarray(nib.load(parts["real"][time]).dataobj) + 1j * np.asarray(
            nib.load(parts["imag"][time]).dataobj
        )
        sign = np.sign(np.sum(found * true.conj()).real)
        np.testing.assert_allclose(sign * found, true, atol=1.0)
        np.testing.assert_array_equal(nib.load(parts["real"][time]).affine, np.diag((1, 2, 3, 1)))
        assert [path.name for path in parts["real"][time].parent.iterdir()] == ["image.nii"]


def test_an_echo_that_is_there_twice_is_corrected_twice(tmp_path):
    """The study takes one of them: both must be right."""
    both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        both.append(write(tmp_path / name, 2, np.int16))
    assert undo_alternate_signs(*({time: [one[part][time] for one in both] for time in TIMES} for part in both[0]))
    for part in both[0]:
        for time in TIMES:
            first, second = (np.asarray(nib.load(one[part][time]).dataobj) for one in both)
            np.testing.assert_array_equal(first, second)
    assert not undo(both[1])


def test_right_data_are_left_alone(tmp_path):
    parts = write(tmp_path, None, np.int16)
    before = [path.read_bytes() for part in parts.values() for path in part.values()]
    assert not undo(parts)
    assert [path.read_bytes() for part in parts.values() for path in part.values()] == before


@pytest.mark.parametrize("lacking", ["real", "imag"])
def test_one_part_alone_tells_nothing(tmp_path, lacking):
    parts = write(tmp_path, 2, np.int16)
    parts[lacking] = {}
    assert not undo(parts)


def test_the_most_negative_integer_is_not_lost(tmp_path):
    """−32768 has no opposite in 16 bits."""
    parts = write(tmp_path, 2, np.int16)
    image = nib.load(parts["real"][10.0])
    stored = np.array(image.dataobj.get_unscaled())
    stored[0, 0, 1] = -32768
    nib.save(nib.Nifti1Image(stored, image.affine), parts["real"][10.0])
    assert undo(parts)
    assert np.asarray(nib.load(parts["real"][10.0]).dataobj)[0, 0, 1] == 32768
