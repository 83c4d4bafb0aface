"""Tables of scan–rescan repeatability, from maps with known means."""

from __future__ import annotations

import json
import math

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.repeatability import as_text, repeatability_table, write_repeatability
from napari_msqsm.workflow.rescans import measured_pairs, rescanned

LESION_PPB = ((40.0, 43.0), (20.0, 21.0))
"""Scan and rescan of two patients."""


@pytest.fixture
def filled(rescans):
    for (first, second), values in zip(rescanned(rescans.study), LESION_PPB, strict=True):
        for session, lesion_ppb in zip((first, second), values, strict=True):
            offset = 7.0 if session is second else -5.0  # another zero in each map
            rescans.put(session, white_ppb=-30.0, lesion_ppb=lesion_ppb, csf_ppb=0.0, truth_ppb=35.0, offset_ppb=offset)
    return rescans


def value(table, column, **where):
    for name, wanted in where.items():
        table = table[table[name] == wanted]
    (found,) = table[column]
    return found


def test_means_are_relative_to_csf_whatever_the_zero_of_the_map_is(filled):
    pairs = measured_pairs(filled.study, filled.maps, filled.truth)
    lesions = [pair for pair in pairs if pair.group == "lesions" and pair.reference == "csf"]
    assert [(pair.first_ppb, pair.second_ppb) for pair in lesions] == [pytest.approx(pair) for pair in LESION_PPB]
    assert {pair.region for pair in lesions} == {"lesion 3"}  # the one of a single voxel is left out
    assert {pair.first_voxels for pair in lesions} == {27}
    white = [pair.first_ppb for pair in pairs if pair.region == "white matter" and pair.reference == "csf"]
    assert white == pytest.approx([(-30.0 * (384 - 27) + 27 * lesion) / 384 for lesion, _ in LESION_PPB])


def test_statistics_are_those_of_the_differences(filled):
    table = repeatability_table(measured_pairs(filled.study, filled.maps, filled.truth))
    where = {"region": "lesion 3", "reference": "csf"}
    assert value(table, "n_pairs", **where) == 2
    assert value(table, "bias_ppb", **where) == pytest.approx(2.0, abs=2e-3)
    sd = math.sqrt(2.0)  # of 3 and 1
    assert value(table, "sd_difference_ppb", **where) == pytest.approx(sd, abs=2e-3)
    assert value(table, "within_sd_ppb", **where) == pytest.approx(1.0, abs=2e-3)
    assert value(table, "repeatability_coefficient_ppb", **where) == pytest.approx(1.96 * sd, abs=2e-3)
    assert value(table, "true_sd_difference_ppb", **where) == pytest.approx(0.0, abs=1e-3)
    assert value(table, "error_within_sd_ppb", **where) == pytest.approx(1.0, abs=2e-3)
    assert value(table, "mean_error_ppb", **where) == pytest.approx(31.0 - 35.0, abs=2e-3)
    assert math.isnan(value(table, "icc", **where))  # two patients: no spread to speak of
    assert value(table, "n_pairs", region="all", group="lesions", reference="brain") == 2


def test_relative_to_the_brain_a_change_of_fluid_is_seen_and_relative_to_csf_not(rescans):
    for first, second in rescanned(rescans.study):
        rescans.put(first, white_ppb=-30.0, lesion_ppb=10.0, csf_ppb=0.0)
        rescans.put(second, white_ppb=-30.0, lesion_ppb=10.0, csf_ppb=8.0)
    table = repeatability_table(measured_pairs(rescans.study, rescans.maps, rescans.truth))
    assert value(table, "bias_ppb", region="ventricle", reference="csf") == pytest.approx(0.0, abs=1e-3)
    assert value(table, "bias_ppb", region="ventricle", reference="brain") == pytest.approx(8.0 * 384 / 512, abs=1e-2)
    assert value(table, "bias_ppb", region="white matter", reference="csf") == pytest.approx(-8.0, abs=1e-3)
    assert math.isnan(value(table, "mean_error_ppb", region="white matter", reference="csf"))


def test_tables_and_sidecar_are_written(filled):
    table, warnings = write_repeatability(filled.study, filled.maps, filled.truth)
    assert warnings == ()
    written = pd.read_csv(filled.maps / "repeatability.tsv", sep="\t", na_values="n/a")
    pd.testing.assert_frame_equal(written, table, check_dtype=False)
    pairs = pd.read_csv(filled.maps / "repeatability_pairs.tsv", sep="\t")
    assert len(pairs) == 2 * 2 * 3  # patients, references, regions
    sidecar = json.loads((filled.maps / "repeatability.json").read_text("utf-8"))
    assert set(table.columns) <= set(sidecar)
    assert sidecar["Pairs"] == ["sub-01_ses-01 sub-01_ses-01rescan", "sub-02_ses-01 sub-02_ses-01rescan"]
    lines = as_text(table).splitlines()
    assert lines[0].split()[:3] == ["reference", "group", "pairs"]
    assert any(line.split()[:4] == ["csf", "lesions", "2", "2.00"] for line in lines)


def test_a_region_that_the_map_hardly_covers_is_left_out(filled):
    (first, _), _ = rescanned(filled.study)
    path = filled.maps / "sub-01" / "ses-01" / "anat" / f"{first.label}_desc-brain_mask.nii.gz"
    image = nib.load(path)
    mask = np.asarray(image.dataobj).copy()
    mask[2, 3:6, 3:6] = 0  # a third of the lesion
    nib.save(nib.Nifti1Image(mask, image.affine), path)
    pairs = measured_pairs(filled.study, filled.maps, filled.truth)
    assert {pair.patient_id for pair in pairs if pair.group == "lesions"} == {"02"}
    assert {pair.patient_id for pair in pairs if pair.region == "white matter"} == {"01", "02"}


def test_refusals(filled):
    first, second = rescanned(filled.study)[0]
    with pytest.raises(InputError, match=r"no map of sub-01_ses-01 .*\(msqsm run\)"):
        measured_pairs(filled.study, filled.truth.parent / "elsewhere", filled.truth)
    with pytest.raises(InputError, match=r"no regions of sub-01_ses-01 .*--regions"):
        measured_pairs(filled.study, filled.maps, filled.maps)
    filled.put(second, white_ppb=0.0, lesion_ppb=0.0, csf_ppb=0.0, affine=np.diag([1.0, 1.0, 2.0, 1.0]))
    with pytest.raises(InputError, match="does not lie on the grid of the map"):
        measured_pairs(filled.study, filled.maps, filled.truth)
    second.covariates["rescan_of"] = "ses-09"
    with pytest.raises(InputError, match="repeat ses-09, which does not exist"):
        rescanned(filled.study)
    for patient in filled.study.patients:
        patient.sessions[1].covariates.clear()
    with pytest.raises(InputError, match="rescan_of"):
        rescanned(filled.study)
    assert first.label == "sub-01_ses-01"
