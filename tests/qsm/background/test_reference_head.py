"""Local field from the true total field of the reference phantom beside the checkout."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.background.lbv import lbv
from napari_msqsm.qsm.background.resharp import resharp
from napari_msqsm.qsm.background.vsharp import vsharp
from napari_msqsm.qsm.background.wiener import wiener
from napari_msqsm.qsm.method import run_method

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def head(shared_data):
    def load(name):
        return np.asarray(nib.load(shared_data / "phantom" / f"{name}.nii.gz").dataobj, np.float32)

    magnitude = np.sqrt(sum(load(f"echo-{echo}_part-mag") ** 2 for echo in range(1, 12)))
    return load("totalfield_ppm"), load("localfield_ppm"), load("mask_reliable") > 0, magnitude


@pytest.mark.parametrize(
    ("method", "most_percent", "least_kept"),
    [(lbv, 40.0, 0.88), (vsharp, 48.0, 0.83), (resharp, 60.0, 0.73), (wiener, 30.0, 1.0)],
)
def test_local_field(head, method, most_percent, least_kept):
    total, local, mask, magnitude = head
    out = run_method(
        method,
        total,
        mask=mask,
        noise_sd_hz=np.where(mask, np.float32(5e-4), np.float32(0)),
        magnitude=magnitude,
        voxel_size_mm=(2.0, 2.0, 4.0),
        b0_direction=(0.0, 0.0, 1.0),
        hz_per_ppm=1.0,
    )
    assert out.converged
    found, truth = out.field_hz[out.mask], local[out.mask]
    found, truth = found - found.mean(), truth - truth.mean()
    assert 100 * np.linalg.norm(found - truth) / np.linalg.norm(truth) < most_percent
    assert out.mask.sum() / mask.sum() >= least_kept
