"""``msqsm import``: from DICOM files of synthetic scanners to an anonymised study."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from dicom_scanner import CLASSIC, Patient, Visit, cut, fuzz, write_contrast, write_study
from napari_msqsm.cli import COMMANDS, module_of
from napari_msqsm.io.bids import open_study
from napari_msqsm.io.gre import load_session_gre
from napari_msqsm.workflow.dicom_import import importing

pytest.importorskip("pydicom")
pytest.importorskip("dcm2niix")

SMALL = ("GRE", "T1w", "T1w+Gd")
HIM = Patient("MS4711", "Beispiel^Otto", "19710509", "M", 80.0)
SECRETS = ("Musterfrau", "Erika", "MS0815", "19840312", "Beispiel", "Otto", "MS4711", "19710509", "Nowhere", "House")
MORE_SECRETS = ("AWP12345", "GEMR1", "1.2.826.0.1.3680043", "KM", "BRAVO", "Head^MS")


def tree(folder):
    """Content of every file below a folder, by its name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def two_visits(tmp_path_factory):
    """One patient, two visits of a Siemens scanner."""
    folder = tmp_path_factory.mktemp("scanner") / "dicom"
    write_study(folder, roles=SMALL)
    return folder


@pytest.fixture(scope="module")
def six_years(tmp_path_factory):
    """Two patients, two scanners each, six years; not in order of date."""
    folder = tmp_path_factory.mktemp("scanner") / "dicom"
    hers = [
        Visit(f"{year}0{month}0{day}", f"{hour}1500", vendor)
        for year, month, day, hour, vendor in (
            (2018, 3, 5, "09", "siemens"),
            (2019, 6, 9, "18", "ge"),
            (2020, 2, 9, "07", "siemens"),
            (2021, 4, 4, "22", "ge"),
            (2022, 9, 1, "06", "siemens"),
            (2023, 8, 8, "13", "ge"),
        )
    ]
    his = [Visit("20170101", "080000", "philips"), Visit("20221231", "170000", "canon")]
    written = write_study(folder, {Patient(): list(reversed(hers)), HIM: his}, roles=SMALL)
    return folder, written, {"01": his, "02": hers}


def test_command_whose_name_python_reserves():
    assert "import" in COMMANDS
    assert module_of("import") == "import_"
    assert module_of("run") == "run"


def test_two_visits_become_a_study(msqsm, two_visits, tmp_path):
    done = msqsm("import", two_visits, tmp_path / "study", "--json", tmp_path / "out.json")
    assert done.code == 0, done.err
    assert names(tmp_path) == ["out.json", "study", "study_key.tsv"]
    assert "wrote sub-01_ses-01: MEGRE (series 1+2, 3 echoes, 98% sure), T1w" in done.out
    assert "gradient echo without gadolinium: acquired before series 4" in done.out
    assert "PatientName" in done.out
    assert "Muster" not in done.out + done.err
    if os.name == "posix":
        assert (tmp_path / "out.json").stat().st_mode & 0o077 == 0
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["sessions"] == ["sub-01_ses-01", "sub-01_ses-02"]
    assert len(result["files"]) == 2 * (6 + 2)
    assert {row["role"] for row in result["plan"]["series"]} == {"MEGRE", "T1w", "ce-gadolinium_T1w"}
    sessions = open_study(tmp_path / "study").sessions
    assert sessions[1].days_since(sessions[0]) == (date(2019, 6, 11) - date(2018, 3, 5)).days
    assert all(load_session_gre(session).phase_rad is not None for session in sessions)


