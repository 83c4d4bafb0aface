"""R2* and quality numbers on the reference phantom beside the checkout."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.inversion.medi import medi
from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd
from napari_msqsm.qsm.quality.streaks import streak_index
from napari_msqsm.qsm.r2star.arlo import arlo
from napari_msqsm.qsm.r2star.nonlinear import NonlinearSettings, nonlinear

pytestmark = pytest.mark.slow

TIMES_S = tuple(0.0067 + 0.0041 * echo for echo in range(11))
HZ_PER_PPM = 127.74
PLACE = {"voxel_size_mm": (2.0, 2.0, 4.0), "b0_direction": (0.0, 0.0, 1.0)}


@dataclass(frozen=True)
class Phantom:
    magnitude: np.ndarray
    mask: np.ndarray
    r2star_hz: np.ndarray
    total_field_hz: np.ndarray
    local_field_ppm: np.ndarray


@pytest.fixture(scope="module")
def phantom(shared_data) -> Phantom:
    folder = shared_data / "phantom"

    def image(name):
        return np.asarray(nib.load(folder / f"{name}.nii.gz").dataobj, np.float32)

    return Phantom(
        np.stack([image(f"echo-{echo}_part-mag") for echo in range(1, 12)]),
        image("mask_reliable") > 0,
        image("r2star_hz"),
        HZ_PER_PPM * image("totalfield_ppm"),
        image("localfield_ppm"),
    )


def test_r2star_without_macroscopic_dephasing(phantom):
    common = {"echo_times_s": TIMES_S, "mask": phantom.mask}
    settings = NonlinearSettings(macroscopic_correction=True)
    found = nonlinear(phantom.magnitude, total_field_hz=phantom.total_field_hz, settings=settings, **common)
    error = (found - phantom.r2star_hz)[phantom.mask]
    of_arlo = (arlo(phantom.magnitude, **common) - phantom.r2star_hz)[phantom.mask]
    assert np.sqrt((error**2).mean()) < 0.5 * np.sqrt((of_arlo**2).mean())
    assert abs(error.mean()) < 0.6


def test_a_small_threshold_has_many_times_the_streaks_of_medi(phantom):
    noise_ppm = np.random.default_rng(0).normal(0, 2e-3, phantom.mask.shape)
    field = ((phantom.local_field_ppm + noise_ppm) * HZ_PER_PPM).astype(np.float32)
    grid = {"mask": phantom.mask, "hz_per_ppm": HZ_PER_PPM, **PLACE}
    streaky = tkd(field, settings=TkdSettings(threshold=0.05), **grid)
    smooth = medi(
        field,
        magnitude=np.linalg.norm(phantom.magnitude, axis=0),
        noise_sd_hz=np.full(phantom.mask.shape, 2e-3 * HZ_PER_PPM, np.float32),
        csf_mask=np.zeros_like(phantom.mask),
        echo_spacing_s=0.0041,
        **grid,
    )
    streaks = {
        name: streak_index(result.chi_ppm, mask=phantom.mask, **PLACE)
        for name, result in (("tkd", streaky), ("medi", smooth))
    }
    assert streaks["tkd"] > 2.5 * streaks["medi"]
