from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.qsm.quality.numbers import MEANING
from napari_msqsm.workflow.by_products import NAMES


def image(path):
    return np.asarray(nib.load(path).dataobj)


@pytest.fixture
def recon(msqsm, acquisition, tmp_path):
    def run(*more):
        ran = msqsm(
            "recon",
            *acquisition.arguments,
            "--mask",
            acquisition.mask,
            "--preset",
            "fast",
            "--out",
            tmp_path / "out",
            *more,
        )
        assert ran.code == 0, ran.err
        return tmp_path / "out"

    return run


def test_they_are_written_when_asked_for_and_gone_when_not(recon):
    out = recon("--by-products")
    t2star, rate, mask = (image(out / f"{name}.nii.gz") for name in ("T2starmap", "R2starmap", "mask"))
    decaying = rate > 1
    np.testing.assert_allclose(t2star[decaying] * rate[decaying], 1, rtol=1e-5)
    confidence = image(out / "confidence.nii.gz")
    assert confidence.min() == 0
    assert confidence.max() == 1
    assert not confidence[mask == 0].any()
    assert image(out / "swi.nii.gz").max() > 0
    assert not any((recon() / f"{name}.nii.gz").exists() for name in NAMES)


def test_a_session_gets_them_under_bids_names_with_its_quality(msqsm, bids, tmp_path):
    ran = msqsm("run", bids, tmp_path / "out", "participant", "--preset", "fast", "--by-products")
    assert ran.code == 0, ran.err
    folder = tmp_path / "out" / "sub-01" / "ses-01"
    for place in ("anat/sub-01_ses-01_T2starmap", "anat/sub-01_ses-01_desc-swi_T2starw"):
        assert (folder / f"{place}.nii.gz").is_file()
    sidecar = json.loads((folder / "fmap" / "sub-01_ses-01_desc-confidence_fieldmap.json").read_text(encoding="utf-8"))
    assert "Inverse variance" in sidecar["Description"]
    record = json.loads((folder / "anat" / "sub-01_ses-01_desc-qsm_quality.json").read_text(encoding="utf-8"))
    assert set(record["Numbers"]) == set(MEANING)
    assert record["Numbers"]["wraps_left_fraction"]["Value"] == 0
    assert record["Numbers"]["snr_first_echo"]["Value"] > 5
    assert "desc-qsm_quality.json" in (tmp_path / "out" / ".bidsignore").read_text(encoding="utf-8")
