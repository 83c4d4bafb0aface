"""What is on disk: valid BIDS, two scanners, phase that gives back the true field."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.io.gre import load_session_gre
from napari_msqsm.io.nifti import load_mask, load_volume
from napari_msqsm.phantom.design import StudyDesign
from napari_msqsm.phantom.person import drawn_person, stream_of
from napari_msqsm.phantom.study import _as_recorded, write_study
from napari_msqsm.settings import validated


def _truth(study, session, datatype, suffix):
    patient, visit = f"sub-{session.patient_id}", f"ses-{session.session_id}"
    return study.root / "derivatives/truth" / patient / visit / datatype / f"{session.label}_{suffix}.nii.gz"


def test_the_study_is_valid_bids(small_study):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    report = subprocess.run([validator, "--json", small_study.root], capture_output=True, text=True, check=False)
    issues = json.loads(report.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


def test_sessions_have_everything_and_alternate_between_scanners(small_study, design):
    assert [session.missing for session in small_study.sessions] == [(), ()]
    assert len(small_study.sessions) == design.n_sessions
    first, second = (load_session_gre(session) for session in small_study.sessions)
    assert first.echo_times_s == pytest.approx((0.0067, 0.0108, 0.0149))
    assert second.echo_times_s == pytest.approx((0.0045, 0.0093, 0.0141))
    makers = [session.gre[0].sidecar["Manufacturer"] for session in small_study.sessions]
    assert makers == ["Siemens", "GE"]
    dates = [session.date for session in small_study.sessions]
    assert 300 < (dates[1] - dates[0]).days < 500
    for session in small_study.sessions:
        assert set(session.contrasts) == {"FLAIR", "T1w", "ce-gadolinium_T1w", "T2w"}
        assert {"age", "edss", "disease_duration", "treatment_duration"} <= set(session.covariates)


def test_loaded_phase_gives_back_the_true_field(small_study):
    """Whatever the vendor's sign and range: phase grows by 2π · field · ΔTE from echo to echo."""
    for session in small_study.sessions:
        series = load_session_gre(session)
        assert series.phase_rad is not None
        signal = series.magnitude * np.exp(1j * series.phase_rad)
        spacing = series.echo_times_s[1] - series.echo_times_s[0]
        true = load_volume(_truth(small_study, session, "fmap", "desc-total_fieldmap")).array
        mask = load_mask(_truth(small_study, session, "anat", "desc-brain_mask"))
        advance = np.angle(signal[1] * signal[0].conj() * np.exp(-2j * np.pi * true * spacing))[mask]
        error_hz = np.abs(advance) / (2 * np.pi * spacing)
        assert np.median(error_hz) < 0.6
        opposite = np.angle(signal[1] * signal[0].conj() * np.exp(2j * np.pi * true * spacing))[mask]
        assert np.median(np.abs(opposite)) / (2 * np.pi * spacing) > 10 * np.median(error_hz)


def test_truth_is_consistent_and_finite(small_study):
    for path in small_study.root.rglob("*.nii.gz"):
        assert np.all(np.isfinite(np.asanyarray(nib.load(path).dataobj))), path
    for session in small_study.sessions:
        chi = load_volume(_truth(small_study, session, "anat", "Chimap"))
        mask = load_mask(_truth(small_study, session, "anat", "desc-brain_mask"), on=chi.grid)
        fluid = load_mask(_truth(small_study, session, "anat", "desc-csf_mask"), on=chi.grid)
        assert 0.1 < mask.mean() < 0.6
        assert not np.any(fluid & ~mask)
        assert fluid.any()
        assert np.abs(chi.array[fluid]).max() < 0.02  # up to a twentieth of vein
        assert chi.array[mask].max() < 0.5
        assert chi.grid.same_as(load_session_gre(session).grid)
        assert chi.grid.b0_direction[2] == pytest.approx(np.cos(np.radians(12.0)), abs=1e-4)


def test_the_table_of_lesions_has_one_row_per_session(small_study, design):
    table = pd.read_csv(small_study.root / "derivatives/truth/sub-01/sub-01_lesions.tsv", sep="\t", na_values="n/a")
    assert len(table) == design.n_sessions * design.n_lesions
    assert set(table["rim"]) == {"rim+", "rim-"}
    assert (table.groupby("lesion_id")["rim"].nunique() == 1).all()
    assert table.loc[table["enhances"] == 1, "lesion_age_y"].abs().max() < 0.2


def test_same_seed_writes_the_same_study(small_study, design, tmp_path):
    one = design.model_copy(update={"n_sessions": 1})
    first = write_study(tmp_path / "first", one)
    again = write_study(tmp_path / "again", one)
    names = sorted(path.relative_to(first) for path in first.rglob("*.nii.gz"))
    assert names == sorted(path.relative_to(again) for path in again.rglob("*.nii.gz"))
    for name in names:
        np.testing.assert_array_equal(
            np.asanyarray(nib.load(first / name).dataobj), np.asanyarray(nib.load(again / name).dataobj)
        )


def test_a_folder_in_use_is_refused_and_left_alone(design, tmp_path):
    (tmp_path / "note.txt").write_text("mine", "utf-8")
    with pytest.raises(InputError, match="not empty"):
        write_study(tmp_path, design)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_nothing_is_left_behind_when_cancelled(design, tmp_path):
    cancel = threading.Event()

    def stop_at_once(_title, _fraction):
        cancel.set()

    with pytest.raises(CancelledError):
        write_study(tmp_path / "study", design, on_progress=stop_at_once, cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_settings_that_came_later_change_nothing_until_they_are_used(design):
    said = json.loads(json.dumps(_as_recorded(design)))
    assert not set(said) & {"rescan", "centre_mm", "lesion_radius_mm", "rim_ppb", "structural_noise"}
    other = design.model_copy(update={"rim_ppb": (10.0, 25.0), "centre_mm": (0.0, -4.0, 26.0)})
    assert {"rim_ppb", "centre_mm"} <= set(_as_recorded(other))
    first, second = (drawn_person(stream_of(each, 0), each)[0] for each in (design, other))
    assert [lesion.centre for lesion in first.lesions] == [lesion.centre for lesion in second.lesions]
    assert all(10.0 <= lesion.rim_ppb < 25.0 for lesion in second.lesions if lesion.rim)


def test_radii_lie_in_the_range_that_was_asked_for(design):
    asked = validated(StudyDesign, design.model_dump() | {"lesion_radius_mm": (2.0, 2.4), "n_lesions": 8})
    person = drawn_person(stream_of(asked, 0), asked)[0]
    sizes = [np.array(lesion.radii_mm) for lesion in person.lesions]
    assert len(sizes) == 8
    assert all(size.min() >= 2.0 * 0.87 and size.max() <= 2.4 * 1.15 for size in sizes)
    with pytest.raises(ParameterError, match="the smaller one first"):
        validated(StudyDesign, {"rim_ppb": (25.0, 10.0)})