def test_two_scanners_and_six_years(msqsm, six_years, tmp_path):
    """Every echo right, every contrast recognised, every interval true, and nobody to be recognised."""
    folder, written, visits = six_years
    done = msqsm("import", folder, tmp_path / "study", "--quiet")
    assert done.code == 0, done.err
    study = open_study(tmp_path / "study")
    assert [patient.patient_id for patient in study.patients] == ["01", "02"], "his first scan came first"
    assert [patient.covariates for patient in study.patients] == [{"sex": "M"}, {"sex": "F"}]
    by_label = {
        f"sub-{patient}_ses-{number:02d}": visit
        for patient, own in visits.items()
        for number, visit in enumerate(own, start=1)
    }
    assert [session.label for session in study.sessions] == list(by_label)
    for patient in study.patients:
        days = [datetime.strptime(visit.date, "%Y%m%d").date() for visit in visits[patient.patient_id]]  # noqa: DTZ007
        for onset in patient.sessions:
            start = days[patient.sessions.index(onset)]
            assert [session.days_since(onset) for session in patient.sessions] == [(day - start).days for day in days]
    for session in study.sessions:
        visit = by_label[session.label]
        assert session.post_gd is False
        assert {"T1w", "ce-gadolinium_T1w"} == set(session.contrasts)
        truth = {
            part: values
            for one in written
            if one.role == "GRE" and one.visit == visit
            for part, values in one.values.items()
        }
        gre = load_session_gre(session)
        true = truth["mag"] * np.exp(1j * truth["phase"]) if "phase" in truth else truth["real"] + 1j * truth["imag"]
        found = gre.magnitude * np.exp(1j * gre.phase_rad)
        growth = [np.quantile(np.abs(np.angle(s[1:] * s[:-1].conj())), np.linspace(0, 1, 50)) for s in (found, true)]
        np.testing.assert_allclose(*growth, atol=0.01, err_msg=session.label)
    _nobody_can_be_recognised(tmp_path / "study", [visit.date for own in visits.values() for visit in own])


def _nobody_can_be_recognised(root, days):
    content = tree(root)
    assert len(content) > 100
    dates = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days]
    for name, data in content.items():
        plain = gzip.decompress(data) if name.endswith(".gz") else data
        for secret in (*SECRETS, *MORE_SECRETS, *days, *dates):
            assert secret.encode() not in plain, f"{secret} is in {name}"


def test_every_contrast_of_every_vendor_is_recognised(msqsm, tmp_path):
    vendors = (*CLASSIC, "siemens-xa")
    for number, vendor in enumerate(vendors):
        write_study(tmp_path / "dicom", {Patient(f"P{number}"): [Visit(vendor=vendor)]})
    arguments = ("import", tmp_path / "dicom", tmp_path / "study", "--dry-run", "--quiet")
    assert msqsm(*arguments, "--json", tmp_path / "out.json").code == 0
    series = json.loads((tmp_path / "out.json").read_text())["series"]
    for number in range(len(vendors)):
        own = [row for row in series if row["patient"] == f"{number + 1:02d}"]
        assert {row["role"] for row in own} == {"MEGRE", "FLAIR", "T1w", "T2w", "ce-gadolinium_T1w"}
        assert all(row["confidence"] >= 0.9 for row in own)
        assert all(row["post_gd"] == (row["role"] == "ce-gadolinium_T1w") for row in own)
        assert all(row["problems"] == [] for row in own)


