"""The table of a whole study: patients without lesions, rows that stay, formats, refusals."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.measure import lesion_table
from napari_msqsm.workflow.measure import study as of_study
from napari_msqsm.workflow.measure.columns import COLUMNS
from napari_msqsm.workflow.measure.summary import as_table, curves_table, flags_table
from workflow.measure.known_study import S2

if TYPE_CHECKING:
    from pathlib import Path


def measure_study(*arguments, **options):
    """Measure without aligning every lesion on its own."""
    return of_study.measure_study(*arguments, look_for_shifts=False, **options)


def as_other_patient(disk, number):
    """Copy the patient under another name."""
    for root in (disk.root, disk.out):
        shutil.copytree(root / "sub-01", root / f"sub-{number}")
        for path in sorted((root / f"sub-{number}").rglob("*sub-01*"), key=lambda path: -len(path.parts)):
            path.rename(path.with_name(path.name.replace("sub-01", f"sub-{number}")))
        for path in (root / f"sub-{number}").rglob("*"):
            if path.suffix in (".json", ".tsv"):
                text = path.read_text("utf-8").replace("sub-01", f"sub-{number}").replace("01-L", f"{number}-L")
                path.write_text(text, "utf-8")


def table_of(disk):
    return pd.read_csv(disk.out / "lesion_table.tsv", sep="\t", dtype=str, keep_default_na=False)


def snapshot(root: Path):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and ".cache" not in str(path)}


def test_rows_of_patients_that_are_not_measured_stay(disk):
    as_other_patient(disk, "02")
    both = measure_study(disk.study)
    assert [table.patient_id for table in both.tables] == ["01", "02"]
    before = table_of(disk)
    assert list(before["patient_id"]) == ["01"] * 9 + ["02"] * 9
    first, second = (
        before[before["patient_id"] == name].drop(columns=["patient_id", "lesion_id"]) for name in ("01", "02")
    )
    assert (
        first.reset_index(drop=True)
        .drop(columns=["sex", "edss"])
        .equals(second.reset_index(drop=True).drop(columns=["sex", "edss"]))
    )
    (disk.out / "sub-02" / "sub-02_lesions.tsv").unlink()
    measure_study(disk.study, ["sub-01"])
    assert table_of(disk).equals(before)
    about = json.loads((disk.out / "lesion_table.json").read_text("utf-8"))["About"]["Patients"]
    assert list(about) == ["01", "02"]
    measure_study(disk.study, ["02"])
    assert list(table_of(disk)["session_id"]) == list(before["session_id"])
    assert set(table_of(disk)["eligible"][9:]) == {"no: no onset session"}  # labels without a table


def test_formats_hold_the_same(disk):
    measured = measure_study(disk.study, formats=["csv", "xlsx", "parquet"])
    table = pd.read_csv(
        measured.files["tsv"], sep="\t", dtype={"patient_id": str}, na_values="n/a", keep_default_na=False
    )
    csv = pd.read_csv(measured.files["csv"], dtype={"patient_id": str}, na_values="n/a", keep_default_na=False)
    xlsx = pd.read_excel(measured.files["xlsx"], dtype={"patient_id": str})
    assert csv.equals(table)
    assert list(xlsx.columns) == list(COLUMNS)
    pd.testing.assert_frame_equal(xlsx, table, check_dtype=False, rtol=1e-14)
    parquet = pd.read_parquet(measured.files["parquet"])
    same = [each.astype(object).where(each.notna(), None) for each in (parquet, table)]
    pd.testing.assert_frame_equal(*same, rtol=1e-14)
    frame = lesion_table.as_frame(measured.tables[0].rows)
    assert list(frame["lesion_id"]) == list(table["lesion_id"])
    measured.files["csv"].write_text("old", "utf-8")
    measure_study(disk.study)  # what is there of an earlier run is not left behind
    assert measured.files["csv"].read_text("utf-8").startswith("patient_id,lesion_id")


def test_formats_that_cannot_be_written_are_refused_before_anything_is_measured(disk, monkeypatch):
    before = snapshot(disk.out)
    monkeypatch.setattr(lesion_table.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ParameterError, match="parquet needs pyarrow, which is not installed"):
        measure_study(disk.study, formats=["parquet"])
    with pytest.raises(ParameterError, match="there is no format 'ods'"):
        measure_study(disk.study, formats=["ods"])
    assert snapshot(disk.out) == before


def test_one_patient_that_cannot_be_used_does_not_stop_the_others(disk):
    as_other_patient(disk, "02")
    (disk.out / "sub-02" / "sub-02_lesions.tsv").write_text("lesion_id\tlabel\n02-L001\tmany\n", "utf-8")
    measured = measure_study(disk.study)
    assert [table.patient_id for table in measured.tables] == ["01"]
    assert "label is many" in measured.refused["02"]
    assert set(table_of(disk)["patient_id"]) == {"01"}
    with pytest.raises(InputError, match="label is many"):
        measure_study(disk.study, ["02"])


def test_nothing_drawn(disk):
    shutil.rmtree(disk.out)
    with pytest.raises(InputError, match="no lesion is drawn in"):
        measure_study(disk.study)
    assert not disk.out.exists()
    with pytest.raises(InputError, match="there is no patient '09'"):
        measure_study(disk.study, ["09"])


def test_cancelled(disk):
    before, cancel = snapshot(disk.out), threading.Event()

    def on_progress(message, fraction):
        assert message.startswith("sub-01: ")
        assert 0 <= fraction <= 1
        if "measure" in message:
            cancel.set()

    with pytest.raises(CancelledError):
        measure_study(disk.study, on_progress=on_progress, cancel=cancel)
    assert snapshot(disk.out) == before


def test_derivatives_elsewhere(disk, tmp_path):
    out = tmp_path / "elsewhere"
    shutil.move(disk.out, out)
    measured = measure_study(open_study(disk.root), out_dir=out)
    assert measured.files["tsv"] == out / "lesion_table.tsv"
    assert not disk.out.exists()
    assert sum(row.chi_ppb is not None for row in measured.tables[0].rows) == 9


def test_what_an_earlier_run_left_is_removed(disk):
    measured = measure_study(disk.study)
    (disk.anat(S2) / f"{S2}_Chimap.nii.gz").unlink()
    measure_study(disk.study)
    gone = {name: path.exists() for name, path in measured.files.items() if name.startswith(S2)}
    assert len(gone) == 5
    assert not any(gone.values())


def test_words_for_the_terminal(disk):
    tables = measure_study(disk.study).tables
    assert as_table(tables).splitlines()[1].split() == ["01", "3", "1", "3", "9", "9", "4"]
    assert "not_reviewed" in flags_table(tables)
    assert flags_table(()) == ""
    head, first, *_ = curves_table(tables).splitlines()
    assert head.split() == ["lesion", "session", "1", "session", "2", "session", "3"]
    assert first.startswith("01-L001  +")
    assert "(2.5)" in first
