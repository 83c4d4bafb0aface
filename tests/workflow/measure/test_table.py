"""The lesion table against counts that are made again from the files on disk, with NumPy alone."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import fields
from datetime import date
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.lesions.carry import carry_roi
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.resampling.labels import resample_labels
from napari_msqsm.workflow.measure.columns import COLUMNS
from napari_msqsm.workflow.measure.flags import FLAGS
from napari_msqsm.workflow.measure.row import LesionRow
from napari_msqsm.workflow.measure.study import measure_study
from workflow.measure.known_study import FLAIR_AT, GRE_AT, S1, S2, S3, OnDisk

PAPER_TEXT = (
    "patient_id lesion_id session_id session_date lesion_age_y chi_lesion_raw_ppb chi_nawm_ppb chi_ppb "
    "volume_mm3 volume_bl_mm3 dvolume_mm3 rim rim_rater1 rim_rater2 rim_adjudicator enhancement "
    "central_vein sex patient_age_y edss disease_duration_y treatment_duration_y scanner "
)
PAPER = PAPER_TEXT.split()
OURS_TEXT = (
    "rim_at_session chi_native_ppb chi_registered_ppb chi_median_ppb chi_sd_ppb chi_session_roi_ppb "
    "n_voxels covered_fraction nawm_se_ppb n_nawm_voxels volume_pv_mm3 roi_source rim_score rim_coverage "
    "eligible qc_flags "
)
OURS = OURS_TEXT.split()
ONSETS = {1: S1, 2: S2, 3: S1}
DAYS = {S1: date(2015, 1, 10), S2: date(2016, 1, 10), S3: date(2017, 7, 10)}


@pytest.fixture(scope="module")
def measured(made, tmp_path_factory):
    """The study, measured; and its table as text."""
    disk = OnDisk(shutil.copytree(made.root, tmp_path_factory.mktemp("table") / "study"))
    measure_study(disk.study, look_for_shifts=False)
    table = pd.read_csv(disk.out / "lesion_table.tsv", sep="\t", dtype=str, keep_default_na=False)
    return disk, table


def read(path):
    image = nib.load(path)
    return np.asarray(image.dataobj), image.affine


def number(cell):
    return None if cell == "n/a" else float(cell)


def rows_of(table):
    for _, row in table.iterrows():
        yield int(row["lesion_id"][-3:]), f"sub-{row['patient_id']}_{row['session_id']}", row


def weighted(values_ppb, parts, weights, whole_mm3, voxel_mm3):
    """Mean, median, standard deviation, voxels and coverage, the way the data dictionary says."""
    total = math.fsum(parts)
    covered = min(1.0, total / (whole_mm3 / voxel_mm3))
    if covered < 0.9:
        return None, None, None, total, covered
    of_all = math.fsum(weights)
    mean = math.fsum(weights * values_ppb) / of_all
    order = np.argsort(values_ppb, kind="stable")
    middle = np.cumsum(weights[order]) - 0.5 * weights[order]
    median = float(np.interp(0.5 * weights.sum(), middle, values_ppb[order]))
    return mean, median, math.sqrt(math.fsum(weights * (values_ppb - mean) ** 2) / of_all), total, covered


def recount(folder, stem, chi_name, mask_name, label):
    """Everything that stands for one lesion in a table of weights and the map that belongs to it."""
    chi, affine = read(folder / f"{chi_name}.nii.gz")
    mask = read(folder / f"{mask_name}.nii.gz")[0] > 0
    rows = pd.read_csv(folder / f"{stem}.tsv.gz", sep="\t", dtype={"part": np.float32})
    rows = rows[rows["label"] == label]
    at = tuple(rows[axis].to_numpy() for axis in "ijk")
    counts = mask[at] & np.isfinite(chi[at])
    whole = json.loads((folder / f"{stem}.json").read_text())["WholeVolume"][str(label)]
    values = chi[at][counts].astype(np.float32).astype(np.float64) * 1000.0
    voxel_mm3 = float(np.prod(np.linalg.norm(affine[:3, :3], axis=0)))
    parts = rows["part"].to_numpy()[counts].astype(np.float64)
    np.testing.assert_allclose(rows["weight"].to_numpy()[counts], parts**2, rtol=1e-12)
    return weighted(values, parts, parts**2, whole, voxel_mm3)


def test_columns_are_those_of_the_paper_and_then_ours(measured):
    disk, table = measured
    assert list(table.columns) == PAPER + OURS
    assert [field.name for field in fields(LesionRow)] == PAPER + OURS == list(COLUMNS)
    dictionary = json.loads((disk.out / "lesion_table.json").read_text("utf-8"))
    assert [name for name in dictionary if name != "About"] == PAPER + OURS
    assert all(dictionary[name]["Description"] for name in PAPER + OURS)
    assert set(dictionary["qc_flags"]["Levels"]) == set(FLAGS)
    units = {name: dictionary[name].get("Units") for name in PAPER + OURS}
    for ending, unit in (("_ppb", "ppb"), ("_mm3", "mm³"), ("_y", "year")):
        assert all(units[name] == unit for name in PAPER + OURS if name.endswith(ending))


def test_the_cohort_of_the_paper_has_the_same_columns(measured, shared_data):
    cohort = pd.read_csv(shared_data / "growth" / "cohort_public.csv", nrows=1)
    assert list(cohort.columns) == PAPER


def test_one_row_per_lesion_and_session_without_rescans(measured):
    _, table = measured
    assert list(zip(table["lesion_id"], table["session_id"], strict=True)) == [
        (f"01-L00{label}", f"ses-0{session}") for label in (1, 2, 3) for session in (1, 2, 3)
    ]


def test_susceptibility_equals_an_independent_count(measured):
    disk, table = measured
    for label, session, row in rows_of(table):
        folder = disk.anat(session)
        weights = f"{session}_desc-lesions_weights"
        mean, median, sd, n, covered = recount(
            folder, weights, f"{session}_Chimap", f"{session}_desc-brain_mask", label
        )
        nawm = number(row["chi_nawm_ppb"])
        assert number(row["chi_lesion_raw_ppb"]) == mean
        assert number(row["chi_ppb"]) == number(row["chi_native_ppb"]) == mean - nawm
        assert number(row["chi_median_ppb"]) == median - nawm
        assert number(row["chi_sd_ppb"]) == sd
        assert number(row["n_voxels"]) == n
        assert number(row["covered_fraction"]) == covered
        there, *_ = recount(
            folder,
            f"{session}_space-baseline_desc-lesions_weights",
            f"{session}_space-baseline_Chimap",
            f"{session}_space-baseline_desc-brain_mask",
            label,
        )
        assert number(row["chi_registered_ppb"]) == there - nawm


def test_reference_equals_an_independent_mean(measured):
    """Tukey's biweight by another route: weights about the mean until it stays."""
    disk, table = measured
    for label, session, row in rows_of(table):
        folder = disk.anat(session)
        chi, _ = read(folder / f"{session}_Chimap.nii.gz")
        labels, _ = read(folder / f"{session}_desc-nawm_dseg.nii.gz")
        rows = pd.read_csv(folder / f"{session}_desc-nawm_weights.tsv.gz", sep="\t")
        rows = rows[rows["label"] == label]
        values = chi[labels == label].astype(np.float64) * 1000
        assert values.size == len(rows) == number(row["n_nawm_voxels"])
        assert np.array_equal(np.argwhere(labels == label), rows[["i", "j", "k"]].to_numpy())
        mean = np.median(values)
        scale = 4.685 * 1.4826 * np.median(np.abs(values - mean))
        for _ in range(100):
            weights = np.clip(1 - ((values - mean) / scale) ** 2, 0, None) ** 2
            mean = np.average(values, weights=weights)
        assert number(row["chi_nawm_ppb"]) == pytest.approx(mean, abs=1e-3)
        assert number(row["chi_nawm_ppb"]) == pytest.approx(-30, abs=1.5)  # the white matter as it was made
        assert 0 < number(row["nawm_se_ppb"]) < 2


