"""The reference phantom beside the checkout, with noise: the chosen weight against the best of the ladder."""

from __future__ import annotations

import gc
import importlib.util
import warnings

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.inversion.tv_admm import TvSettings
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.weight_choice.choose import chosen_weight
from napari_msqsm.qsm.weight_choice.discrepancy import DiscrepancySettings
from napari_msqsm.qsm.weight_choice.l_curve import LCurveSettings
from napari_msqsm.qsm.weight_choice.misfit import judge_of

pytestmark = pytest.mark.slow

NOISE_PPB_AT_FULL_SIGNAL = 1.0


@pytest.fixture(scope="module")
def score(shared_data):
    path = shared_data.parent / "score" / "score_qsm.py"
    if not path.is_file():
        pytest.skip(f"the scoring script is not there: {path}")
    spec = importlib.util.spec_from_file_location("score_qsm", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def truth(shared_data, score):
    with warnings.catch_warnings():  # the script leaves a file open
        warnings.simplefilter("ignore", ResourceWarning)
        truth = score.truth_of(str(shared_data / "phantom") + "/")
        gc.collect()
    magnitude = np.asarray(nib.load(shared_data / "phantom" / "echo-5_part-mag.nii.gz").dataobj, np.float32)
    relative = np.median(magnitude[truth["mask"]]) / np.maximum(magnitude, 1.0)
    return truth | {"noise_ppm": np.where(truth["mask"], 1e-3 * NOISE_PPB_AT_FULL_SIGNAL * relative, 0.0)}


@pytest.mark.parametrize("settings", [ClosedFormL2Settings(), TvSettings()], ids=["l2", "tv"])
@pytest.mark.parametrize("louder", [1.0, 3.0])
@pytest.mark.parametrize("choice", [DiscrepancySettings(), LCurveSettings()], ids=["discrepancy", "l-curve"])
def test_chosen_weight(truth, score, settings, louder, choice):
    hz_per_ppm = float(truth["par"]["CF_hz"]) * 1e-6
    noise = louder * hz_per_ppm * truth["noise_ppm"]
    rng = np.random.default_rng(0)
    field = (hz_per_ppm * truth["local"] + noise * rng.standard_normal(noise.shape)).astype(np.float32)
    given = {
        "mask": truth["mask"],
        "noise_sd_hz": noise.astype(np.float32),
        "voxel_size_mm": tuple(float(step) for step in truth["par"]["voxel"]),
        "b0_direction": (0.0, 0.0, 1.0),
        "hz_per_ppm": hz_per_ppm,
    }
    errors = []

    def invert(inversion, on_progress):
        out = run_method(METHODS[type(inversion)], field, settings=inversion, on_progress=on_progress, **given)
        errors.append(score.score_chi(truth, out.chi_ppm.astype(float))["nrmse"])
        return out

    out = chosen_weight(
        invert,
        settings,
        choice=choice,
        judge=lambda radii_mm: judge_of(field, radii_mm=radii_mm, **given),
        radii_mm=(),
        noise_is_absolute=True,
        on_progress=lambda _: None,
    )
    best = min(errors)
    invert(out.settings, None)
    assert not out.warnings
    assert errors[-1] < (1.15 if isinstance(choice, DiscrepancySettings) else 1.3) * best
