"""Shapes, an independent forward model, and a small synthetic head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES_S = (0.004, 0.009, 0.014, 0.019, 0.024)


def _axes_mm(shape, voxel_size_mm, centre_mm=(0.0, 0.0, 0.0)):
    steps = [(np.arange(n) - n // 2) * step - c for n, step, c in zip(shape, voxel_size_mm, centre_mm, strict=True)]
    return np.meshgrid(*steps, indexing="ij", sparse=True)


@pytest.fixture(scope="session")
def axes_mm() -> Callable[..., Any]:
    """Coordinates of the voxels, zero at voxel ``n // 2``."""
    return _axes_mm


def _share(shape, voxel_size_mm, inside, centre_mm=(0.0, 0.0, 0.0), parts=5):
    """Part of every voxel for which ``inside(x, y, z)`` holds, by sampling ``parts``³ points."""
    offsets = (np.arange(parts) - (parts - 1) / 2) / parts
    total = np.zeros(shape)
    for dx in offsets:
        for dy in offsets:
            for dz in offsets:
                shift = [c - d * s for c, d, s in zip(centre_mm, (dx, dy, dz), voxel_size_mm, strict=True)]
                total += inside(*_axes_mm(shape, voxel_size_mm, shift))
    return total / parts**3


@pytest.fixture(scope="session")
def share() -> Callable[..., Any]:
    return _share


def _field_ppm(chi_ppm, voxel_size_mm, b0_direction, grow=2.0):
    """Field of χ in an empty surrounding: float64, full complex FFT on an odd, enlarged grid."""
    shape = chi_ppm.shape
    large = [int(grow * n) // 2 * 2 + 1 for n in shape]
    freq = np.meshgrid(
        *(np.fft.fftfreq(n, step) for n, step in zip(large, voxel_size_mm, strict=True)), indexing="ij", sparse=True
    )
    parallel = sum(k * b for k, b in zip(freq, b0_direction, strict=True))
    squared = sum(k**2 for k in freq)
    squared[0, 0, 0] = 1.0
    kernel = 1.0 / 3.0 - parallel**2 / squared
    kernel[0, 0, 0] = 0.0
    full = np.fft.ifftn(np.fft.fftn(chi_ppm, s=large, axes=(0, 1, 2)) * kernel)
    assert np.abs(full.imag).max() <= 1e-9 * max(1e-30, np.abs(full.real).max())
    return full.real[tuple(slice(0, n) for n in shape)]


@pytest.fixture(scope="session")
def field_ppm() -> Callable[..., Any]:
    return _field_ppm


def _sphere_field_ppm(axes, centre_mm, radius_mm, chi_ppm, b0_direction):
    """Field of a sphere in an empty surrounding, in closed form: nothing inside (Lorentz), a dipole outside."""
    offsets = [a - c for a, c in zip(axes, centre_mm, strict=True)]
    r2 = sum(o**2 for o in offsets)
    outside = r2 > radius_mm**2
    safe = np.where(outside, r2, 1.0)
    cos2 = sum(o * b for o, b in zip(offsets, b0_direction, strict=True)) ** 2 / safe
    return np.where(outside, chi_ppm / 3 * (radius_mm**2 / safe) ** 1.5 * (3 * cos2 - 1), 0.0)


@pytest.fixture(scope="session")
def sphere_field_ppm() -> Callable[..., Any]:
    return _sphere_field_ppm


@pytest.fixture(scope="session")
def sphere_field_of_voxels_ppm() -> Callable[..., Any]:
    """`sphere_field_ppm` averaged over every voxel: shape, voxel size, radius, χ, B0 → (X, Y, Z)."""

    def field(shape, voxel_size_mm, radius_mm, chi_ppm, b0_direction):
        axes = _fine_axes(shape, voxel_size_mm)
        return _averaged(_sphere_field_ppm(axes, (0, 0, 0), radius_mm, chi_ppm, b0_direction))

    return field


@dataclass(frozen=True)
class Head:
    """What a scanner would see of a known brain."""

    chi_ppm: np.ndarray
    brain: np.ndarray
    csf: np.ndarray
    iron: np.ndarray
    local_hz: np.ndarray
    total_hz: np.ndarray
    r2star_hz: np.ndarray
    series: MultiEchoSeries

    def with_series(self, **changes: Any) -> MultiEchoSeries:
        return replace(self.series, **changes)


def _ball(axes, centre, radii):
    return sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii, strict=True)) < 1


