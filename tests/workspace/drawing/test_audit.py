"""The audit log: a row for every step, added and never rewritten."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd

from napari_msqsm.workspace.drawing.audit import COLUMNS, Audit
from napari_msqsm.workspace.drawing.edit import Edit, VoxelChange
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from napari_msqsm.workspace.drawing.segment import Step


def edit(*labels):
    labels = np.array(labels, np.uint16)
    index = np.arange(labels.size)
    changes = (VoxelChange(plane, index, labels * 0, labels) for plane in (ONSET, Plane.flair("sub-01_ses-01")))
    return Edit("brush\tor\npencil", tuple(changes), by="AB", at="2024-01-02T03:04:05.678+00:00")


def rows_of(path):
    return pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE, dtype=str, keep_default_na=False).to_dict("records")


def test_who_when_and_what(tmp_path):
    audit = Audit(tmp_path / "sub-01" / "audit.tsv")
    done = edit(2, 7, 2)
    audit.step(Step("do", done, done.by, done.at), done, "abc-1")
    audit.flush()
    audit.step(Step("undo", None, "CD", "2024-01-02T03:04:06.000+00:00"), done.inverse, "abc-2")
    audit.note("2024-01-02T03:04:07+00:00", "CD", "save", "2 steps")
    audit.flush()
    audit.flush()
    first, second, third = rows_of(audit.path)
    assert first == dict(
        zip(
            COLUMNS,
            (done.at, "AB", "edit", "brush or pencil", "2,7", "onset,flair sub-01_ses-01", "6", "abc-1"),
            strict=True,
        )
    )
    assert (second["by"], second["action"], second["n_voxels"]) == ("CD", "undo", "6")
    assert (third["action"], third["lesions"], third["step"]) == ("save", "n/a", "n/a")


def test_many_lesions_stay_one_cell(tmp_path):
    audit, many = Audit(tmp_path / "audit.tsv"), edit(*range(1, 40))
    audit.step(Step("do", many, "AB", many.at), many, "abc-1")
    audit.flush()
    assert rows_of(audit.path)[0]["lesions"].endswith("19,20 and 19 more")


def test_a_row_that_was_cut_off_stays_and_counts_for_nothing(tmp_path):
    audit = Audit(tmp_path / "audit.tsv")
    for number in range(1, 13):
        audit.note("t", "AB", "edit", "brush", step=f"abc-{number}")
    audit.flush()
    before = audit.path.read_bytes()
    audit.path.write_bytes(before[:-2])
    assert audit.steps_of("abc") == 11
    assert audit.steps_of("xyz") == 0
    audit.note("t", "AB", "edit", "brush", step="abc-12")
    audit.flush()
    assert audit.path.read_bytes().startswith(before[:-2] + b"\n")
    assert audit.steps_of("abc") == 12


def test_rows_that_cannot_be_written_go_later(tmp_path):
    (tmp_path / "full").write_text("", "utf-8")
    audit = Audit(tmp_path / "full" / "audit.tsv")
    audit.note("t", "AB", "edit", "brush", step="abc-1")
    for _ in range(2):
        try:
            audit.flush()
        except OSError:
            continue
        raise AssertionError("a folder that is a file cannot be written to")
    (tmp_path / "full").unlink()
    audit.flush()
    assert audit.steps_of("abc") == 1