def test_volumes_equal_a_voxel_count(measured):
    disk, table = measured
    counts = {}
    for label, session, row in rows_of(table):
        labels, affine = read(disk.anat(session) / f"{session}_space-FLAIR_desc-lesions_dseg.nii.gz")
        x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
        n = int(np.count_nonzero(labels == label))
        counts[label, session] = n * (float(x) * float(y) * float(z)) if n else None
        assert number(row["volume_mm3"]) == counts[label, session]
    for label, session, row in rows_of(table):
        at_onset, here = counts[label, ONSETS[label]], counts[label, session]
        assert number(row["volume_bl_mm3"]) == at_onset
        if here is None:
            assert row["volume_mm3"] == row["dvolume_mm3"] == row["volume_pv_mm3"] == "n/a"
            continue
        assert number(row["dvolume_mm3"]) == here - at_onset
        true = 4 / 3 * np.pi * {1: 8.0, 2: 6.0}.get(label, 6.0) ** 3
        if label != 3:  # at the edge of grey matter, which is as bright as part of a lesion
            assert number(row["volume_pv_mm3"]) == pytest.approx(true, rel=0.06)


def test_the_part_that_is_still_lesion_on_flair(measured):
    disk, table = measured
    onset, affine = read(disk.places.home / "anat" / "sub-01_space-baseline_desc-lesions_dseg.nii.gz")
    grid = Grid(onset.shape, affine)
    vein, _ = read(disk.places.home / "anat" / "sub-01_space-baseline_desc-veins_dseg.nii.gz")
    seen = 0
    for label, session, row in rows_of(table):
        flair, flair_affine = read(disk.anat(session) / f"{session}_space-FLAIR_desc-lesions_dseg.nii.gz")
        one = np.where(flair == label, flair, 0)
        there = resample_labels(one, Grid(flair.shape, flair_affine), grid, FLAIR_AT[session]) == label
        both = there & (onset == label)
        if not both.any():
            assert row["chi_session_roi_ppb"] == "n/a"
            continue
        seen += 1
        chi, native = read(disk.anat(session) / f"{session}_Chimap.nii.gz")
        mask = read(disk.anat(session) / f"{session}_desc-brain_mask.nii.gz")[0] > 0
        roi = carry_roi(both, grid, Grid(chi.shape, native), GRE_AT[session], cut=vein == label)
        weights = np.where(mask, roi.weights, 0).astype(np.float64) ** 2
        mean = float((weights * chi).sum() / weights.sum()) * 1000
        assert number(row["chi_session_roi_ppb"]) == pytest.approx(mean - number(row["chi_nawm_ppb"]), abs=1e-3)
    assert seen == 8  # lesion 2 is not on FLAIR before its onset


