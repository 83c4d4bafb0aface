"""The reference phantom beside the checkout: inversion alone and the whole chain, scored by its own script."""

from __future__ import annotations

import gc
import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.slow

TIMES_S = tuple(0.0067 + 0.0041 * echo for echo in range(11))


@pytest.fixture(scope="module")
def score(shared_data) -> ModuleType:
    path = shared_data.parent / "score" / "score_qsm.py"
    if not path.is_file():
        pytest.skip(f"the scoring script is not there: {path}")
    spec = importlib.util.spec_from_file_location("score_qsm", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def phantom(shared_data, score) -> dict[str, Any]:
    folder = shared_data / "phantom"
    with warnings.catch_warnings():  # the script leaves a file open
        warnings.simplefilter("ignore", ResourceWarning)
        truth = score.truth_of(str(folder) + "/")
        gc.collect()

    def echoes(part):
        images = [nib.load(folder / f"echo-{echo}_part-{part}.nii.gz") for echo in range(1, 12)]
        return np.stack([np.asarray(image.dataobj, np.float32) for image in images]), images[0]

    magnitude, image = echoes("mag")
    phase = echoes("phase")[0] * np.float32(np.pi / 4096)
    frequency = float(truth["par"]["CF_hz"])
    grid = Grid(magnitude.shape[1:], image.affine)
    series = MultiEchoSeries(magnitude, phase, TIMES_S, 3.0, grid, imaging_frequency_hz=frequency)
    return {"truth": truth, "series": series, "hz_per_ppm": frequency * 1e-6}


@pytest.mark.parametrize(("name", "most_percent", "most_ppb"), [("published", 23.2, 2.6), ("recommended", 20, 2.0)])
def test_inversion_alone(phantom, score, name, most_percent, most_ppb):
    truth = phantom["truth"]
    local = (truth["local"] * phantom["hz_per_ppm"]).astype(np.float32)
    out = reconstruct(phantom["series"], PRESETS[name], mask=truth["mask"], local_field_hz=local)
    scores = score.score_chi(truth, out.chi_ppm.astype(float))
    assert scores["nrmse"] <= most_percent
    assert scores["lesion_mae"] <= most_ppb
    assert scores["csf_sd"] <= 2.2
    assert abs(scores["csf_mean"]) <= 1
    assert 0.95 <= scores["dgm_slope"] <= 1.05
    assert scores["kept"] == 1


def test_whole_chain_with_the_given_mask(phantom, score):
    truth = phantom["truth"]
    out = reconstruct(phantom["series"], PRESETS["recommended"], mask=truth["mask"])
    scores = score.score_chi(truth, out.chi_ppm.astype(float))
    assert scores["nrmse"] <= 45
    assert scores["xsim"] >= 0.78
    assert scores["lesion_mae"] <= 3.3
    assert 0.9 <= scores["dgm_slope"] <= 1.1
    assert abs(scores["csf_mean"]) <= 1
    assert scores["kept"] >= 0.9
    assert out.converged


def test_whole_chain_as_published(phantom, score):
    truth = phantom["truth"]
    out = reconstruct(phantom["series"], PRESETS["published"], mask=truth["mask"])
    assert score.score_chi(truth, out.chi_ppm.astype(float))["nrmse"] <= 48
    assert out.converged
