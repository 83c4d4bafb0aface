"""The reference phantom beside the checkout: every inversion at its defaults, from the true local field."""

from __future__ import annotations

import gc
import importlib.util
import warnings

import numpy as np
import pytest

from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.inversion.ilsqr import IlsqrSettings
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.inversion.rts import RtsSettings
from napari_msqsm.qsm.inversion.tv_admm import TvSettings
from napari_msqsm.qsm.method import run_method

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("settings", "nrmse_percent", "lesion_mae_ppb", "csf_sd_ppb"),
    [
        (ClosedFormL2Settings(), 34, 8, 7.5),
        (IlsqrSettings(), 33, 5, 6),
        (RtsSettings(), 34, 5, 6.5),
        (TvSettings(), 23, 3.5, 4),
    ],
    ids=["l2", "ilsqr", "rts", "tv"],
)
def test_inversion_alone(shared_data, settings, nrmse_percent, lesion_mae_ppb, csf_sd_ppb):
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
    hz_per_ppm = float(truth["par"]["CF_hz"]) * 1e-6
    out = run_method(
        METHODS[type(settings)],
        (truth["local"] * hz_per_ppm).astype(np.float32),
        mask=truth["mask"],
        noise_sd_hz=None,
        voxel_size_mm=tuple(float(step) for step in truth["par"]["voxel"]),
        b0_direction=(0.0, 0.0, 1.0),
        hz_per_ppm=hz_per_ppm,
        settings=settings,
    )
    assert out.converged
    assert out.chi_ppm.dtype == np.float32
    result = score.score_chi(truth, out.chi_ppm.astype(float))
    assert result["nrmse"] < nrmse_percent
    assert result["lesion_mae"] < lesion_mae_ppb
    assert result["csf_sd"] < csf_sd_ppb
