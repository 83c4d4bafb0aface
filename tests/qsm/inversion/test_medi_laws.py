"""What MEDI must hold to at any setting: descent, convergence, scale of the noise, precision."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.background.residual import ResidualBackgroundSettings
from napari_msqsm.qsm.inversion.medi import medi
from napari_msqsm.qsm.inversion.medi_problem import MediProblem
from napari_msqsm.qsm.presets import PRESETS

PUBLISHED, RECOMMENDED = (PRESETS[name].inversion for name in ("published", "recommended"))
SETTINGS = [pytest.param(PUBLISHED, id="published"), pytest.param(RECOMMENDED, id="recommended")]
EXACT = {"max_outer": 60, "outer_rtol": 1e-3, "cg_rtol": 0.03, "precondition": True}


@pytest.fixture(scope="module")
def inputs(head):
    rng = np.random.default_rng(0)
    noise = np.where(head.brain, 0.2 + 0.2 * (head.r2star_hz > 40), 0.0)
    field = head.local_hz + noise * rng.standard_normal(head.brain.shape)
    field[14, 9, 8] += 30.0  # an outlier for MERIT
    return {
        "local_field_hz": field,
        "magnitude": np.sqrt((head.series.magnitude.astype(float) ** 2).sum(0)),
        "noise_sd_hz": noise,
        "mask": head.brain,
        "csf_mask": head.csf,
        "voxel_size_mm": (4.0, 4.0, 5.0),
        "b0_direction": (0.0, 0.0, 1.0),
        "hz_per_ppm": 127.73,
        "echo_spacing_s": 0.005,
    }


def changed(settings, **values):
    return settings.model_copy(update=values)


def relative(chi, wanted):
    return float(np.linalg.norm(chi - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("filtered", [False, True], ids=["local field", "filtered"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_with_fixed_weights_every_step_lowers_the_objective(inputs, settings, filtered):
    residual = ResidualBackgroundSettings(smv_radii_mm=(8.0,), neighbours_at_edge=True, rim="keep")
    out = medi(
        **inputs,
        residual_background=residual if filtered else None,
        settings=changed(settings, merit=False, outer_rtol=1e-3, max_outer=15),
    )
    assert len(out.objective) > 5
    assert all(after <= before * (1 + 1e-9) for before, after in zip(out.objective, out.objective[1:], strict=False))


@pytest.mark.parametrize("settings", SETTINGS)
def test_between_two_changes_of_its_weights_merit_lowers_the_objective(inputs, settings, monkeypatch):
    before = []
    linearised = MediProblem.linearised

    def spied(problem, chi):
        before.append(problem.objective(chi))
        return linearised(problem, chi)

    monkeypatch.setattr(MediProblem, "linearised", spied)
    out = medi(**inputs, settings=changed(settings, outer_rtol=1e-3, max_outer=12))
    after = out.objective[1:]
    assert len(before) == len(after) > 3
    assert before[1] != after[0]  # the weights did change
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in zip(before, after, strict=True))


@pytest.mark.parametrize("settings", SETTINGS)
def test_common_scale_of_the_noise_has_no_say(inputs, settings):
    plain = medi(**inputs, settings=settings).chi_ppm
    louder = medi(**inputs | {"noise_sd_hz": 1000 * inputs["noise_sd_hz"]}, settings=settings).chi_ppm
    assert relative(louder, plain) < 1e-6


@pytest.mark.parametrize("settings", SETTINGS)
def test_single_and_double_precision_agree(inputs, settings):
    single = {
        name: value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value
        for name, value in inputs.items()
    }
    low = medi(**single, settings=settings).chi_ppm
    assert low.dtype == np.float32
    assert relative(low, medi(**inputs, settings=settings).chi_ppm) < 0.01


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_small_tolerance_ends_within_a_thousandth_of_the_minimum(inputs, settings):
    """With fixed weights; at its own tolerance it ends within 3 %."""
    exact, near, default = (
        medi(**inputs, settings=changed(settings, merit=False, **values)).objective[-1]
        for values in (EXACT, {"outer_rtol": 0.002, "max_outer": 30}, {})
    )
    assert exact <= near * (1 + 1e-6)
    assert near < 1.001 * exact
    assert default < 1.03 * exact
