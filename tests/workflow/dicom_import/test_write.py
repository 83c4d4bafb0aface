"""What lies on disk after an import, and that it tells nobody who it is."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.gre import load_session_gre

at = datetime.fromisoformat
VISITS = ("2018-03-05T09:15", "2018-09-30T23:47", "2020-02-29T07:00")
SECRETS = (
    b"Muster",
    b"Erika",
    b"MS0815",
    b"19840312",
    b"Nowhere",
    b"House",
    b"A20180305",
    b"AWP",
    b"1.2.3",
    b"was late",
)


def three_visits(scanner):
    out = []
    for day in VISITS:
        scanner.visit(at(day))
        out += scanner.session()
    return out


def test_files_are_where_bids_has_them(scanner, write, tmp_path, tree):
    write(scanner.staged(*scanner.session()))
    anat = [f"sub-01/ses-01/anat/sub-01_ses-01_{name}" for name in ("FLAIR", "T1w", "T2w", "ce-gadolinium_T1w")]
    anat += [
        f"sub-01/ses-01/anat/sub-01_ses-01_echo-{echo}_part-{part}_MEGRE"
        for echo in (1, 2, 3)
        for part in ("mag", "phase")
    ]
    expected = {f"{name}.{ending}" for name in anat for ending in ("nii.gz", "json")}
    expected |= {"sub-01/ses-01/sub-01_ses-01_scans.tsv", "sub-01/sub-01_sessions.tsv", "participants.tsv"}
    expected |= {"participants.json", "sessions.json", "scans.json", "dataset_description.json", "README.md"}
    assert set(tree(tmp_path / "study")) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["staged", "study", "study_key.tsv"]


def test_what_is_written_opens_and_loads(scanner, write, tmp_path):
    series = three_visits(scanner)
    outcome = write(scanner.staged(*series))
    study = open_study(tmp_path / "study")
    assert [session.label for session in study.sessions] == list(outcome.sessions)
    assert len(outcome.sessions) == 3
    assert len(outcome.files) == 30
    for session in study.sessions:
        assert session.missing == ()
        assert session.post_gd is False
        gre = load_session_gre(session)
        assert gre.echo_times_s == pytest.approx((0.005, 0.010, 0.015))
        assert gre.b0_tesla == 3
    first = study.sessions[0]
    assert np.array_equal(
        np.asanyarray(nib.load(first.contrasts["FLAIR"]).dataobj),
        np.asanyarray(nib.load(series[2].images[0].path).dataobj),
    )
    assert np.array_equal(nib.load(first.contrasts["FLAIR"]).affine, nib.load(series[2].images[0].path).affine)
    assert study.patients[0].covariates == {"sex": "F"}
    assert [session.covariates["age"] for session in study.sessions] == [34.0, 34.6, 36.0]


def test_official_validator_finds_no_error(scanner, write, tmp_path):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    series = [*three_visits(scanner), *scanner.gre(), scanner.series("FLAIR")]
    series.append(scanner.series("", parts=("mag", "field"), description="B0map"))
    write(scanner.staged(*series))
    report = subprocess.run([validator, "--json", tmp_path / "study"], capture_output=True, text=True, check=False)
    issues = json.loads(report.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    said = {issue["code"] for issue in issues if "RECOMMENDED" not in issue["code"]}
    assert said <= {"NO_AUTHORS", "TOO_FEW_AUTHORS", "NIFTI_UNIT"}, "units are those of the tests' own images"


def test_lesion_ages_are_equal_before_and_after(scanner, write, tmp_path):
    """Ages in days since onset at each session: true ones, moved ones, kept ones, whatever the times of day."""
    series = three_visits(scanner)
    write(scanner.staged(*series), bids_dir=tmp_path / "moved")
    write(scanner.staged(*series), bids_dir=tmp_path / "kept", keep_dates=True)
    true = [at(day).date() for day in VISITS]
    for onset in range(3):
        wanted = [(day - true[onset]).days for day in true]
        for name in ("moved", "kept"):
            found = open_study(tmp_path / name).sessions
            assert [session.days_since(found[onset]) for session in found] == wanted
            raw = [(session.date - found[onset].date).total_seconds() / 86400 for session in found]
            assert raw == wanted, "whole days: no time of day is left that could round otherwise"
    assert [s.date.date() for s in open_study(tmp_path / "kept").sessions] == true
    moved = [s.date for s in open_study(tmp_path / "moved").sessions]
    assert all(1900 <= date.year <= 1908 for date in moved)


def test_every_patient_moves_by_days_of_its_own(scanner, write, tmp_path, sessions):
    people = [{"PatientID": f"P{n}"} for n in range(5)]
    write(scanner.staged(*(scanner.series("FLAIR", person=person) for person in people)))
    first = [sessions(tmp_path / "study", f"{n:02d}")["acq_time"][0] for n in range(1, 6)]
    assert len(set(first)) > 1


def test_nothing_that_identifies_is_in_any_byte(scanner, write, tmp_path, tree):
    write(scanner.staged(*three_visits(scanner)))
    content = tree(tmp_path / "study")
    assert len(content) > 60
    dates = [at(day).strftime(form).encode() for day in VISITS for form in ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y")]
    times = [at(day).strftime(form).encode() for day in VISITS for form in ("%H:%M:%S", "%H%M%S")]
    for name, data in content.items():
        plain = gzip.decompress(data) if name.endswith(".gz") else data
        for secret in (*SECRETS, *dates, *times):
            assert secret not in plain, f"{secret!r} is in {name}"
            assert secret not in name.encode()
    key = (tmp_path / "study_key.tsv").read_bytes()
    assert all(secret in key for secret in (b"Musterfrau^Erika", b"MS0815", b"2018-03-05"))


def test_what_was_dropped_is_told_without_its_value(scanner, write):
    outcome = write(scanner.staged(*scanner.session()))
    assert {"PatientName", "PatientID", "InstitutionName", "SeriesDescription", "NIfTI descrip"} <= set(outcome.dropped)
    assert outcome.dropped["PatientBirthDate"] == "only the age in years is kept"
    assert "EchoTime" not in outcome.dropped
    assert "PatientSex" not in outcome.dropped
    assert "Muster" not in json.dumps(dict(outcome.dropped))
    assert json.loads(json.dumps(outcome.as_json()))["sessions"] == ["sub-01_ses-01"]


def test_gadolinium_is_written_into_table_and_sidecars(scanner, write, tmp_path):
    write(scanner.staged(*scanner.session(("T1w", "ce-gadolinium_T1w", "MEGRE"))))
    (session,) = open_study(tmp_path / "study").sessions
    assert session.post_gd is True
    home = tmp_path / "study" / "sub-01" / "ses-01"
    scans = pd.read_csv(home / "sub-01_ses-01_scans.tsv", sep="\t", dtype=str).set_index("filename")
    assert scans.loc["anat/sub-01_ses-01_T1w.nii.gz", "post_gd"] == "false"
    assert scans.loc["anat/sub-01_ses-01_echo-1_part-mag_MEGRE.nii.gz", "post_gd"] == "true"
    sidecar = json.loads((home / "anat" / "sub-01_ses-01_ce-gadolinium_T1w.json").read_text())
    assert sidecar["ContrastBolusIngredient"] == "GADOLINIUM"
    assert sidecar["PostGadolinium"] is True


def test_order_of_acquisition_within_a_session_can_be_read(scanner, write, tmp_path):
    write(scanner.staged(*scanner.session()))
    scans = pd.read_csv(tmp_path / "study" / "sub-01" / "ses-01" / "sub-01_ses-01_scans.tsv", sep="\t")
    times = [at(text) for text in scans["acq_time"]]
    assert times == sorted(times)
    assert (times[-1] - times[0]).total_seconds() == 4 * 300
    assert times[0].hour == 12


def test_repeated_runs_are_numbered_and_the_last_complete_one_is_used(scanner, write, tmp_path):
    series = [*scanner.gre(), *scanner.gre(), scanner.series("FLAIR"), scanner.series("FLAIR")]
    write(scanner.staged(*series))
    (session,) = open_study(tmp_path / "study").sessions
    assert {file.path.name.split("_")[2] for file in session.gre} == {"run-2"}
    assert session.contrasts["FLAIR"].name == "sub-01_ses-01_run-2_FLAIR.nii.gz"
    assert len(list((tmp_path / "study").rglob("*run-1*.nii.gz"))) == 7


def test_run_before_gadolinium_is_used_rather_than_a_later_one(scanner, write, tmp_path):
    series = scanner.session(("MEGRE", "MEGRE", "FLAIR", "ce-gadolinium_T1w", "MEGRE", "FLAIR"))
    plans = []
    write(scanner.staged(*series), change=lambda plan: plans.append(plan) or plan)
    assert [row.used for row in plans[0].rows] == [False, False, True, True, True, True, False, False, False]
    said = [text for row in plans[0].rows for text in row.problems]
    assert any("series 3 and 4 is used: the last complete one before gadolinium" in text for text in said)
    (session,) = open_study(tmp_path / "study").sessions
    assert {file.path.name.split("_")[2] for file in session.gre} == {"run-2"}
    assert session.contrasts["FLAIR"].name == "sub-01_ses-01_run-1_FLAIR.nii.gz"
    assert session.post_gd is False


def test_two_images_of_one_echo(scanner, write, tmp_path):
    twice = scanner.series("MEGRE", parts=("mag", "phase", "mag"))
    plans = []
    outcome = write(scanner.staged(twice), change=lambda plan: plans.append(plan) or plan)
    assert any("several images of one part and echo" in problem for problem in plans[0].rows[0].problems)
    assert len(outcome.files) == 6
    first = nib.load(tmp_path / "study" / "sub-01" / "ses-01" / "anat" / "sub-01_ses-01_echo-1_part-mag_MEGRE.nii.gz")
    assert np.array_equal(np.asanyarray(first.dataobj), np.asanyarray(nib.load(twice.images[0].path).dataobj))


def test_what_is_wrong_with_a_series_is_said_where_it_is_left_out(scanner, write):
    rest = scanner.series("MEGRE", echo_times_s=(0.005,), problems=("phase at 5 ms: 3 of 6 slices are there",))
    outcome = write(scanner.staged(rest, *scanner.session(("T1w",))))
    (left_out,) = outcome.left_out
    assert "its name speaks of MEGRE; phase at 5 ms: 3 of 6 slices are there" in left_out.why
    assert len(outcome.files) == 1


def test_field_map_of_the_scanner(scanner, write, tmp_path):
    write(scanner.staged(scanner.series("", parts=("mag", "field"), description="B0map")))
    fmap = tmp_path / "study" / "sub-01" / "ses-01" / "fmap"
    assert sorted(path.name for path in fmap.glob("*.nii.gz")) == [
        "sub-01_ses-01_fieldmap.nii.gz",
        "sub-01_ses-01_magnitude.nii.gz",
    ]
    assert json.loads((fmap / "sub-01_ses-01_fieldmap.json").read_text())["Units"] == "Hz"


def test_ages_above_89(scanner, write, tmp_path, sessions):
    outcome = write(scanner.staged(scanner.series("FLAIR", person={"PatientID": "Old", "PatientAge": "093Y"})))
    assert list(sessions(tmp_path / "study")["age"]) == ["89"]
    assert any("above 89" in warning for warning in outcome.warnings)


def test_whole_years_beside_true_dates(scanner, write, tmp_path, sessions):
    write(scanner.staged(*three_visits(scanner)), keep_dates=True)
    assert list(sessions(tmp_path / "study")["age"]) == ["33", "34", "35"]


def test_session_without_date(scanner, write, tmp_path, sessions):
    write(scanner.staged(scanner.series("FLAIR", acquired_at=None)))
    assert (
        sessions(tmp_path / "study").loc[0, "acq_time"] == "n/a" or sessions(tmp_path / "study")["acq_time"].isna()[0]
    )
    assert open_study(tmp_path / "study").sessions[0].date is None


def test_true_dates_are_said_in_the_readme(scanner, write, tmp_path):
    series = scanner.session(("FLAIR",))
    write(scanner.staged(*series), bids_dir=tmp_path / "kept", keep_dates=True)
    write(scanner.staged(*series), bids_dir=tmp_path / "moved")
    assert "Dates are true" in (tmp_path / "kept" / "README.md").read_text()
    assert "moved by a private number" in (tmp_path / "moved" / "README.md").read_text()


def test_path_with_dots(scanner, write, tmp_path):
    (tmp_path / "x").mkdir()
    outcome = write(scanner.staged(*scanner.session(("FLAIR",))), bids_dir=tmp_path / "x" / ".." / "study")
    assert outcome.key_file == tmp_path / "study_key.tsv"
    assert all(path.is_file() for path in outcome.files)
    assert outcome.as_json()["files"] == ["sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz"]


def test_a_study_on_a_disk_of_its_own(scanner, write, tmp_path):
    """Reached by a link, or as the root of a disk, nothing beside it can be renamed into it."""
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk here")
    with tempfile.TemporaryDirectory(dir=elsewhere) as disk:
        (Path(disk) / "study").mkdir()
        (tmp_path / "study").symlink_to(Path(disk) / "study")
        outcome = write(scanner.staged(*scanner.session(("FLAIR",))))
        assert all(path.is_file() for path in outcome.files)
        assert [path.name for path in Path(disk).iterdir()] == ["study"]
    assert outcome.key_file == tmp_path / "study_key.tsv"


def test_a_study_beside_which_nothing_may_be_written(scanner, write, tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    monkeypatch.setattr("napari_msqsm.workflow.dicom_import.write.os.access", lambda *_: False)
    key = tmp_path / "safe" / "key.tsv"
    outcome = write(scanner.staged(*scanner.session(("FLAIR",))), key_file=key)
    assert all(path.is_file() for path in outcome.files)
    assert not [path for path in (tmp_path / "study").iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_the_study_can_be_shared_and_the_key_cannot(scanner, write, tmp_path):
    before = os.umask(0o022)
    try:
        write(scanner.staged(*scanner.session(("FLAIR",))))
    finally:
        os.umask(before)
    assert (tmp_path / "study").stat().st_mode & 0o077 == 0o055
    assert (tmp_path / "study" / "sub-01" / "ses-01").stat().st_mode & 0o077 == 0o055
    assert all(path.stat().st_mode & 0o044 for path in (tmp_path / "study").rglob("*") if path.is_file())
    assert (tmp_path / "study_key.tsv").stat().st_mode & 0o077 == 0
