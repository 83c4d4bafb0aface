"""A real scan whose phase is NaN along one side of the image."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest


@pytest.mark.parametrize("method", ["path", "quality", "laplacian"])
def test_voxels_without_phase_are_left_out_and_said(msqsm, shared_data, tmp_path, method):
    phase = shared_data / "real" / "romeo_small" / "phase_with_nan.nii"
    image = nib.load(phase)
    missing = np.isnan(np.asarray(image.dataobj)).any(axis=-1)
    assert missing.sum() == 640
    nib.save(nib.Nifti1Image(np.full(image.shape, 100, np.float32), image.affine), tmp_path / "magnitude.nii")
    nib.save(nib.Nifti1Image(np.ones(missing.shape, np.uint8), image.affine), tmp_path / "mask.nii")
    ran = msqsm(
        "recon", "--magnitude", tmp_path / "magnitude.nii", "--phase", phase, "--echo-times", "0.004", "0.008",
        "--b0", "7", "--phase-range", "-3.1416", "3.1416", "--phase-sign", "1", "--mask", tmp_path / "mask.nii",
        "--preset", "fast", "--unwrap", method, "--out", tmp_path / "out", "--json", tmp_path / "result.json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    said = json.dumps(json.loads((tmp_path / "result.json").read_text(encoding="utf-8")))
    assert "640 voxels around the head have no phase (NaN)" in said + ran.err + ran.out
    for name in ("totalfield", "Chimap"):
        values = np.asarray(nib.load(tmp_path / "out" / f"{name}.nii.gz").dataobj)
        assert np.isfinite(values).all()
        assert values[~missing].any()
    assert not values[missing].any()