def test_it_is_valid_bids(msqsm, six_years, tmp_path):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    assert msqsm("import", six_years[0], tmp_path / "study", "--quiet").code == 0
    report = subprocess.run([validator, "--json", tmp_path / "study"], capture_output=True, text=True, check=False)
    issues = json.loads(report.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    said = {issue["code"] for issue in issues if "RECOMMENDED" not in issue["code"]}
    assert said <= {"NO_AUTHORS", "TOO_FEW_AUTHORS"}


def test_field_map_of_a_real_scanner(msqsm, shared_data, tmp_path):
    """GE's B0 map is in the study in Hz, as dcm2niix' authors have it."""
    folder = shared_data / "real" / "dcm_qa_fmap_ge"
    done = msqsm("import", folder / "6_CV_Neuro", tmp_path / "study")
    assert done.code == 0, done.err
    found = nib.load(tmp_path / "study" / "sub-01" / "ses-01" / "fmap" / "sub-01_ses-01_fieldmap.nii.gz")
    wanted = nib.load(folder / "GE_6_CV_Neuro_HH_Adv_fieldmaphz.nii")
    assert np.array_equal(np.asanyarray(found.dataobj), np.asanyarray(wanted.dataobj))
    assert np.array_equal(found.affine, wanted.affine)
    assert "ANON2339" not in "".join(path.name for path in (tmp_path / "study").rglob("*"))


def test_kept_dates(msqsm, two_visits, tmp_path):
    assert msqsm("import", two_visits, tmp_path / "study", "--keep-dates", "--quiet").code == 0
    sessions = open_study(tmp_path / "study").sessions
    assert [session.date.date() for session in sessions] == [date(2018, 3, 5), date(2019, 6, 11)]


def test_later_import(msqsm, two_visits, tmp_path):
    assert msqsm("import", two_visits / "MS0815" / "20180305", tmp_path / "study", "--quiet").code == 0
    before = tree(tmp_path / "study")
    done = msqsm("import", two_visits, tmp_path / "study")
    assert done.code == 0
    assert "in the study already, as sub-01_ses-01_T1w" in done.out
    after = tree(tmp_path / "study")
    assert {name for name in before if after[name] != before[name]} == {"sub-01/sub-01_sessions.tsv"}
    sessions = open_study(tmp_path / "study").sessions
    assert [session.session_id for session in sessions] == ["01", "02"]
    assert sessions[1].days_since(sessions[0]) == (date(2019, 6, 11) - date(2018, 3, 5)).days
    again = msqsm("import", two_visits, tmp_path / "study")
    assert again.code == 2
    assert len(again.error_lines) == 1
    assert "is new: 8 of its series are in the study already" in again.err
    assert tree(tmp_path / "study") == after


def test_dry_run_writes_nothing_but_the_table(msqsm, two_visits, tmp_path):
    done = msqsm("import", two_visits, tmp_path / "new" / "study", "--dry-run", "--table", tmp_path / "plan.tsv")
    assert done.code == 0
    assert "would write sub-01_ses-02" in done.out
    assert names(tmp_path) == ["plan.tsv"]
    if os.name == "posix":
        assert (tmp_path / "plan.tsv").stat().st_mode & 0o077 == 0


def test_table_that_was_corrected(msqsm, two_visits, tmp_path):
    table = tmp_path / "plan.tsv"
    assert msqsm("import", two_visits, tmp_path / "study", "--dry-run", "--table", table, "--quiet").code == 0
    with table.open(newline="") as stream:
        lines = list(csv.DictReader(stream, delimiter="\t"))
    for line in lines:
        if line["session"] == "01" and line["role"] == "T1w":
            line["role"] = "T2w"
        if line["session"] == "02":
            line["session"], line["post_gd"] = "m15", "true"
        if line["role"] == "ce-gadolinium_T1w":
            line["role"] = "ignore"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(lines)
    edited = table.read_bytes()
    done = msqsm("import", two_visits, tmp_path / "study", "--table", table)
    assert done.code == 0, done.err
    assert table.read_bytes() == edited, "the user's table is not written over"
    first, second = open_study(tmp_path / "study").sessions
    assert [first.session_id, second.session_id] == ["01", "m15"]
    assert set(first.contrasts) == {"T2w"}
    assert first.post_gd is False
    assert second.post_gd is True
    assert "left out: 2" in done.out
    assert "chosen by the user" in done.out


@pytest.mark.parametrize("flag", ["--key-file", "--table", "--json"])
def test_what_identifies_is_refused_inside_the_study(msqsm, two_visits, tmp_path, flag):
    done = msqsm("import", two_visits, tmp_path / "study", flag, tmp_path / "study" / "file")
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert "inside the study" in done.err
    assert names(tmp_path) == []


def test_key_file_of_ones_own(msqsm, two_visits, tmp_path):
    (tmp_path / "safe").mkdir()
    key = tmp_path / "safe" / "who.tsv"
    assert msqsm("import", two_visits, tmp_path / "study", "--key-file", key, "--quiet").code == 0
    assert names(tmp_path) == ["safe", "study"]
    rows = pd.read_csv(key, sep="\t", dtype=str)
    assert set(rows["patient_name"]) == {"Musterfrau^Erika"}
    assert len(set(rows["offset_days"])) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder.parent.joinpath("other").mkdir(), "not a folder"),
        (lambda folder: folder.mkdir(), "no DICOM"),
        (lambda folder: (folder.mkdir(), (folder / "thesis.doc").write_bytes(b"x" * 500)), "nothing in"),
    ],
)
def test_nothing_usable(msqsm, tmp_path, make, words):
    make(tmp_path / "dicom")
    before = names(tmp_path)
    done = msqsm("import", tmp_path / "dicom", tmp_path / "study")
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert words in done.err
    assert names(tmp_path) == before


