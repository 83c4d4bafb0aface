"""One session in the scanner: what the images show, and the truth behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.phantom.forward import field_of
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of
from napari_msqsm.phantom.tissue import CHI_AIR_PPM, Tissue
from napari_msqsm.units import hz_per_ppm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.phantom.patient import SampledHead, SyntheticPatient
    from napari_msqsm.phantom.scanner import Scanner
    from napari_msqsm.phantom.tissue import Properties

_BEYOND_MM = 36.0
"""How far the head is followed above and below the slices: its field reaches in."""
_BRAIN_SHARE = 0.5
_PURE_SHARE = 0.95
_LEAST_LESION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of one session, on the grid of its gradient-echo series."""

    chi_ppm: NDArray[np.float32]
    total_field_hz: NDArray[np.float32]
    local_field_hz: NDArray[np.float32]
    r2star_hz: NDArray[np.float32]
    brain_mask: NDArray[np.bool_]
    csf_mask: NDArray[np.bool_]
    tissues: NDArray[np.uint8]
    lesions: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class GradientEcho:
    """Complex signal of every echo, (echo, X, Y, Z), phase growing in a stronger field."""

    signal: NDArray[np.complex64]
    grid: Grid
    truth: Truth


def scan_grid(
    voxel_size_mm: Sequence[float], field_of_view_mm: Sequence[float], *, tilt_deg: float, centre_mm: Sequence[float]
) -> Grid:
    """Grid of slices about a centre in scanner coordinates, tilted about the left–right axis."""
    shape = tuple(max(2, round(extent / step)) for extent, step in zip(field_of_view_mm, voxel_size_mm, strict=True))
    c, s = math.cos(math.radians(tilt_deg)), math.sin(math.radians(tilt_deg))
    turn = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    affine = np.eye(4)
    affine[:3, :3] = turn * np.asarray(voxel_size_mm)
    affine[:3, 3] = np.asarray(centre_mm) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def gradient_echo(
    patient: SyntheticPatient,
    *,
    time_y: float,
    grid: Grid,
    pose: NDArray[np.float64],
    scanner: Scanner,
    n_echoes: int,
    noise: float,
    subvoxel_mm: float,
    blank_air: bool,
    rng: np.random.Generator,
) -> GradientEcho:
    """Scan a patient.

    Parameters
    ----------
    patient, time_y
        Who and when.
    grid
        Slices in scanner coordinates.
    pose
        (4, 4) head → scanner coordinates, mm.
    scanner, n_echoes
        Protocol.
    noise
        Standard deviation of each channel, as a part of the brain's mean signal at the first echo.
    subvoxel_mm
        Voxels are split into parts no larger than this; their signals add, so that partial volume and dephasing beside
        air come out.
    blank_air
        Whether the scanner sets everything outside the head to zero.
    rng
        Source of the noise and of the coil's phase.
    """
    parts = parts_of(grid, subvoxel_mm)
    extra = math.ceil(_BEYOND_MM / grid.voxel_size_mm[2])
    sampling, inner = fine_sampling(grid, pose, parts, extra)
    fine_voxel = tuple(step / n for step, n in zip(grid.voxel_size_mm, parts, strict=True))
    head = patient.sampled(sampling, time_y)
    chi = head.chi_ppm()
    brain_chi = head.chi_ppm(brain_only=True)
    brain = head.brain_share()[inner]
    magnet: dict[str, Any] = {"voxel_size_mm": fine_voxel, "b0_direction": grid.b0_direction}
    total = field_of(chi, surrounding_ppm=CHI_AIR_PPM, **magnet)[inner]
    local = field_of(brain_chi, **magnet)[inner]
    shift = _shim(total, brain > _BRAIN_SHARE)
    total = (total - shift) * np.float32(hz_per_ppm(scanner.imaging_frequency_hz))
    local = local * np.float32(hz_per_ppm(scanner.imaging_frequency_hz))
    r2star = head.r2star_hz()[inner]
    density = _steady_state(head, scanner)[inner]
    coil_phase, coil_gain = _coil(density.shape, rng)
    echoes = []
    for time in scanner.echo_times_s(n_echoes):
        angle = np.float32(2.0 * math.pi * time) * total + coil_phase
        size = density * coil_gain * np.exp(np.float32(-time) * r2star)
        echoes.append(averaged(size * np.exp(1j * angle), parts))
    signal = np.stack(echoes).astype(np.complex64)
    mask = averaged(brain, parts) > _BRAIN_SHARE
    level = noise * float(np.abs(signal[0])[mask].mean())
    signal += level * (
        rng.standard_normal(signal.shape, np.float32) + 1j * rng.standard_normal(signal.shape, np.float32)
    )
    if blank_air:
        air = averaged(head.composition.share({Tissue.AIR})[inner], parts) >= 1.0
        signal[:, air] = 0
    ventricles = averaged(head.composition.share({Tissue.VENTRICLE})[inner], parts)
    truth = Truth(
        chi_ppm=averaged(brain_chi[inner], parts),
        total_field_hz=averaged(total, parts),
        local_field_hz=averaged(local, parts),
        r2star_hz=averaged(r2star, parts),
        brain_mask=mask,
        csf_mask=ventricles > _PURE_SHARE,
        tissues=_central(head.composition.labels()[inner], parts),
        lesions=lesion_labels(head, parts, inner),
    )
    return GradientEcho(signal, grid, truth)


