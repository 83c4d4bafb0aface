from __future__ import annotations

import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.model.study import EchoFile, Patient, Session, Study
from napari_msqsm.workflow.coregistration.pairs import baseline_of, magnitude_files, pairs_of


@pytest.fixture
def study_of(tmp_path):
    return lambda *sessions: Study(tmp_path, (Patient("01", sessions),))


def session(tmp_path, name, *, parts=("mag", "phase"), contrasts=(), **more):
    gre = tuple(EchoFile(tmp_path / f"{name}_{part}_{echo}", part, echo) for part in parts for echo in (1, 2))
    images = {contrast: tmp_path / f"{name}_{contrast}" for contrast in contrasts}
    return Session("01", name, None, gre, images, **more)


def test_everything_goes_to_the_first_gradient_echo(study_of, tmp_path):
    study = study_of(
        session(tmp_path, "01", contrasts=("FLAIR", "ce-gadolinium_T1w")),
        session(tmp_path, "02", contrasts=("T2w",)),
    )
    pairs = pairs_of(study, "sub-01")
    assert [pair.name for pair in pairs] == [
        "sub-01_ses-01 FLAIR",
        "sub-01_ses-01 ce-gadolinium_T1w",
        "sub-01_ses-02 MEGRE",
        "sub-01_ses-02 T2w",
    ]
    assert {pair.fixed_session for pair in pairs} == {"sub-01_ses-01"}
    assert [pair.same_contrast for pair in pairs] == [False, False, True, False]
    home = study.derivatives_root / "sub-01" / "ses-01" / "anat"
    assert pairs[1].xfm == home / "sub-01_ses-01_from-ceT1w_to-baseline_mode-image_xfm.txt"
    assert pairs[1].record == pairs[1].xfm.with_suffix(".json")
    elsewhere = pairs_of(study, "01", out_dir=tmp_path / "out")[0].xfm
    assert elsewhere == tmp_path / "out" / pairs[0].xfm.relative_to(study.derivatives_root)


def test_the_baseline_is_the_first_session_whose_magnitude_can_be_read(tmp_path):
    without = session(tmp_path, "01", parts=())
    broken = session(tmp_path, "02", unusable=("some echoes lack one of their two parts",))
    complex_parts = session(tmp_path, "03", parts=("real", "imag"))
    later = session(tmp_path, "04")
    assert baseline_of(Patient("01", (without, broken, complex_parts, later))) is complex_parts
    assert len(magnitude_files(complex_parts)) == 4
    assert magnitude_files(session(tmp_path, "05", parts=("phase",))) == ()
    assert baseline_of(Patient("01", (without, broken))) is None


def test_a_repeated_scan_is_the_baseline_only_where_nothing_else_is_left(study_of, tmp_path):
    again = session(tmp_path, "01rescan", covariates={"rescan_of": "ses-01"})
    later = session(tmp_path, "02")
    assert baseline_of(Patient("01", (again, later))) is later
    assert baseline_of(Patient("01", (again,))) is again
    first = session(tmp_path, "01")
    names = [pair.name for pair in pairs_of(study_of(first, again, later), "01")]
    assert names == ["sub-01_ses-01rescan MEGRE", "sub-01_ses-02 MEGRE"]


def test_contrasts_of_a_session_without_gradient_echo_are_aligned_too(study_of, tmp_path):
    study = study_of(session(tmp_path, "01"), session(tmp_path, "02", parts=(), contrasts=("FLAIR",)))
    assert [pair.name for pair in pairs_of(study, "01")] == ["sub-01_ses-02 FLAIR"]


def test_a_patient_without_gradient_echo_has_no_pairs(study_of, tmp_path):
    study = study_of(session(tmp_path, "01", parts=(), contrasts=("FLAIR",)))
    assert pairs_of(study, "01") == ()
    with pytest.raises(InputError, match="patients: 01"):
        pairs_of(study, "02")
