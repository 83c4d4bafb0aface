"""What is in the scanner: a small head with a field, not symmetric in any direction."""

from __future__ import annotations

import numpy as np


def coordinates(shape: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    """Column, row, slice, each from −1 to 1."""
    return tuple(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))


def picture(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Brightness from 0 to 1, different in every voxel of the head and small but positive noise around it."""
    x, y, z = coordinates(shape)
    rng = np.random.default_rng(seed)
    head = (x / 0.9) ** 2 + (y / 0.95) ** 2 + (z / 1.6) ** 2 < 1
    bright = 0.6 + 0.15 * x - 0.1 * y + 0.08 * z + 0.1 * np.exp(-30 * ((x - 0.3) ** 2 + (y + 0.2) ** 2 + z**2))
    return np.clip(np.where(head, bright, 0.03) + 0.02 * rng.random(shape), 0, 1)


def gre_signal(shape: tuple[int, int, int], echo_times_s: tuple[float, ...], seed: int = 0) -> np.ndarray:
    """Complex signal (echo, column, row, slice), |signal| ≤ 1, phase growing with the field (Hz) and wrapped."""
    x, y, z = coordinates(shape)
    field_hz = 25 * x + 18 * y * y - 12 * z + 30 * np.exp(-8 * ((x + 0.2) ** 2 + (y - 0.1) ** 2 + z**2))
    offset = 0.7 + 0.5 * x - 0.3 * y
    r2star = 20 + 10 * (y + 1)
    density = picture(shape, seed)
    times = np.array(echo_times_s).reshape(-1, 1, 1, 1)
    return density * np.exp(-r2star * times) * np.exp(1j * (offset + 2 * np.pi * field_hz * times))
