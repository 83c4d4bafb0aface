"""How enhanced files of every vendor store the parts of a signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dicom_scanner.philips import scaling, stored_values


@dataclass(frozen=True, eq=False)
class Encoding:
    """True values, what is stored of them, the worth of a stored unit, and the rescale in the header."""

    true: np.ndarray
    stored: np.ndarray
    step: float
    slope: float = 1.0
    intercept: float = 0.0
    kind: str = "US"
    scale_slope: float = 1.0


SIGNED = ("ge", "uih")
"""Vendors that store 16 bits with a sign; the others 12 without."""
FALLING = ("ge", "uih")
"""Vendors whose phase falls with the field."""


def encode(vendor: str, part: str, signal: np.ndarray, *, alternate: bool) -> Encoding:
    """Store one part of a signal (echo, column, row, slice).

    ``alternate`` negates GE's real and imaginary images of every second slice.
    """
    if vendor in SIGNED:
        true = {"mag": np.abs, "phase": np.angle, "real": np.real, "imag": np.imag}[part](signal)
        step = {"ge": 1e-3, "uih": 2 * np.pi / 4096}[vendor] if part == "phase" else 1 / 4000
        stored = np.round(true / step)
        if vendor == "uih" and part == "phase":
            stored = np.clip(stored, -2048, 2047)
        if vendor == "ge" and alternate and part in ("real", "imag"):
            stored = stored * np.where(np.arange(stored.shape[-1]) % 2, -1, 1)
        return Encoding(true, stored, step)
    true, stored = stored_values(part, signal)
    slope, intercept, scale_slope, step = scaling(part)
    if vendor == "siemens-xa":
        if part != "phase":
            return Encoding(true, stored, step)
        step = 2 * np.pi / 4096
        return Encoding(true, np.clip(np.round((true + np.pi) / step), 0, 4095), step, 2.0, -4096.0)
    kinds = {"philips": ("milliradials", "normalized"), "canon": ("mrad", "US")}[vendor]
    return Encoding(true, stored, step, slope, intercept, kinds[part != "phase"], scale_slope)