_FINE = 3
"""Sub-voxels per voxel and axis: fields and tissue are averages over a voxel, as a scanner makes them."""


def _fine_axes(shape, voxel_size_mm):
    steps = [
        (np.arange(n * _FINE) // _FINE - n // 2 + (np.arange(n * _FINE) % _FINE - (_FINE - 1) / 2) / _FINE) * step
        for n, step in zip(shape, voxel_size_mm, strict=True)
    ]
    return np.meshgrid(*steps, indexing="ij", sparse=True)


def _averaged(fine):
    a, b, c = (n // _FINE for n in fine.shape)
    return fine.reshape(a, _FINE, b, _FINE, c, _FINE).mean(axis=(1, 3, 5))


def _head(
    shape=(24, 27, 22),
    voxel_size_mm=(4.0, 4.0, 5.0),
    *,
    affine=None,
    b0_direction=None,
    times_s=TIMES_S,
    noise=0.003,
    background=True,
    dtype=np.float32,
    seed=0,
) -> Head:
    grid = Grid(shape, np.diag([*voxel_size_mm, 1.0]) if affine is None else affine)
    b0 = grid.b0_direction if b0_direction is None else b0_direction
    voxel = grid.voxel_size_mm
    axes = _fine_axes(shape, voxel)
    brain = _ball(axes, (0, 0, 0), (38, 43, 42))
    csf = _ball(axes, (-8, 2, 4), (6, 17, 9)) | _ball(axes, (8, 2, 4), (6, 17, 9))
    iron = _ball(axes, (-22, 4, 0), (6, 9, 9)) | _ball(axes, (22, 4, 0), (6, 9, 9))
    lesion = _ball(axes, (14, -24, 8), (7, 7, 8))
    myelin = _ball(axes, (-14, -26, 6), (9, 7, 11))
    chi = 0.15 * iron + 0.06 * lesion - 0.05 * myelin
    fine_step = [step / _FINE for step in voxel]
    local = _averaged(_field_ppm(chi, fine_step, b0, grow=1.5))
    chi, brain, csf, iron = (_averaged(a * 1.0) for a in (chi, brain, csf, iron))
    brain, csf, iron = brain > 0.5, csf > 0.5, iron > 0.5
    r2star = np.where(csf, 1.5, np.where(iron, 45.0, 18.0))
    total = local
    if background:
        coarse = _axes_mm(shape, voxel)
        total = total + _sphere_field_ppm(coarse, (4, 44, -46), 9, -4.0, b0)
        total = total + _sphere_field_ppm(coarse, (-20, -52, -30), 8, 3.0, b0)
    hz_per_ppm = MultiEchoSeries(np.ones((1, *shape)), None, (0.01,), 3.0, grid).hz_per_ppm
    local, total = hz_per_ppm * local, hz_per_ppm * total
    t = np.array(times_s)[:, None, None, None]
    proton = np.where(brain, np.where(csf, 1.3, np.where(iron, 0.9, 1.0)), 0.0)
    signal = proton * np.exp(-r2star * t) * np.exp(1j * (2 * np.pi * total * t + 0.4))
    rng = np.random.default_rng(seed)
    signal = signal + noise * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    series = MultiEchoSeries(
        (100 * np.abs(signal)).astype(dtype),
        np.angle(signal).astype(dtype),
        tuple(times_s),
        3.0,
        grid,
        b0_direction=(0.0, 0.0, 0.0) if b0_direction is None else b0_direction,
    )
    return Head(chi, brain, csf & brain, iron, local.astype(dtype), total.astype(dtype), r2star, series)


@pytest.fixture(scope="session")
def make_head() -> Callable[..., Head]:
    """Build a head of about 80 mm whose field comes from the independent forward model."""
    return _head


@pytest.fixture(scope="session")
def head() -> Head:
    return _head()


def tilted_affine(voxel_size_mm=(4.0, 4.0, 5.0), degrees=30.0):
    """Affine of an oblique scan, turned about the left-right axis."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag(voxel_size_mm)
    return affine


@pytest.fixture(scope="session")
def oblique_affine():
    return tilted_affine()
