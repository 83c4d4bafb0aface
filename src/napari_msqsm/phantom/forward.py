r"""Field of a susceptibility map: convolution with the unit dipole, for air, bone and tissue alike.

Written apart from the reconstruction's own operator, so that each checks the other. The dipole is sampled in k-space on
a grid padded with the surrounding air; what is returned is relative to it.

Source: Marques JP, Bowtell R, Concepts Magn Reson B 2005;25B:65 (doi 10.1002/cmr.b.20034).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray


def field_of(
    chi_ppm: NDArray[Any],
    *,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    surrounding_ppm: float = 0.0,
    pad_mm: float = 60.0,
) -> NDArray[np.float32]:
    """Relative field change in ppm (Lorentz-corrected).

    Parameters
    ----------
    chi_ppm
        (X, Y, Z).
    voxel_size_mm
        Voxel edges.
    b0_direction
        Unit vector of B0 in voxel axes.
    surrounding_ppm
        χ of everything outside the array.
    pad_mm
        Room added on every axis to keep periodic copies apart.
    """
    lengths = [
        scipy.fft.next_fast_len(n + int(np.ceil(pad_mm / step)), real=True)
        for n, step in zip(chi_ppm.shape, voxel_size_mm, strict=True)
    ]
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    source = np.asarray(chi_ppm, dtype=np.float32) - np.float32(surrounding_ppm)
    spectrum = scipy.fft.rfftn(source, s=lengths, workers=workers)
    kx, ky = (
        scipy.fft.fftfreq(n, step).astype(np.float32) for n, step in zip(lengths[:2], voxel_size_mm[:2], strict=True)
    )
    kz = scipy.fft.rfftfreq(lengths[2], voxel_size_mm[2]).astype(np.float32)
    bx, by, bz = (np.float32(component) for component in b0_direction)
    for i, k in enumerate(kx):
        squared = k * k + ky[:, None] ** 2 + kz[None, :] ** 2
        along = k * bx + ky[:, None] * by + kz[None, :] * bz
        with np.errstate(invalid="ignore", divide="ignore"):
            kernel = np.float32(1.0 / 3.0) - along * along / squared
        kernel[squared == 0] = 0.0
        spectrum[i] *= kernel
    field = scipy.fft.irfftn(spectrum, s=lengths, workers=workers, overwrite_x=True)
    x, y, z = chi_ppm.shape
    return np.ascontiguousarray(field[:x, :y, :z], dtype=np.float32)
