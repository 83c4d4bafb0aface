"""FLAIR, T1 (before and after gadolinium) and T2 images by their signal equations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.scan import lesion_labels
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of
from napari_msqsm.phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Contrast
    from napari_msqsm.phantom.patient import SampledHead, SyntheticPatient
    from napari_msqsm.phantom.tissue import Properties


def structural_images(
    patient: SyntheticPatient,
    *,
    time_y: float,
    grid: Grid,
    pose: NDArray[np.float64],
    noise: float,
    subvoxel_mm: float,
    blank_air: bool,
    rng: np.random.Generator,
) -> tuple[dict[Contrast, NDArray[np.float32]], NDArray[np.uint8]]:
    """Magnitude images of all contrasts on one grid, and the lesions there by number.

    Parameters
    ----------
    patient, time_y
        Who and when.
    grid
        Slices in scanner coordinates.
    pose
        (4, 4) head → scanner coordinates, mm.
    noise
        Standard deviation, as a part of the brightest tissue.
    subvoxel_mm
        Voxels are split into parts no larger than this.
    blank_air
        Whether everything outside the head is zero.
    rng
        Source of the noise.
    """
    parts = parts_of(grid, subvoxel_mm)
    sampling, _ = fine_sampling(grid, pose, parts)
    head = patient.sampled(sampling, time_y)
    images = {name: _with_noise(averaged(image, parts), noise, rng) for name, image in _signals(head).items()}
    if blank_air:
        air = averaged(head.composition.share({Tissue.AIR}), parts) >= 1.0
        images = {name: np.where(air, np.float32(0), image) for name, image in images.items()}
    return images, lesion_labels(head, parts)


def _signals(head: SampledHead) -> dict[Contrast, NDArray[np.float32]]:
    return {
        "FLAIR": head.signal(_flair),
        "T1w": head.signal(_t1_weighted),
        "ce-gadolinium_T1w": head.signal(_t1_weighted, with_agent=True),
        "T2w": head.signal(_t2_weighted),
    }


def _flair(tissue: Properties) -> float:
    return _inversion_recovery(tissue, inversion_s=2.5, repetition_s=9.0, echo_s=0.125)


def _t1_weighted(tissue: Properties) -> float:
    return _inversion_recovery(tissue, inversion_s=0.9, repetition_s=2.3, echo_s=0.003)


def _t2_weighted(tissue: Properties) -> float:
    return tissue.proton_density * math.exp(-0.09 / tissue.t2_s)


def _inversion_recovery(tissue: Properties, *, inversion_s: float, repetition_s: float, echo_s: float) -> float:
    recovery = 1.0 - 2.0 * math.exp(-inversion_s / tissue.t1_s) + math.exp(-repetition_s / tissue.t1_s)
    return tissue.proton_density * abs(recovery) * math.exp(-echo_s / tissue.t2_s)


def _with_noise(image: NDArray[np.float32], noise: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rician noise; the brightest tissue becomes 1."""
    top = float(np.quantile(image, 0.995))
    real = image + noise * top * rng.standard_normal(image.shape, np.float32)
    imaginary = noise * top * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.hypot(real, imaginary) * np.float32(1.0 / top), dtype=np.float32)
