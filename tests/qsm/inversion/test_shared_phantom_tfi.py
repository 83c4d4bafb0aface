"""The reference phantom beside the checkout: total-field inversion from the true total field."""

from __future__ import annotations

import gc
import importlib.util
import warnings

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.inversion.tfi import tfi

pytestmark = pytest.mark.slow


def test_from_the_true_total_field(shared_data):
    script = shared_data.parent / "score" / "score_qsm.py"
    if not script.is_file():
        pytest.skip(f"the scoring script is not there: {script}")
    spec = importlib.util.spec_from_file_location("score_qsm", script)
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    with warnings.catch_warnings():  # the script leaves a file open
        warnings.simplefilter("ignore", ResourceWarning)
        truth = score.truth_of(str(shared_data / "phantom") + "/")
        gc.collect()
    mask, hz_per_ppm = truth["mask"], float(truth["par"]["CF_hz"]) * 1e-6
    echoes = [np.asarray(nib.load(shared_data / "phantom" / f"echo-{k}_part-mag.nii.gz").dataobj) for k in range(1, 12)]
    magnitude = np.sqrt(sum(echo.astype(np.float32) ** 2 for echo in echoes))
    noise = np.where(mask, magnitude[mask].mean() / np.where(mask, np.maximum(magnitude, 1), 1), 0)
    out = tfi(
        (truth["total"] * hz_per_ppm).astype(np.float32),
        magnitude=magnitude,
        noise_sd_hz=(1e-3 * hz_per_ppm * noise).astype(np.float32),
        mask=mask,
        csf_mask=truth["csf"] & mask,
        voxel_size_mm=tuple(float(step) for step in truth["par"]["voxel"]),
        b0_direction=(0.0, 0.0, 1.0),
        hz_per_ppm=hz_per_ppm,
    )
    assert out.converged
    assert out.cg_converged
    assert out.chi_ppm.dtype == np.float32
    np.testing.assert_array_equal(out.mask, mask)
    chi = score.score_chi(truth, out.chi_ppm.astype(float))
    assert chi["nrmse"] < 42
    assert chi["xsim"] > 0.77
    assert chi["lesion_mae"] < 3.5
    assert chi["dgm_slope"] == pytest.approx(1.0, abs=0.05)
    local, wanted = out.local_field_hz / hz_per_ppm, truth["local"]
    error = (local - wanted)[mask] - (local - wanted)[mask].mean()
    assert np.linalg.norm(error) < 0.3 * np.linalg.norm(wanted[mask] - wanted[mask].mean())
