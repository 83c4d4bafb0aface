"""A lesion scanned twice: the same lesion, where the transform puts it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.phantom.followed import lesion_in_patient, lone_lesion
from napari_msqsm.phantom.patient import SyntheticPatient


def centre_mm(scan):
    index = np.argwhere(scan.share > 0)
    middle = np.average(index, axis=0, weights=scan.share[scan.share > 0])
    return scan.grid.affine[:3, :3] @ middle + scan.grid.affine[:3, 3]


@pytest.mark.parametrize("rim", [True, False])
def test_both_scans_hold_the_whole_lesion(rim):
    one = lone_lesion(np.random.default_rng(4), rim=rim)
    for scan in (one.baseline, one.followup):
        assert not scan.vein.any()
        volume = scan.share.sum() * scan.grid.voxel_volume_mm3
        assert volume == pytest.approx(one.baseline.share.sum() * one.baseline.grid.voxel_volume_mm3, rel=0.01)
        mean_ppb = 1e3 * scan.chi_ppm.sum(dtype=float) / scan.share.sum(dtype=float)
        assert mean_ppb == pytest.approx(one.mean_ppb, rel=0.01)
    np.testing.assert_allclose(one.transform.apply(centre_mm(one.baseline)), centre_mm(one.followup), atol=0.05)
    assert one.rim is rim
    assert np.linalg.norm(one.transform.matrix[:3, :3] - np.eye(3)) > 0.02


@pytest.mark.slow
def test_in_a_patient_the_tissue_and_the_vein_are_there():
    rng = np.random.default_rng(6)
    patient = SyntheticPatient.drawn(rng, n_lesions=3, times_y=(0.0, 1.0), heterogeneity_ppb=5.0)
    lesion = next(lesion for lesion in patient.lesions if lesion.vein is not None)
    one = lesion_in_patient(rng, patient, lesion)
    np.testing.assert_allclose(one.transform.apply(centre_mm(one.baseline)), centre_mm(one.followup), atol=0.05)
    for scan in (one.baseline, one.followup):
        inside = scan.share > 0.99
        assert scan.chi_ppm[inside & scan.vein].mean() > scan.chi_ppm[inside & ~scan.vein].mean() + 0.02
        assert 1e3 * scan.chi_ppm[inside & ~scan.vein].mean() == pytest.approx(
            one.mean_ppb, abs=12.0
        )  # most of a rim shares its voxels
        outside = (scan.share == 0) & ~scan.vein
        assert scan.chi_ppm[inside & ~scan.vein].mean() > np.median(scan.chi_ppm[outside]) + 0.01