def test_localizers_alone_are_nothing_usable(msqsm, tmp_path):
    write_contrast(tmp_path / "dicom", "T1w", patient=Patient(), visit=Visit(), number=1, description="localizer")
    done = msqsm("import", tmp_path / "dicom", tmp_path / "study")
    assert done.code == 2
    assert "series 1 (localizer): a localizer (name)" in done.err
    assert names(tmp_path) == ["dicom"]


def test_without_the_extra(msqsm, two_visits, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    done = msqsm("import", two_visits, tmp_path / "study")
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert "napari-msqsm[dicom]" in done.err
    assert names(tmp_path) == []


def test_cancel(msqsm, two_visits, tmp_path, monkeypatch):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "write_plan", stopped)
    done = msqsm("import", two_visits, tmp_path / "study", "--quiet")
    assert done.code == 130
    assert done.error_lines == ["msqsm import: cancelled"]
    assert names(tmp_path) == []


def test_interrupted_process_leaves_neither_half_a_study_nor_private_files(two_visits, tmp_path):
    """The process leaves by an exception while the private folder is open: its end removes it."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom napari_msqsm.workflow.dicom_import import importing\n"
        f"importing.stage_and_propose(Path({str(two_visits)!r}), Path({str(tmp_path / 'study')!r}))\n"
        f"assert list(Path({str(tmp_path)!r}).iterdir())\nsys.exit(7)"
    )
    environment = {**os.environ, "MSQSM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 7, done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("seed", range(3))
def test_fuzzed_and_truncated_files_never_leave_half_a_tree(msqsm, two_visits, tmp_path, seed):
    folder = tmp_path / "dicom"
    shutil.copytree(two_visits, folder)
    rng = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(rng.sample(files, len(files) // 3)):
        if rng.random() < 0.4:
            cut(path, rng.random())
        else:
            fuzz(path, seed + 1000 * number, head=2000)
    done = msqsm("import", folder, tmp_path / "study", "--json", tmp_path / "out.json")
    assert "Traceback" not in done.err + done.out
    assert done.code in (0, 2)
    if done.code == 2:
        assert len(done.error_lines) == 1
        assert names(tmp_path) == ["dicom"]
        return
    assert names(tmp_path) == ["dicom", "out.json", "study", "study_key.tsv"]
    result = json.loads((tmp_path / "out.json").read_text())
    for item in result["left_out"]:
        assert item["why"]
        assert "\n" not in item["what"] + item["why"]
    there = {path.relative_to(tmp_path / "study").as_posix() for path in (tmp_path / "study").rglob("*.nii.gz")}
    assert there == set(result["files"])
    for name in there:
        assert (tmp_path / "study" / name.replace(".nii.gz", ".json")).is_file()
    for session in open_study(tmp_path / "study").sessions:
        if session.can_reconstruct:
            load_session_gre(session)
