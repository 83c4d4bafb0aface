"""Comparison of converted images with what the synthetic scanner was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.dicom.stage import stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicom_scanner import Written
    from napari_msqsm.io.dicom.series import ConvertedImage, Staged

GRID_TOLERANCE = 1e-3
"""Of a voxel: NIfTI stores positions in single precision."""


@pytest.fixture
def staged(tmp_path) -> Callable[..., Staged]:
    """Convert a folder; a new staging folder every time."""
    count = iter(range(100))

    def run(folder: Path, **options: object) -> Staged:
        return stage(folder, tmp_path / f"staging-{next(count)}", workers=2, **options)

    return run


def true_values(written: Written, image: ConvertedImage) -> tuple[np.ndarray, np.ndarray]:
    """Values of the file, and the true ones in its order of voxels; the grids must be the same.

    Voxels of the file are taken to the scanner by its affine and from there to (column, row, slice) of the DICOM: a
    wrong turn, flip or shift ends outside the grid or between voxels.
    """
    loaded = nib.load(image.path)
    values = np.asanyarray(loaded.dataobj, dtype=np.float64)
    to_dicom = np.linalg.inv(written.affine) @ loaded.affine
    np.testing.assert_allclose(to_dicom, np.round(to_dicom), atol=GRID_TOLERANCE)
    whole = np.round(to_dicom).astype(int)
    voxels = np.indices(values.shape).reshape(3, -1)
    where = whole[:3, :3] @ voxels + whole[:3, 3:]
    assert where.min() >= 0
    echo = [n for n, time in enumerate(written.echo_times_s) if abs(time - image.echo_time_s) < 1e-6]
    true = written.values[image.part][echo[0]]
    assert sorted(values.shape) == sorted(true.shape)
    return values, true[tuple(where)].reshape(values.shape)


def _phase_error(written: Written, image: ConvertedImage) -> float:
    values, true = true_values(written, image)
    return float(np.max(np.abs(np.angle(np.exp(1j * (values - true)))))) / written.step["phase"]


def _scaled_error(written: Written, image: ConvertedImage) -> float:
    """Largest error of values whose unit is arbitrary, after the best factor."""
    values, true = true_values(written, image)
    factor = np.sum(values * true) / np.sum(true * true)
    return float(np.max(np.abs(values / factor - true))) / written.step[image.part]


@pytest.fixture
def error_in_steps() -> Callable[[Written, ConvertedImage], float]:
    """Largest difference from the truth, in quantisation steps."""
    return lambda written, image: (_phase_error if image.part == "phase" else _scaled_error)(written, image)