def lesion_labels(
    head: SampledHead, parts: tuple[int, int, int], inner: tuple[slice, ...] = (slice(None),) * 3
) -> NDArray[np.uint8]:
    """Voxels of which at least half belongs to a lesion, by its number."""
    first = averaged(head.brain_share()[inner], parts)
    labels = np.zeros(first.shape, dtype=np.uint8)
    for lesion in head.lesions:
        share = averaged(head.lesion_share(lesion)[inner], parts)
        labels[share >= _LEAST_LESION_SHARE] = lesion.lesion_id
    return labels


def _central(image: NDArray[Any], parts: tuple[int, int, int]) -> NDArray[Any]:
    return np.ascontiguousarray(image[tuple(slice(n // 2, None, n) for n in parts)])


def _shim(field: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Estimate what the scanner's frequency and linear shims take out of the brain's field."""
    axes = np.ogrid[tuple(slice(-1.0, 1.0, complex(n)) for n in field.shape)]
    basis = [np.ones((1, 1, 1)), *axes]
    design = np.stack([np.broadcast_to(b, field.shape)[brain] for b in basis], axis=1)
    weights = np.linalg.lstsq(design, field[brain].astype(np.float64), rcond=None)[0]
    return np.asarray(sum(w * b for w, b in zip(weights, basis, strict=True)), dtype=np.float32)


def _steady_state(head: SampledHead, scanner: Scanner) -> NDArray[np.float32]:
    """Spoiled gradient echo without its T2* decay."""
    flip = math.radians(scanner.flip_angle_deg)

    def steady_state(tissue: Properties) -> float:
        e1 = math.exp(-scanner.repetition_time_s / tissue.t1_s)
        return tissue.proton_density * math.sin(flip) * (1.0 - e1) / (1.0 - math.cos(flip) * e1)

    return head.signal(steady_state)


def _coil(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smooth phase offset (radians) and sensitivity of a combined coil."""
    x, y, z = (axis.astype(np.float32) for axis in np.ogrid[tuple(slice(-1.0, 1.0, complex(n)) for n in shape)])
    a, b, c, d, e = rng.uniform(-1.0, 1.0, 5).astype(np.float32)
    phase = np.float32(0.6) + a * x + b * y + c * z + d * x * y + e * (y * y - x * x)
    gain = 1.0 + 0.12 * (x * x + y * y) + 0.05 * a * x + 0.05 * b * y
    return np.broadcast_to(phase, shape).astype(np.float32), np.broadcast_to(gain, shape).astype(np.float32)
