"""FLAIR, T1 (before and after gadolinium) and T2 images by their signal equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.scan import lesion_labels
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Contrast
    from napari_msqsm.phantom.patient import SampledHead, SyntheticPatient


def structural_images(
    patient: SyntheticPatient,
    *,
    time_y: float,
    grid: Grid,
    pose: NDArray[np.float64],
    noise: float,
    subvoxel_mm: float,
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
    rng
        Source of the noise.
    """
    parts = parts_of(grid, subvoxel_mm)
    sampling, _ = fine_sampling(grid, pose, parts)
    head = patient.sampled(sampling, time_y)
    images = {name: _with_noise(averaged(image, parts), noise, rng) for name, image in _signals(head).items()}
    return images, lesion_labels(head, parts)


def _signals(head: SampledHead) -> dict[Contrast, NDArray[np.float32]]:
    t1, t2, density = head.relaxation()
    t1_agent, _, _ = head.relaxation(with_agent=True)
    return {
        "FLAIR": _inversion_recovery(t1, t2, density, inversion_s=2.5, repetition_s=9.0, echo_s=0.125),
        "T1w": _inversion_recovery(t1, t2, density, inversion_s=0.9, repetition_s=2.3, echo_s=0.003),
        "ce-gadolinium_T1w": _inversion_recovery(
            t1_agent, t2, density, inversion_s=0.9, repetition_s=2.3, echo_s=0.003
        ),
        "T2w": np.asarray(density * np.exp(np.float32(-0.09) / t2), dtype=np.float32),
    }


def _inversion_recovery(
    t1: NDArray[np.float32],
    t2: NDArray[np.float32],
    density: NDArray[np.float32],
    *,
    inversion_s: float,
    repetition_s: float,
    echo_s: float,
) -> NDArray[np.float32]:
    recovery = 1.0 - 2.0 * np.exp(np.float32(-inversion_s) / t1) + np.exp(np.float32(-repetition_s) / t1)
    return np.asarray(density * np.abs(recovery) * np.exp(np.float32(-echo_s) / t2), dtype=np.float32)


def _with_noise(image: NDArray[np.float32], noise: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rician noise; the brightest tissue becomes 1."""
    top = float(np.quantile(image, 0.995))
    real = image + noise * top * rng.standard_normal(image.shape, np.float32)
    imaginary = noise * top * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.hypot(real, imaginary) * np.float32(1.0 / top), dtype=np.float32)
