"""Smooth offsets are found, taken away, and leave no bias in the field."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.phase_offset.even_odd import even_odd_phase, size_rad
from napari_msqsm.qsm.phase_offset.mcpc3ds import Mcpc3dsSettings, mcpc3ds
from napari_msqsm.qsm.phase_offset.methods import METHODS, NoOffsetSettings
from napari_msqsm.qsm.phase_offset.result import PhaseOffset, without

VOXEL_MM = (2.0, 2.0, 3.0)
SHAPE = (41, 38, 27)
TIMES = tuple(0.0067 + 0.0041 * echo for echo in range(6))
MONOPOLAR, BIPOLAR = Mcpc3dsSettings(readout="monopolar"), Mcpc3dsSettings(readout="bipolar")


def on_axes():
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return x, y, z, (x / 0.9) ** 2 + (y / 0.9) ** 2 + (z / 0.85) ** 2 < 1


def scan(times=TIMES, psi=0.0, noise=0.01):
    """Echoes of a head with veins, nuclei and a steep background, seen through a smooth receiver phase."""
    x, y, z, mask = on_axes()
    local = 12 * np.exp(-((x - 0.3) ** 2 + y**2 + z**2) / 0.01) - 9 * np.exp(-((x + 0.4) ** 2 + y**2) / 0.004)
    field = 60 * x * z + 90 * y**2 - 40 * z + local
    offset = 1.4 * x - 2.2 * y + 0.8 * z**2 + 0.5 * np.sin(2 * x * y) + 0.3
    t = np.array(times)[:, None, None, None]
    even_odd = np.where(np.arange(len(times)) % 2 == 1, 1.0, 0.0)[:, None, None, None] * psi
    signal = np.where(mask, 1.0, 0.02) * np.exp(-22 * t) * np.exp(1j * (offset + 2 * np.pi * field * t + even_odd))
    rng = np.random.default_rng(0)
    signal = signal + noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    return mask, field, offset, np.abs(signal).astype(np.float32), np.angle(signal).astype(np.float32)


def found(magnitude, phase, mask, times=TIMES, settings=None):
    return mcpc3ds(magnitude, phase, echo_times_s=times, mask=mask, voxel_size_mm=VOXEL_MM, settings=settings)


def tilt():
    """Delay along the readout, with a little of higher order."""
    x, y, z, _ = on_axes()
    return 0.4 + 1.6 * x + 0.3 * x * y - 0.2 * z**2


def field_of(magnitude, phase, mask, times=TIMES):
    return fit_field(magnitude, phase, echo_times_s=times, mask=mask).field_hz


def apart(a, b, mask, period=1 / 0.0041):
    error = (a - b)[mask]
    return error - period * np.round(error / period)


def test_the_offset_is_that_of_the_receiver_everywhere_up_to_the_edge():
    mask, _, offset, magnitude, phase = scan()
    error = (found(magnitude, phase, mask, settings=MONOPOLAR).offset_rad - offset)[mask]
    # whole periods of the field make a constant
    error = np.angle(np.exp(1j * (error - np.angle(np.exp(1j * error).mean()))))
    assert np.sqrt(np.mean(error**2)) < 0.05
    assert np.abs(error).max() < 0.25


def test_the_common_offset_leaves_the_field_as_it_was():
    mask, field, _, magnitude, phase = scan()
    offset = found(magnitude, phase, mask, settings=MONOPOLAR)
    assert offset.even_odd_rad is None
    assert offset.warnings == ()
    cleaned = without(phase, offset.offset_rad, offset.even_odd_rad)
    before, after = (field_of(magnitude, echoes, mask) for echoes in (phase, cleaned))
    assert np.abs(apart(after, before, mask)).max() < 1e-3  # Hz: 8e-6 ppm at 3 T; smoothing has no say
    assert abs(np.median(apart(after, field, mask))) < 0.02
    # and the phase at TE = 0 is gone
    rest = fit_field(magnitude, cleaned, echo_times_s=TIMES, mask=mask).offset_rad[mask]
    assert np.abs(np.mean(np.exp(1j * rest))) > 0.9


@pytest.mark.parametrize("n", [3, 4, 6])
def test_bipolar_echoes_give_the_field_of_monopolar_ones(n):
    times = TIMES[:n]
    mask, _, _, magnitude, phase = scan(times)
    bipolar = scan(times, psi=tilt())[4]
    clean = field_of(magnitude, phase, mask, times)
    for settings in (BIPOLAR, Mcpc3dsSettings()) if n > 3 else (BIPOLAR,):
        offset = found(magnitude, bipolar, mask, times, settings)
        cleaned = without(bipolar, offset.offset_rad, offset.even_odd_rad)
        spoilt, mended = (apart(field_of(magnitude, p, mask, times), clean, mask) for p in (bipolar, cleaned))
        assert np.sqrt(np.mean(mended**2)) < 0.03 * np.sqrt(np.mean(spoilt**2))
        assert abs(np.mean(mended)) < 0.02
    error = (offset.even_odd_rad - tilt())[mask]
    assert np.abs(error).max() < 0.1
    assert np.sqrt(np.mean(error**2)) < 0.02
    assert n == 3 or (len(offset.warnings) == 1 and "bipolar" in offset.warnings[0])


def test_three_echoes_do_not_tell_a_bipolar_readout_by_themselves():
    mask, _, _, magnitude, phase = scan(TIMES[:3], psi=tilt())
    offset = found(magnitude, phase, mask, TIMES[:3])
    assert offset.even_odd_rad is None
    assert offset.offset_rad is None


def test_half_turns_are_settled_by_the_smallest():
    mask, _, _, magnitude, phase = scan(psi=tilt() + np.pi)
    error = (found(magnitude, phase, mask).even_odd_rad - tilt())[mask]
    assert np.abs(error).max() < 0.1


def test_the_even_odd_phase_holds_no_tissue():
    mask, _, _, magnitude, phase = scan(noise=0.0)
    psi = even_odd_phase(magnitude, phase, mask=mask, voxel_size_mm=VOXEL_MM, sd_mm=10.0)
    assert np.abs(psi).max() < 1e-5
    assert size_rad(psi, mask) < 1e-5
    assert not psi[~mask].any()


def test_auto_leaves_monopolar_phase_bit_for_bit():
    mask, _, _, magnitude, phase = scan()
    offset = found(magnitude, phase, mask)
    assert offset == PhaseOffset()
    assert without(phase, offset.offset_rad, offset.even_odd_rad) is phase
    for times in (TIMES[:2], (0.004, 0.0082, 0.013)):
        assert found(magnitude[: len(times)], phase[: len(times)], mask, times) == PhaseOffset()


def test_what_cannot_be_told_is_refused_or_said():
    mask, _, _, magnitude, phase = scan()
    with pytest.raises(InputError, match=r"three or more equally spaced echoes .* got 2"):
        found(magnitude[:2], phase[:2], mask, TIMES[:2], BIPOLAR)
    with pytest.raises(InputError, match=r"4, 8\.2, 13 ms"):
        found(magnitude[:3], phase[:3], mask, (0.004, 0.0082, 0.013), BIPOLAR)
    one = found(magnitude[:1], phase[:1], mask, TIMES[:1], MONOPOLAR)
    assert one.offset_rad is None
    assert "one echo" in one.warnings[0]


def test_none_is_none():
    mask, _, _, magnitude, phase = scan()
    method = METHODS[NoOffsetSettings]
    assert run_method(method, magnitude, phase, mask=mask, echo_times_s=TIMES) == PhaseOffset()


def test_two_echoes_are_enough_for_the_common_offset():
    mask, _, offset, magnitude, phase = scan(TIMES[:2])
    error = (found(magnitude, phase, mask, TIMES[:2], MONOPOLAR).offset_rad - offset)[mask]
    assert np.abs(np.exp(1j * error).mean()) > 0.99


def test_every_array_library(xp_case):
    mask, _, _, magnitude, phase = scan(TIMES[:4], psi=tilt())
    wanted = found(magnitude, phase, mask, TIMES[:4])
    out = found(xp_case.asarray(magnitude), xp_case.asarray(phase), xp_case.asarray(mask), TIMES[:4])
    for name in ("offset_rad", "even_odd_rad"):
        xp_case.check(getattr(out, name), "float32", SHAPE)
        np.testing.assert_allclose(xp_case.numpy(getattr(out, name)), getattr(wanted, name), atol=2e-3)
    cleaned = without(xp_case.asarray(phase), out.offset_rad, out.even_odd_rad)
    assert cleaned.shape == phase.shape
    xp_case.check(cleaned[1, ...], "float32", SHAPE)
    turned = np.exp(1j * (phase[1] - wanted.offset_rad - wanted.even_odd_rad))
    np.testing.assert_allclose(np.exp(1j * xp_case.numpy(cleaned[1, ...])), turned, atol=2e-3)
