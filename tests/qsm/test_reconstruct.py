"""The chain from echoes to χ, on data from an independent forward model."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, InputError, MetadataError, ShapeMismatchError
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.qsm.chain import STEPS
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.settings import with_overrides

PUBLISHED, RECOMMENDED, FAST = (PRESETS[name] for name in ("published", "recommended", "fast"))
ORIENTATIONS = [
    "".join(codes) for order in itertools.permutations(("LR", "PA", "IS")) for codes in itertools.product(*order)
]


def relative(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def slope(chi, truth, mask):
    return np.polyfit(truth[mask], chi[mask], 1)[0]


def test_sign_unit_and_scale(head):
    out = reconstruct(head.series, RECOMMENDED, mask=head.brain)
    assert out.converged
    assert slope(out.chi_ppm, head.chi_ppm, out.mask) == pytest.approx(1, abs=0.15)
    assert relative(out.chi_ppm[out.mask], head.chi_ppm[out.mask]) < 0.35
    assert abs(out.chi_ppm[head.csf].mean()) < 0.005
    assert not out.chi_ppm[~out.mask].any()
    # air beside the head shifts the field by up to periods, never its differences
    error = (out.total_field_hz - head.total_hz)[head.brain]
    assert np.abs(error - np.median(error)).max() < 1.0
    assert np.median(out.r2star_hz[head.iron]) == pytest.approx(45, rel=0.1)
    assert (out.csf_mask & head.csf).sum() > 0.8 * head.csf.sum()


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_sees_iron_and_finds_brain_and_csf_itself(head, name):
    out = reconstruct(head.series, PRESETS[name])
    iron, rest = head.iron & out.mask, out.mask & ~head.iron
    contrast = out.chi_ppm[iron].mean() - out.chi_ppm[rest].mean()
    assert contrast == pytest.approx(head.chi_ppm[iron].mean() - head.chi_ppm[rest].mean(), rel=0.3)
    assert out.csf_mask.any()
    for array in (out.chi_ppm, out.total_field_hz, out.local_field_hz, out.r2star_hz, out.noise_sd_hz):
        assert array.dtype == np.float32
        assert array.shape == head.brain.shape
        assert np.isfinite(array).all()


def oriented_chi(head, settings, codes):
    grid = head.series.grid
    magnitude, turned = reoriented(head.series.magnitude, grid, codes)
    phase, _ = reoriented(head.series.phase_rad, grid, codes)
    series = replace(
        head.series,
        magnitude=np.ascontiguousarray(magnitude),
        phase_rad=np.ascontiguousarray(phase),
        grid=turned,
        b0_direction=(0.0, 0.0, 0.0),
    )
    out = reconstruct(series, settings)
    return reoriented(out.chi_ppm, turned, "RAS")[0]


def check_orientations(head, settings, orientations):
    plain = oriented_chi(head, settings, "RAS")
    for codes in orientations:
        assert relative(oriented_chi(head, settings, codes), plain) < 1e-3, codes


@pytest.mark.parametrize("name", list(PRESETS))
def test_same_map_for_some_orientations(head, name):
    check_orientations(head, PRESETS[name], ["LPI", "LAS", "ASR", "PIR", "SLA", "IPL"])


@pytest.mark.slow
@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize("name", list(PRESETS))
def test_same_map_for_all_orientations(head, make_head, oblique_affine, name, tilted):
    assert len(set(ORIENTATIONS)) == 48
    check_orientations(make_head(affine=oblique_affine) if tilted else head, PRESETS[name], ORIENTATIONS)


@pytest.mark.parametrize("shape", [(23, 27, 21), (24, 26, 22), (25, 28, 23)])
def test_odd_and_even_sizes(make_head, shape):
    head = make_head(shape)
    out = reconstruct(head.series, RECOMMENDED, mask=head.brain)
    assert slope(out.chi_ppm, head.chi_ppm, out.mask) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("settings", [PUBLISHED, FAST])
def test_oblique_b0_comes_from_the_affine(make_head, oblique_affine, settings):
    head = make_head(affine=oblique_affine)
    assert head.series.b0_direction == pytest.approx((0.0, 0.5, np.sqrt(0.75)))
    out = reconstruct(head.series, settings, mask=head.brain)
    flat = replace(head.series, grid=Grid(head.brain.shape, np.diag([4.0, 4.0, 5.0, 1.0])))
    assert flat.b0_direction == head.series.b0_direction
    assert relative(reconstruct(flat, settings, mask=head.brain).chi_ppm, out.chi_ppm) < 1e-4
    ignored = replace(flat, b0_direction=(0.0, 0.0, 1.0))
    assert relative(reconstruct(ignored, settings, mask=head.brain).chi_ppm, out.chi_ppm) > 0.1


def test_oblique_b0_gives_the_right_map(make_head, oblique_affine):
    head = make_head(affine=oblique_affine)
    out = reconstruct(head.series, RECOMMENDED, mask=head.brain)
    assert slope(out.chi_ppm, head.chi_ppm, out.mask) == pytest.approx(1, abs=0.15)
    assert relative(out.chi_ppm[out.mask], head.chi_ppm[out.mask]) < 0.35


@pytest.mark.parametrize("times", [(0.004, 0.0082, 0.013), (0.0061, 0.0142)])
def test_unequal_and_few_echoes(make_head, times):
    head = make_head(times_s=times, noise=0.001)
    out = reconstruct(head.series, RECOMMENDED, mask=head.brain)
    assert slope(out.chi_ppm, head.chi_ppm, out.mask) == pytest.approx(1, abs=0.2)


def test_what_is_given_is_used(head):
    local = np.where(head.brain, head.local_hz, 0).astype(np.float32)
    total = np.where(head.brain, head.total_hz, 0).astype(np.float32)
    noise = np.where(head.brain, 0.5, 0).astype(np.float32)
    csf = head.csf & (np.arange(24) < 12)[:, None, None]
    from_local = reconstruct(head.series, mask=head.brain, csf_mask=csf, local_field_hz=local, noise_sd_hz=noise)
    np.testing.assert_array_equal(from_local.local_field_hz, local)
    np.testing.assert_array_equal(from_local.csf_mask, csf)
    np.testing.assert_array_equal(from_local.noise_sd_hz, noise)
    np.testing.assert_array_equal(from_local.mask, head.brain)  # nothing is given up
    assert slope(from_local.chi_ppm, head.chi_ppm, head.brain) == pytest.approx(1, abs=0.1)
    from_total = reconstruct(head.series, mask=head.brain, total_field_hz=total)
    np.testing.assert_array_equal(from_total.total_field_hz, total)
    assert "unwrapping" not in from_total.seconds
    assert "brain_mask" not in from_total.seconds
    assert from_local.seconds.keys() & {"background", "csf_mask", "brain_mask"} == set()


@pytest.mark.parametrize("field", ["total_field_hz", "local_field_hz"])
def test_a_field_needs_no_phase(head, field):
    given = {field: np.where(head.brain, head.local_hz, 0).astype(np.float32)}
    out = reconstruct(replace(head.series, phase_rad=None), mask=head.brain, **given)
    iron, rest = head.iron & out.mask, out.mask & ~head.iron
    assert out.chi_ppm[iron].mean() - out.chi_ppm[rest].mean() > 0.08
    assert np.isnan(out.quality["fit_residual_median"])
    assert (out.total_field_hz is None) == (field == "local_field_hz")


def test_refusals(head):
    series = head.series
    with pytest.raises(MetadataError, match="no phase and no field"):
        reconstruct(replace(series, phase_rad=None))
    with pytest.raises(ShapeMismatchError, match=r"mask has shape .* resample"):
        reconstruct(series, mask=head.brain[1:])
    with pytest.raises(InputError, match="mask is empty"):
        reconstruct(series, mask=np.zeros_like(head.brain))
    with pytest.raises(InputError, match="wanted bool"):
        reconstruct(series, mask=head.brain.astype(np.uint8))
    for name in ("total_field_hz", "local_field_hz", "noise_sd_hz"):
        with pytest.raises(InputError, match=f"{name} holds NaN"):
            reconstruct(series, **{name: np.full(head.brain.shape, np.nan, np.float32)})
    for name in ("magnitude", "phase_rad"):
        spoilt = getattr(series, name).copy()
        spoilt[1, 2, 3, 4] = np.inf
        with pytest.raises(InputError, match=f"{name} holds NaN"):
            reconstruct(replace(series, **{name: spoilt}))
        with pytest.raises(InputError, match="float32"):
            reconstruct(replace(series, **{name: getattr(series, name).astype(np.int16)}))


@pytest.mark.parametrize("at", ["Field fit", "Background field", "Dipole inversion"])
def test_cancel_stops_within_the_step(head, at):
    cancel = threading.Event()
    titles = []

    def on_progress(title, fraction):
        titles.append(title)
        if title == at:
            cancel.set()

    with pytest.raises(CancelledError, match=at):
        reconstruct(head.series, mask=head.brain, on_progress=on_progress, cancel=cancel)
    assert titles[-1] == at
    assert titles.count(at) == 1


@pytest.mark.parametrize("name", list(PRESETS))
def test_progress_grows_from_0_to_1(head, name):
    seen = []
    reconstruct(head.series, PRESETS[name], on_progress=lambda title, fraction: seen.append((title, fraction)))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert list(dict.fromkeys(title for title, _ in seen)) == [*(step.title for step in STEPS), "Done"]


def test_around_sees_every_step_with_its_declared_inputs_only(head):
    seen = {}

    def around(step, values, settings, compute):
        made = compute()
        assert set(values) == set(step.needs)
        assert set(made) == set(step.makes)
        assert settings is PUBLISHED
        seen[step.name] = made
        return made

    plain = reconstruct(head.series, PUBLISHED, mask=head.brain, around=around)
    assert set(seen) == {step.name for step in STEPS} - {"brain_mask"}

    def remembered(step, values, settings, compute):
        return seen[step.name]

    again = reconstruct(head.series, PUBLISHED, mask=head.brain, around=remembered)
    np.testing.assert_array_equal(again.chi_ppm, plain.chi_ppm)


def test_inputs_are_left_alone_and_the_result_repeats(head):
    frozen = [np.array(a) for a in (head.series.magnitude, head.series.phase_rad, head.brain)]
    for array in frozen:
        array.setflags(write=False)
    series = replace(head.series, magnitude=frozen[0], phase_rad=frozen[1])
    for settings in PRESETS.values():
        first = reconstruct(series, settings, mask=frozen[2])
        np.testing.assert_array_equal(first.chi_ppm, reconstruct(series, settings, mask=frozen[2]).chi_ppm)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_array_library_gives_the_same_map(xp_case, head, name):
    series = replace(
        head.series,
        magnitude=xp_case.asarray(head.series.magnitude),
        phase_rad=xp_case.asarray(head.series.phase_rad),
    )
    out = reconstruct(series, PRESETS[name])
    for array in (out.chi_ppm, out.local_field_hz, out.total_field_hz, out.r2star_hz, out.noise_sd_hz):
        xp_case.check(array, "float32", head.brain.shape)
    for array in (out.mask, out.csf_mask):
        xp_case.check(array, "bool", head.brain.shape)
    assert relative(xp_case.numpy(out.chi_ppm), reconstruct(head.series, PRESETS[name]).chi_ppm) < 1e-3


@pytest.mark.parametrize("name", list(PRESETS))
def test_single_and_double_precision_agree(head, name):
    double = replace(
        head.series,
        magnitude=head.series.magnitude.astype(np.float64),
        phase_rad=head.series.phase_rad.astype(np.float64),
    )
    out = reconstruct(double, PRESETS[name], mask=head.brain)
    assert out.chi_ppm.dtype == np.float64
    assert relative(reconstruct(head.series, PRESETS[name], mask=head.brain).chi_ppm, out.chi_ppm) < 1e-3


def test_numpy_scalars_from_headers_keep_single_precision(head):
    series = replace(
        head.series,
        echo_times_s=tuple(np.array(head.series.echo_times_s)),
        b0_tesla=np.float64(3.0),
        b0_direction=tuple(np.array([0.0, 0.5, 0.8])),
    )
    assert reconstruct(series, FAST, mask=head.brain).chi_ppm.dtype == np.float32


@pytest.mark.parametrize("region", ["csf", "brain", "none"])
def test_reference(head, region):
    settings = PUBLISHED.model_copy(update={"reference": PUBLISHED.reference.model_copy(update={"region": region})})
    out = reconstruct(head.series, settings, mask=head.brain)
    mean = {"csf": out.chi_ppm[out.csf_mask & out.mask].mean(), "brain": out.chi_ppm[out.mask].mean(), "none": 0.0}
    assert mean[region] == pytest.approx(0, abs=1e-6)
    assert (out.quality["reference_shift_ppb"] == 0) == (region == "none")


def test_a_given_region_is_the_zero(head):
    out = reconstruct(head.series, FAST, mask=head.brain, reference_mask=head.iron)
    assert out.chi_ppm[head.iron & out.mask].mean() == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="reference_mask"):
        reconstruct(head.series, FAST, mask=head.brain, reference_mask=~head.brain)


def test_no_csf_is_said(head):
    bright = replace(head.series, magnitude=head.series.magnitude * np.where(head.csf, 0.9, 1).astype(np.float32))
    t = np.array(head.series.echo_times_s, np.float32)[:, None, None, None]
    even = (100 * head.brain * np.exp(-18 * t)).astype(np.float32)
    out = reconstruct(replace(bright, magnitude=even), mask=head.brain)
    assert any("no ventricular CSF" in sentence for sentence in out.warnings)
    assert not out.csf_mask.any()


def test_too_few_iterations_are_said(head):
    settings = PUBLISHED.model_copy(
        update={
            "background": PUBLISHED.background.model_copy(update={"cg_max_iter": 2}),
            "inversion": PUBLISHED.inversion.model_copy(update={"max_outer": 1}),
        }
    )
    out = reconstruct(head.series, settings, mask=head.brain)
    assert not out.converged
    assert any("background removal stopped" in sentence for sentence in out.warnings)
    assert any("did not converge" in sentence for sentence in out.warnings)


def test_one_echo_gives_no_csf_mask_and_says_so(head):
    series = replace(
        head.series,
        magnitude=head.series.magnitude[:1],
        phase_rad=head.series.phase_rad[:1],
        echo_times_s=head.series.echo_times_s[:1],
    )
    result = reconstruct(series, mask=head.brain)
    assert not result.csf_mask.any()
    assert any("one echo" in sentence for sentence in result.warnings)
    assert np.isnan(result.quality["field_noise_median_ppb"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mask": "one"}, "mask has 1 voxels"),
        ({"mask": "brain", "csf_mask": "outside"}, "csf_mask does not overlap mask"),
        ({"mask": "brain", "local_field_hz": 0.0}, "local_field_hz is zero everywhere"),
        ({"mask": "brain", "noise_sd_hz": 0.0}, "noise_sd_hz is zero everywhere"),
        ({"mask": "brain", "noise_sd_hz": -1.0}, "noise_sd_hz has negative values"),
    ],
)
def test_what_leaves_nothing_to_reconstruct_from_is_refused(head, given, words):
    one = np.zeros_like(head.brain)
    one[12, 13, 11] = True
    regions = {"one": one, "brain": head.brain, "outside": ~head.brain}
    made = {
        name: regions[value] if isinstance(value, str) else np.full(head.brain.shape, value, np.float32)
        for name, value in given.items()
    }
    with pytest.raises(InputError, match=words):
        reconstruct(head.series, **made)


def test_background_that_did_not_converge_is_not_called_converged(head):
    settings = with_overrides(PRESETS["published"], {"background.cg_max_iter": 1})
    result = reconstruct(head.series, settings, mask=head.brain)
    assert not result.converged
    assert any("background removal stopped" in sentence for sentence in result.warnings)


def test_a_linear_system_left_early_is_said(head):
    settings = with_overrides(PRESETS["published"], {"inversion.cg_max_iter": 3})
    result = reconstruct(head.series, settings, mask=head.brain)
    assert any("cg_max_iter" in sentence for sentence in result.warnings)
    assert not any("cg_max_iter" in s for s in reconstruct(head.series, mask=head.brain).warnings)
