from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_msqsm._backend import fast_fft_length
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.box import box_around


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 14)] * 3),
    margin=st.floats(0, 20, allow_subnormal=False),
    stay=st.booleans(),
    seed=st.integers(0, 99),
)
def test_crop_and_embed(shape, margin, stay, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < 0.2
    mask.flat[rng.integers(mask.size)] = True
    image = np.where(mask, rng.standard_normal(shape), 0)
    voxel = (1.0, 2.0, 3.0)
    box = box_around(mask, voxel, margin_mm=margin, stay_inside=stay)
    cropped = box.crop(image)
    assert cropped.shape == box.shape
    np.testing.assert_array_equal(box.embed(cropped), image)  # nothing of the mask is lost
    for n, step, axis in zip(box.shape, voxel, range(3), strict=True):
        assert n == fast_fft_length(n)
        filled = np.nonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))[0]
        assert (n - (filled[-1] + 1 - filled[0])) * step >= margin  # distance between periodic copies


def test_stay_inside_keeps_the_whole_image():
    mask = np.zeros((9, 8, 7), bool)
    mask[4, 4, 3] = True
    image = np.arange(mask.size, dtype=float).reshape(mask.shape)
    box = box_around(mask, (1.0, 1.0, 1.0), margin_mm=3.0, stay_inside=True)
    np.testing.assert_array_equal(box.embed(box.crop(image)), image)


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="empty"):
        box_around(np.zeros((3, 3, 3), bool), (1.0, 1.0, 1.0), margin_mm=1.0)


def test_every_array_library(xp_case):
    mask = np.zeros((9, 8, 7), bool)
    mask[2:5, 3:8, 0:2] = True
    box = box_around(xp_case.asarray(mask), (1.0, 1.0, 1.0), margin_mm=2.0)
    image = xp_case.asarray(np.where(mask, 2.5, 0.0), "float32")
    cropped = box.crop(image)
    xp_case.check(cropped, "float32", box.shape)
    back = box.embed(cropped)
    xp_case.check(back, "float32", mask.shape)
    np.testing.assert_array_equal(xp_case.numpy(back), np.where(mask, 2.5, 0.0))
