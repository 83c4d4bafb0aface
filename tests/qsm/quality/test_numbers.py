from __future__ import annotations

import math

import numpy as np
import pytest

from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.qsm.quality.numbers import MEANING, quality_numbers

SHAPE = (20, 18, 16)
VOXEL_MM = (2.0, 2.0, 3.0)
TIMES_S = (0.005, 0.01, 0.015, 0.02)
RNG = np.random.default_rng(0)
MASK = np.zeros(SHAPE, bool)
MASK[2:18, 1:17, 2:14] = True
CHI_MASK = MASK & (np.arange(SHAPE[2]) < 13)
CSF = RNG.random(SHAPE) < 0.2
ARRAYS = {
    "chi_ppm": RNG.normal(0, 0.05, SHAPE) * CHI_MASK,
    "chi_mask": CHI_MASK,
    "mask": MASK,
    "csf_mask": CSF,
    "magnitude": RNG.uniform(50, 100, (4, *SHAPE)),
    "total_field_hz": RNG.normal(0, 30, SHAPE),
    "local_field_hz": RNG.normal(0, 3, SHAPE),
    "local_mask": MASK,
    "local_depth_mm": depth_mm(MASK, VOXEL_MM),
    "signal_noise_sd_hz": RNG.uniform(0.1, 1, SHAPE),
    "noise_sd_hz": RNG.uniform(0.1, 1, SHAPE),
    "fit_residual": RNG.uniform(0, 0.1, SHAPE),
}


def numbers(**changes):
    return quality_numbers(
        **{"period_hz": 200.0, **ARRAYS, **changes},
        echo_times_s=TIMES_S,
        voxel_size_mm=VOXEL_MM,
        b0_direction=(0.0, 0.0, 1.0),
        hz_per_ppm=127.7,
    )


def test_numbers():
    out = numbers()
    both = CSF & CHI_MASK
    assert out["csf_mean_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][both].mean())
    assert out["csf_sd_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][both].std())
    assert out["csf_volume_mm3"] == 12 * both.sum()
    assert out["brain_mean_ppb"] == pytest.approx(1000 * ARRAYS["chi_ppm"][CHI_MASK].mean())
    assert out["mask_volume_mm3"] == 12 * MASK.sum()
    assert out["kept_fraction"] == pytest.approx(CHI_MASK.sum() / MASK.sum())
    assert out["local_field_sd_ppb"] == pytest.approx(1000 / 127.7 * ARRAYS["local_field_hz"][CHI_MASK].std())
    assert out["field_noise_median_ppb"] == pytest.approx(1000 / 127.7 * np.median(ARRAYS["noise_sd_hz"][MASK]))
    assert out["fit_residual_median"] == pytest.approx(np.median(ARRAYS["fit_residual"][MASK]))
    assert out["chi_noise_ppb"] == pytest.approx(50, rel=0.05)


def test_every_number_has_a_meaning():
    assert set(numbers()) | {"reference_shift_ppb"} == set(MEANING)
    assert all(math.isfinite(value) for value in numbers().values())


def test_no_csf_is_not_a_number():
    out = numbers(csf_mask=np.zeros(SHAPE, bool))
    assert math.isnan(out["csf_mean_ppb"])
    assert math.isnan(out["csf_sd_ppb"])
    assert out["csf_volume_mm3"] == 0


@pytest.mark.parametrize("changes", [{"total_field_hz": None}, {"period_hz": math.nan}])
def test_wraps_are_unknown_without_a_fitted_field(changes):
    assert math.isnan(numbers(**changes)["wraps_left_fraction"])


def test_every_array_library(xp_case):
    moved = {k: xp_case.asarray(v, None if v.dtype == bool else "float32") for k, v in ARRAYS.items()}
    out, wanted = numbers(**moved), numbers()
    assert out.keys() == wanted.keys()
    for name, value in out.items():
        assert type(value) in (float, int)
        assert value == pytest.approx(wanted[name], rel=1e-3), name
