from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.inversion.boxed import boxed_field

SHAPE = (9, 8, 7)


@pytest.fixture
def boxed():
    mask = np.zeros(SHAPE, bool)
    mask[2:6, 2:5, 1:6] = True
    field = np.where(mask, 20.0, np.nan)
    return boxed_field(
        field, mask=mask, voxel_size_mm=(2, 2, 3), b0_direction=(0, 0, 1), hz_per_ppm=100.0, margin_mm=6.0
    )


def test_field_is_in_ppm_and_zero_outside(boxed):
    assert boxed.field_ppm.shape == boxed.box.shape
    assert (boxed.field_ppm[boxed.inside] == 0.2).all()
    assert not boxed.field_ppm[~boxed.inside].any()
    assert boxed.inside.sum() == boxed.mask.sum()


def test_result_is_on_the_image_and_zero_outside(boxed):
    out = boxed.inversion(np.ones(boxed.box.shape), converged=False)
    np.testing.assert_array_equal(out.chi_ppm, boxed.mask * 1.0)
    assert not out.converged


def test_weights_are_one_over_the_noise_of_mean_one(boxed):
    noise = np.full(SHAPE, 2.0)
    noise[2] = 4.0
    noise[3] = 0.0  # not measured
    weights = boxed.weights(noise)
    assert weights[boxed.inside].mean() == pytest.approx(1)
    on_image = boxed.box.embed(weights)
    assert on_image[4, 3, 3] == pytest.approx(2 * on_image[2, 3, 3])
    assert not on_image[3].any()
    assert not on_image[~boxed.mask].any()
    np.testing.assert_allclose(boxed.weights(noise * 37), weights)
    np.testing.assert_array_equal(boxed.weights(None), boxed.inside * 1.0)


def test_noise_of_zero_everywhere_is_refused(boxed):
    with pytest.raises(InputError, match="noise_sd_hz is zero"):
        boxed.weights(np.zeros(SHAPE))
