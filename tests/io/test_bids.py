"""Studies on disk: what is found, what is said to be missing, and where results go."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from napari_msqsm.errors import InputError, MetadataError
from napari_msqsm.io.bids import derivative_path, is_bids, open_study
from napari_msqsm.io.gre import load_session_gre

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
COMMON = {"MagneticFieldStrength": 3, "Manufacturer": "Siemens"}
CONTRAST_FILES = ("FLAIR", "T1w", "ce-gadolinium_T1w", "T2w")


@pytest.fixture
def put(tmp_path):
    """Write a file below the dataset: bytes or text as they are, anything else as JSON."""

    def write(path, content=b"x"):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


@pytest.fixture
def put_session(put):
    """Write the images of one session (their content is never read here) and their sidecars."""

    def write(
        patient="01",
        session="",
        echoes=(1, 2, 3),
        parts=("mag", "phase"),
        contrasts=CONTRAST_FILES,
        extra="",
        ending="nii.gz",
    ):
        folder = f"sub-{patient}/" + (f"ses-{session}/" if session else "")
        stem = f"sub-{patient}_" + (f"ses-{session}_" if session else "")
        for echo in echoes:
            for part in parts:
                name = f"{folder}anat/{stem}{extra}echo-{echo}_part-{part}_MEGRE"
                put(f"{name}.{ending}")
                put(f"{name}.json", {**COMMON, "EchoTime": 0.004 * echo})
        for contrast in contrasts:
            put(f"{folder}anat/{stem}{contrast}.{ending}")

    return write


@pytest.fixture
def root(tmp_path, put):
    put("dataset_description.json", {"Name": "Test", "BIDSVersion": "1.10.0"})
    return tmp_path


def only_session(root):
    (session,) = open_study(root).sessions
    return session


def test_complete_session(root, put_session, put):
    put_session("01", "a")
    put("sub-01/sub-01_sessions.tsv", "session_id\tacq_time\tedss\nses-a\t2020-01-02T03:04:05\t2.5\n")
    put("participants.tsv", "participant_id\tsex\tage\nsub-01\tF\t40\nsub-02\tM\tn/a\n")
    study = open_study(root)
    (patient,) = study.patients
    (session,) = patient.sessions
    assert (patient.patient_id, session.session_id, session.label) == ("01", "a", "sub-01_ses-a")
    assert patient.covariates == {"sex": "F", "age": 40}
    assert session.covariates == {"edss": 2.5}
    assert session.date == datetime.fromisoformat("2020-01-02T03:04:05")
    assert [(file.part, file.echo) for file in session.gre] == [(p, n) for p in ("mag", "phase") for n in (1, 2, 3)]
    assert {key: path.name for key, path in session.contrasts.items()} == {
        key: f"sub-01_ses-a_{key}.nii.gz" for key in CONTRAST_FILES
    }
    assert session.missing == session.unusable == ()
    assert session.can_reconstruct
    assert session.derivatives == {}


def test_study_without_sessions(root, put_session):
    put_session("P7")
    session = only_session(root)
    assert (session.patient_id, session.session_id, session.label) == ("P7", "", "sub-P7")
    assert session.can_reconstruct
    assert any("acquisition date" in text for text in session.missing)


def test_sessions_are_in_order_of_date(root, put_session, put):
    for name in ("base", "m06", "m12"):
        put_session("01", name)
    put(
        "sub-01/sub-01_sessions.tsv",
        "session_id\tacq_time\nses-m12\t2021-01-01\nses-base\t2022-05-01T10:00:00Z\nses-m06\t2020-01-01T00:00:00\n",
    )
    assert [session.session_id for session in open_study(root).sessions] == ["m06", "m12", "base"]


def test_sessions_are_in_order_of_name_where_a_date_is_missing(root, put_session, put):
    for name in ("10", "2", "1"):
        put_session("01", name)
    put("sub-01/sub-01_sessions.tsv", "session_id\tacq_time\nses-1\t2021-01-01\nses-2\tn/a\nses-10\t2020-01-01\n")
    sessions = open_study(root).sessions
    assert [session.session_id for session in sessions] == ["1", "2", "10"]
    assert sessions[1].date is None
    assert any("acquisition date" in text for text in sessions[1].missing)


def test_patients_are_in_natural_order(root, put_session):
    for patient in ("10", "2", "1", "A1"):
        put_session(patient)
    assert [patient.patient_id for patient in open_study(root).patients] == ["1", "2", "10", "A1"]


def test_date_from_scans_table(root, put_session, put):
    put_session("01", "1")
    put(
        "sub-01/ses-1/sub-01_ses-1_scans.tsv",
        "filename\tacq_time\nanat/b.nii.gz\t2020-03-01T12:00:00\nanat/a.nii.gz\t2020-03-01T11:00:00\nanat/c.nii.gz\tn/a\n",
    )
    assert only_session(root).date == datetime.fromisoformat("2020-03-01T11:00:00")


@pytest.mark.parametrize("text", ["yesterday", "n/a", "", "13/13/2020"])
def test_date_that_is_none(root, put_session, put, text):
    put_session("01", "1")
    put("sub-01/sub-01_sessions.tsv", f"session_id\tacq_time\nses-1\t{text}\n")
    assert only_session(root).date is None


@pytest.mark.parametrize("prefix", [True, False])
def test_identifiers_of_tables_with_and_without_prefix(root, put_session, put, prefix):
    put_session("01", "01")
    sub, ses = ("sub-01", "ses-01") if prefix else ("01", "01")
    put("participants.tsv", f"participant_id\tsex\n{sub}\tF\n")
    put("sub-01/sub-01_sessions.tsv", f"session_id\tacq_time\n{ses}\t2020-01-02\n")
    study = open_study(root)
    assert study.patients[0].covariates == {"sex": "F"}
    assert study.sessions[0].date == datetime.fromisoformat("2020-01-02")


def test_metadata_are_inherited(root, put):
    put("MEGRE.json", COMMON)
    put("sub-01/anat/sub-01_echo-1_MEGRE.json", {"EchoTime": 0.004})
    for part in ("mag", "phase"):
        put(f"sub-01/anat/sub-01_echo-1_part-{part}_MEGRE.nii.gz")
    session = only_session(root)
    assert all(file.sidecar == {**COMMON, "EchoTime": 0.004} for file in session.gre)
    assert session.can_reconstruct


def test_magnitude_without_the_word_part(root, put, put_session):
    put_session(parts=("phase",))
    for echo in (1, 2, 3):
        put(f"sub-01/anat/sub-01_echo-{echo}_MEGRE.nii.gz")
    assert only_session(root).can_reconstruct


def test_stack_of_echoes(root, put):
    for part in ("mag", "phase"):
        put(f"sub-01/anat/sub-01_part-{part}_MEGRE.nii.gz")
        put(f"sub-01/anat/sub-01_part-{part}_MEGRE.json", {**COMMON, "EchoTime": [0.004, 0.009]})
    session = only_session(root)
    assert [file.echo for file in session.gre] == [None, None]
    assert session.can_reconstruct


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("mag",), "no phase"),
        (("phase",), "no magnitude"),
        (("real",), "no imaginary part"),
        (("imag",), "no real part"),
    ],
)
def test_missing_part(root, put_session, refused, parts, words):
    put_session(parts=parts)
    session = only_session(root)
    assert not session.can_reconstruct
    assert any(text.startswith(words) for text in session.missing)
    with refused("sub-01", words):
        load_session_gre(session)


def test_missing_series(root, put_session, refused):
    put_session(echoes=())
    session = only_session(root)
    assert session.gre == ()
    assert "no gradient-echo series (MEGRE)" in session.missing
    with refused("sub-01", "no gradient-echo series"):
        load_session_gre(session)


def test_missing_echo_of_one_part(root, put_session, tmp_path, refused):
    put_session()
    (tmp_path / "sub-01" / "anat" / "sub-01_echo-2_part-phase_MEGRE.nii.gz").unlink()
    session = only_session(root)
    assert not session.can_reconstruct
    with refused("sub-01", "some echoes lack"):
        load_session_gre(session)


def test_missing_metadata(root, put):
    for part in ("mag", "phase"):
        put(f"sub-01/anat/sub-01_echo-1_part-{part}_MEGRE.nii.gz")
    missing = only_session(root).missing
    assert any("EchoTime" in text for text in missing)
    assert any("MagneticFieldStrength" in text for text in missing)


def test_missing_contrasts_are_named(root, put_session):
    put_session(contrasts=("T1w",))
    assert {"no FLAIR", "no ce-gadolinium_T1w", "no T2w"} <= set(only_session(root).missing)
    assert "no T1w" not in only_session(root).missing


@pytest.mark.parametrize("agent", ["gadolinium", "gd", "gadovist", "Dotarem"])
def test_scan_after_contrast_agent_is_never_taken_for_a_native_one(root, put_session, agent):
    put_session(contrasts=(f"ce-{agent}_T1w",))
    assert set(only_session(root).contrasts) == {"ce-gadolinium_T1w"}


def test_phase_image_is_never_taken_for_a_contrast(root, put_session):
    put_session(contrasts=("part-phase_T1w",))
    assert only_session(root).contrasts == {}


def test_last_of_several_runs_of_one_contrast(root, put_session):
    put_session(contrasts=("run-2_FLAIR", "run-10_FLAIR", "run-1_FLAIR", "T1w", "run-2_T1w"))
    contrasts = only_session(root).contrasts
    assert contrasts["FLAIR"].name == "sub-01_run-10_FLAIR.nii.gz"
    assert contrasts["T1w"].name == "sub-01_run-2_T1w.nii.gz"


def test_first_of_several_acquisitions_of_one_contrast(root, put_session):
    put_session(contrasts=("acq-a_run-1_FLAIR", "acq-b_run-2_FLAIR"))
    assert only_session(root).contrasts["FLAIR"].name == "sub-01_acq-a_run-1_FLAIR.nii.gz"


def test_last_complete_run_of_the_gradient_echo(root, put_session):
    put_session(extra="run-1_")
    put_session(extra="run-2_")
    put_session(extra="run-3_", parts=("mag",))
    assert {file.path.name.split("_")[1] for file in only_session(root).gre} == {"run-2"}


@pytest.mark.parametrize(("sidecar", "value"), [(True, True), (False, False), (None, None), ("perhaps", None)])
def test_after_gadolinium_by_the_sidecars(root, put, sidecar, value):
    for part in ("mag", "phase"):
        name = f"sub-01/anat/sub-01_echo-1_part-{part}_MEGRE"
        put(f"{name}.nii.gz")
        put(f"{name}.json", {**COMMON, "EchoTime": 0.004, **({} if sidecar is None else {"PostGadolinium": sidecar})})
    assert only_session(root).post_gd is value


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("True", True), ("1", True), ("false", False), ("n/a", None), ("maybe", None)]
)
def test_after_gadolinium_by_the_scans_table_which_has_the_last_word(root, put, put_session, word, value):
    put_session("01", "1", echoes=(1,))
    for part in ("mag", "phase"):
        put(f"sub-01/ses-1/anat/sub-01_ses-1_echo-1_part-{part}_MEGRE.json", {**COMMON, "PostGadolinium": not value})
    rows = [f"anat/sub-01_ses-1_echo-1_part-{part}_MEGRE.nii.gz\t{word}\n" for part in ("mag", "phase")]
    put("sub-01/ses-1/sub-01_ses-1_scans.tsv", "filename\tpost_gd\n" + "".join(rows))
    assert only_session(root).post_gd is value


def test_run_before_gadolinium_is_used_rather_than_a_later_one(root, put, put_session):
    rows = []
    for run, word in ((1, "false"), (2, "false"), (3, "true")):
        put_session("01", "1", echoes=(1,), extra=f"run-{run}_", contrasts=("FLAIR",))
        for name in ("echo-1_part-mag_MEGRE", "echo-1_part-phase_MEGRE", "FLAIR"):
            rows.append(f"anat/sub-01_ses-1_run-{run}_{name}.nii.gz\t{word}\n")
    put("sub-01/ses-1/sub-01_ses-1_scans.tsv", "filename\tpost_gd\n" + "".join(rows))
    session = only_session(root)
    assert {file.path.name.split("_")[2] for file in session.gre} == {"run-2"}
    assert "run-3" in next(note for note in session.missing if "acquisitions" in note)
    assert session.post_gd is False


def test_after_gadolinium_is_not_known_without_a_word(root, put_session, put):
    put_session("01", "1")
    put("sub-01/ses-1/sub-01_ses-1_scans.tsv", "filename\tacq_time\nanat/x.nii.gz\t2020-03-01T12:00:00\n")
    assert only_session(root).post_gd is None


def test_runs_are_not_mixed_and_the_others_are_named(root, put_session):
    put_session(extra="run-1_", parts=("mag",))
    put_session(extra="run-2_")
    put_session(extra="acq-fast_run-1_", echoes=(1, 2))
    session = only_session(root)
    assert len({file.path.name.split("echo")[0] for file in session.gre}) == 1
    assert session.can_reconstruct
    (note,) = [text for text in session.missing if "acquisitions" in text]
    others = {"sub-01_run-1_", "sub-01_run-2_", "sub-01_acq-fast_run-1_"}
    assert all(name in note for name in others)


def test_files_of_other_programs_are_passed_over(root, put_session, put):
    put_session()
    put("sub-01/anat/._sub-01_echo-1_part-mag_MEGRE.nii.gz")
    put("sub-01/anat/.DS_Store")
    put("sub-01/anat/notes.txt")
    put("sub-01/anat/sub-01_echo-1_part-weird_MEGRE.nii.gz")
    put("sub-02.txt")
    session = only_session(root)
    assert len(session.gre) == 6
    assert not any("acquisitions" in text for text in session.missing)


def test_damaged_sidecar_spoils_one_session_only(root, put_session, put, refused):
    put_session("01")
    put_session("02")
    put("sub-01/anat/sub-01_echo-2_part-mag_MEGRE.json", "{")
    first, second = open_study(root).sessions
    assert second.can_reconstruct
    with refused("sub-01_echo-2_part-mag_MEGRE.json"):
        load_session_gre(first)


def test_link_whose_content_was_not_fetched(root, put_session, tmp_path):
    put_session()
    path = tmp_path / "sub-01" / "anat" / "sub-01_echo-2_part-phase_MEGRE.nii.gz"
    path.unlink()
    try:
        path.symlink_to(tmp_path / "annex" / "object")
    except OSError:
        pytest.skip("links cannot be made here")
    session = only_session(root)
    assert not session.can_reconstruct
    assert any("fetch" in text for text in session.unusable)


def test_empty_files(shared_data, refused):
    session = only_session(shared_data / "real" / "qmri_megre")
    assert len(session.gre) == 8
    assert any("empty files" in text for text in session.missing)
    assert any(text.startswith("no phase") for text in session.missing)
    with refused("sub-01", "empty files"):
        load_session_gre(session)


def test_dataset_without_multi_echo_series(shared_data):
    session = only_session(shared_data / "real" / "qmri_qsm")
    assert "no gradient-echo series (MEGRE)" in session.missing
    assert not session.can_reconstruct


def test_results_are_found_where_they_are_written(root, put_session):
    put_session("01", "a")
    put_session("02")
    study = open_study(root)
    kinds = {
        "Chimap": ("Chimap", "anat"),
        "mask": ("desc-brain_mask", "anat"),
        "brain_mask": ("desc-wholebrain_mask", "anat"),
        "localfield": ("desc-local_fieldmap", "fmap"),
    }
    for session in study.sessions:
        for suffix, datatype in kinds.values():
            path = derivative_path(study, session, suffix, datatype=datatype)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert derivative_path(study, study.session("sub-01_ses-a"), "Chimap") == (
        root / "derivatives" / "msqsm" / "sub-01" / "ses-a" / "anat" / "sub-01_ses-a_Chimap.nii.gz"
    )
    for session in open_study(root).sessions:
        assert session.derivatives == {
            key: derivative_path(study, session, suffix, datatype=datatype) for key, (suffix, datatype) in kinds.items()
        }


def test_what_is_no_study(tmp_path, put, refused):
    with refused("not a folder"):
        open_study(tmp_path / "none")
    with refused(tmp_path, "not a BIDS dataset"):
        open_study(tmp_path)
    assert not is_bids(tmp_path)
    path = put("dataset_description.json", {})
    with refused("not a folder"):
        open_study(path)
    assert is_bids(tmp_path)
    with refused(tmp_path, "no patient"):
        open_study(tmp_path)
    put("dataset_description.json", {"DatasetType": "derivative"})
    with refused(tmp_path, "derivatives"):
        open_study(tmp_path)
    put("dataset_description.json", "{")
    with refused("dataset_description.json", error=MetadataError):
        open_study(tmp_path)


def test_study_without_description_is_opened(tmp_path, put_session):
    put_session()
    assert is_bids(tmp_path)
    assert len(open_study(tmp_path).sessions) == 1


def test_damaged_table_is_named(root, put_session, put, refused):
    put_session("01", "1")
    path = put("sub-01/sub-01_sessions.tsv", b"\xff\xfe\x00\x01\n")
    with refused(path, error=InputError):
        open_study(root)


def test_sample_study_is_complete():
    study = open_study(SAMPLE)
    assert len(study.sessions) >= 3
    for session in study.sessions:
        assert session.missing == ()
        assert session.can_reconstruct
        assert set(session.contrasts) == set(CONTRAST_FILES)
    dates = [session.date for session in study.sessions]
    assert dates == sorted(dates)
    series = load_session_gre(study.sessions[0])
    assert series.phase_rad is not None
    assert series.n_echoes == len(study.sessions[0].gre) // 2


def test_two_hundred_sessions_open_without_reading_an_image(root, put_session):
    """The images hold one byte: reading any of them would be an error."""
    for patient in range(50):
        for session in range(4):
            put_session(f"{patient:03}", str(session), contrasts=("FLAIR",))
    study = open_study(root)
    assert len(study.patients) == 50
    assert len(study.sessions) == 200
    assert all(len(session.gre) == 6 for session in study.sessions)
