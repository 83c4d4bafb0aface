"""Physical constants and conversions between Hz, radians, ppm and ppb."""

from __future__ import annotations

import math

GYROMAGNETIC_RATIO_HZ_PER_T = 42.577478518e6
"""Proton gyromagnetic ratio γ/2π (CODATA 2018)."""

PPB_PER_PPM = 1000.0


def imaging_frequency_hz(b0_tesla: float) -> float:
    """Proton resonance frequency at a field strength, in Hz."""
    return GYROMAGNETIC_RATIO_HZ_PER_T * b0_tesla


def hz_per_ppm(frequency_hz: float) -> float:
    """Field in Hz that one ppm makes at an imaging frequency in Hz (123.2 MHz → 123.2 Hz)."""
    return frequency_hz * 1e-6


def radians_per_hz(time_s: float) -> float:
    """Phase in radians that a field of 1 Hz makes after ``time_s`` seconds."""
    return 2.0 * math.pi * time_s
