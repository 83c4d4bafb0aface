from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.quality import quality_numbers

SHAPE = (6, 5, 4)
RNG = np.random.default_rng(0)
MASK = RNG.random(SHAPE) < 0.9
CHI_MASK = MASK & (RNG.random(SHAPE) < 0.7)
CSF = RNG.random(SHAPE) < 0.2
ARRAYS = {
    "chi_ppm": RNG.normal(0, 0.05, SHAPE),
    "chi_mask": CHI_MASK,
    "mask": MASK,
    "csf_mask": CSF,
    "local_field_hz": RNG.normal(0, 3, SHAPE),
    "noise_sd_hz": RNG.uniform(0.1, 1, SHAPE),
    "fit_residual": RNG.uniform(0, 0.1, SHAPE),
}


def numbers(**changes):
    return quality_numbers(**{**ARRAYS, **changes}, voxel_size_mm=(1.0, 2.0, 3.0), hz_per_ppm=127.7)


def test_numbers():
    out = numbers()
    both = CSF & CHI_MASK
    assert out["csf_mean_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][both].mean())
    assert out["csf_sd_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][both].std())
    assert out["csf_volume_mm3"] == 6 * both.sum()
    assert out["brain_mean_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][CHI_MASK].mean())
    assert out["mask_volume_mm3"] == 6 * MASK.sum()
    assert out["kept_fraction"] == pytest.approx(CHI_MASK.sum() / MASK.sum())
    assert out["local_field_sd_ppb"] == pytest.approx(1000 / 127.7 * ARRAYS["local_field_hz"][CHI_MASK].std())
    assert out["field_noise_median_ppb"] == pytest.approx(1000 / 127.7 * np.median(ARRAYS["noise_sd_hz"][MASK]))
    assert out["fit_residual_median"] == pytest.approx(np.median(ARRAYS["fit_residual"][MASK]))


def test_no_csf_is_not_a_number():
    out = numbers(csf_mask=np.zeros(SHAPE, bool))
    assert math.isnan(out["csf_mean_ppb"])
    assert math.isnan(out["csf_sd_ppb"])
    assert out["csf_volume_mm3"] == 0


def test_every_array_library(xp_case):
    moved = {k: xp_case.asarray(v, None if v.dtype == bool else "float32") for k, v in ARRAYS.items()}
    out, wanted = numbers(**moved), numbers()
    assert out.keys() == wanted.keys()
    for name, value in out.items():
        assert type(value) in (float, int)
        assert value == pytest.approx(wanted[name], rel=1e-4), name
