"""The whole report: quality, pictures, page."""

from __future__ import annotations

import json
import re

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.io.tables import read_table
from napari_msqsm.workflow.study_report.page import as_html, write_page
from napari_msqsm.workflow.study_report.report import folder_report, study_report
from napari_msqsm.workflow.study_report.text import as_text, folder_as_text


def test_unusual_numbers_are_marked_and_explained(made):
    made.visit("01", "01")
    made.visit("01", "02")
    made.map("sub-01_ses-01")
    made.map("sub-01_ses-02", Quality={"csf_sd_ppb": 45.0, "kept_fraction": None}, Converged=False, Warnings=["hot"])
    report = study_report(made.study, validator=False)
    good, bad = report.qualities
    assert not good.needs_a_look
    assert list(bad.suspicious) == ["csf_sd_ppb"]
    text = as_text(report)
    assert "45.0 ⚠" in text
    for words in ("the CSF mask holds more than fluid", "not every iteration converged", "hot"):
        assert f"⚠ sub-01_ses-02: {words}" in text or words in text
    assert "BIDS, by the check of napari-msqsm" in text


def test_a_picture_is_made_where_there_is_none_and_kept_where_there_is(made):
    made.visit("01", "01")
    made.map("sub-01_ses-01")
    (quality,) = study_report(made.study, validator=False).qualities
    assert quality.picture.name == "sub-01_ses-01_desc-qsm_qa.png"
    assert quality.picture.read_bytes()[:4] == b"\x89PNG"
    quality.picture.write_bytes(b"own")
    assert study_report(made.study, validator=False).qualities[0].picture.read_bytes() == b"own"


def test_a_map_that_cannot_be_drawn_is_told(made):
    made.visit("01", "01")
    path = made.map("sub-01_ses-01")
    path.write_bytes(b"damaged")
    report = study_report(made.study, validator=False)
    assert report.qualities[0].picture is None
    assert "no picture could be made" in report.notes[0]


def test_page_needs_nothing_beside_it_and_escapes_what_it_shows(made, tmp_path):
    made.visit("01", "01", ManufacturersModelName="<b>Skyra</b>")
    made.visit("01", "02")
    made.map("sub-01_ses-01", Warnings=["<script>alert(1)</script>"])
    report = study_report(made.study, validator=False)
    page = as_html(report)
    assert "<script>" not in page
    assert "&lt;b&gt;Skyra" in page
    assert re.findall(r"(?:src|href)='(?!data:)", page) == []
    assert page.count("data:image/jpeg;base64,") == 1
    path = write_page(tmp_path / "study_report.html", report)
    assert path.read_text("utf-8") == page
    table = read_table(path.with_suffix(".tsv"), text_columns=("session",))
    assert list(table["session"]) == ["sub-01_ses-01", "sub-01_ses-02"]
    assert list(table["GRE"]) == ["2 echoes A", "2 echoes B"]
    json.dumps(report.as_json(), allow_nan=False)


def test_maps_made_differently_are_told(made):
    made.visit("01", "01")
    made.visit("01", "02")
    made.map("sub-01_ses-01", Settings={"inversion.method": {"Value": "medi"}}, PipelineVersion="1")
    made.map("sub-01_ses-02", Settings={"inversion.method": {"Value": "tkd"}}, PipelineVersion="1")
    report = study_report(made.study, validator=False)
    assert any("made with other settings" in sentence for sentence in report.unlike)
    assert "not made alike" in as_text(report)


def test_a_reconstruction_outside_a_study(tmp_path):
    with pytest.raises(InputError, match="holds no reconstruction"):
        folder_report(tmp_path)
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.float32), np.eye(4)), tmp_path / "Chimap.nii.gz")
    (tmp_path / "provenance.json").write_text('{"Quality": {"streak_index": 4.0, "chi_noise_ppb": null}}')
    quality = folder_report(tmp_path)
    assert quality.picture == tmp_path / "qa.png"
    text = folder_as_text(quality)
    assert "streaks; regularise more" in text
    assert re.search(r"streak_index +4 +⚠", text)
