from __future__ import annotations

import numpy as np

from napari_msqsm.qsm.phase_quality import phase_quality

SHAPE = (11, 9, 8)


def test_a_slope_has_its_known_coherence(xp_case):
    slope = 0.9
    ramp = slope * np.arange(SHAPE[1])[None, :, None] * np.ones(SHAPE)
    phase = np.stack([np.full(SHAPE, 2.0), 2.0 + ramp, 9 * ramp]).astype(np.float32)
    wrapped = np.angle(np.exp(1j * phase)).astype(np.float32)
    out = phase_quality(xp_case.asarray(wrapped), xp_case.asarray(np.ones((3, *SHAPE), np.float32)))
    xp_case.check(out, "float32", SHAPE)
    inner = xp_case.numpy(out)[:, 1:-1]
    np.testing.assert_allclose(inner, (1 + 2 * np.cos(slope)) / 3, rtol=1e-5)


def test_even_phase_noise_and_missing_signal():
    rng = np.random.default_rng(1)
    shape = (30, 30, 30)
    phase = np.zeros((2, *shape), np.float32)
    phase[1, 15:] = rng.uniform(-np.pi, np.pi, (15, 30, 30))
    magnitude = np.ones((2, *shape), np.float32)
    magnitude[1, :5] = 0
    phase[0, :5] = np.nan
    quality = phase_quality(phase, magnitude)
    assert not quality[:4].any()
    np.testing.assert_allclose(quality[6:14], 1, rtol=1e-6)
    noise = quality[16:-1, 1:-1, 1:-1]
    assert abs(np.sqrt(np.mean(noise**2)) - 27**-0.5) < 0.02


def test_one_echo_shows_its_own_phase():
    phase = np.full((1, *SHAPE), 1.3, np.float32)
    np.testing.assert_allclose(phase_quality(phase, np.ones_like(phase)), 1, rtol=1e-6)
    assert phase_quality(phase[:, :1, :1, :1], np.ones((1, 1, 1, 1), np.float32)).shape == (1, 1, 1)