def test_native_regions_hold_what_was_drawn_without_the_vein(measured):
    disk, _ = measured
    for session in (S1, S2, S3):
        labels, affine = read(disk.anat(session) / f"{session}_desc-lesions_dseg.nii.gz")
        rows = pd.read_csv(disk.anat(session) / f"{session}_desc-lesions_weights.tsv.gz", sep="\t")
        voxel_mm3 = np.prod(np.linalg.norm(affine[:3, :3], axis=0))
        for label in (1, 2, 3):
            own = rows[rows["label"] == label]
            counted = set(zip(own["i"], own["j"], own["k"], strict=True))
            found = np.argwhere(labels == label)
            assert all(tuple(at) in counted for at in found)
            assert len(found) * voxel_mm3 == pytest.approx(own["part"].sum() * voxel_mm3, rel=0.1)
    onset = read(disk.places.home / "anat" / "sub-01_space-baseline_desc-lesions_dseg.nii.gz")[0]
    vein = read(disk.places.home / "anat" / "sub-01_space-baseline_desc-veins_dseg.nii.gz")[0]
    native = read(disk.anat(S1) / f"{S1}_desc-lesions_dseg.nii.gz")[0]
    assert np.array_equal(native, np.where(vein > 0, 0, onset))


def test_ages_dates_covariates_and_where_they_stand(measured):
    disk, table = measured
    for label, session, row in rows_of(table):
        days = (DAYS[session] - DAYS[ONSETS[label]]).days
        assert number(row["lesion_age_y"]) == days / 365.25
        assert row["session_date"] == DAYS[session].isoformat()
        assert row["sex"] == "F"
        assert row["scanner"] == ("Siemens Prisma" if session == S2 else "Siemens Skyra")
        wanted = {1: (40.0, 2.0, 3.0, 1.0), 2: (41.0, 9.0, 4.0, 2.0), 3: (40.0, 2.0, 3.0, 1.0)}[label]
        names = ("patient_age_y", "edss", "disease_duration_y", "treatment_duration_y")
        assert tuple(number(row[name]) for name in names) == wanted
        assert row["central_vein"] == {1: "1", 2: "n/a", 3: "0"}[label]
        assert row["enhancement"] == {1: "shell", 2: "nodular", 3: "n/a"}[label]
        rated = ("rim", "rim_rater1", "rim_rater2", "rim_adjudicator", "rim_at_session", "rim_score", "rim_coverage")
        assert all(row[name] == "n/a" for name in rated)
    about = json.loads((disk.out / "lesion_table.json").read_text("utf-8"))["About"]["Patients"]["01"]
    assert about["CovariateSources"]["01-L001"]["edss"] == "sub-01_sessions.tsv"
    assert about["CovariateSources"]["01-L002"]["edss"] == "participants.tsv"
    assert about["CovariateSources"]["01-L002"]["patient_age_y"] == "sub-01_sessions.tsv"
    assert about["RescansLeftOut"] == ["sub-01_ses-02rescan"]


def test_source_of_the_region_eligibility_and_flags(measured):
    _, table = measured
    sources = {(label, session): row["roi_source"] for label, session, row in rows_of(table)}
    assert sources == {
        (1, S1): "onset",
        (1, S2): "propagated",
        (1, S3): "edited",
        (2, S1): "onset",
        (2, S2): "onset",
        (2, S3): "propagated",
        (3, S1): "onset",
        (3, S2): "propagated",
        (3, S3): "propagated",
    }
    said = {label: row["eligible"] for label, _, row in rows_of(table)}
    assert said[1] == "yes"
    assert said[2] == "no: χ at 2 of at least 3 sessions from onset on"
    assert said[3] == "no: no earlier scan shows that it was not there"
    flags = {(label, session): row["qc_flags"] for label, session, row in rows_of(table)}
    assert flags[1, S1] == flags[1, S2] == "n/a"  # reviewed at the second
    assert flags[1, S3] == "roi_volume_changed;not_reviewed"
    assert flags[2, S3] == "not_reviewed"


def test_the_documentation_says_the_same_of_every_column_and_flag():
    text = (Path(__file__).parents[3] / "docs" / "lesion-table.md").read_text("utf-8")
    for column in COLUMNS.values():
        assert f"| `{column.name}` | {column.units} | {column.description}" in text
    for flag in FLAGS.values():
        assert f"| `{flag.name}` | {flag.definition} |" in text
