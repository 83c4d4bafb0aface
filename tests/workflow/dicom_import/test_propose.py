"""Who was scanned when, and what belongs together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_msqsm.errors import ParameterError
from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries, Staged
from napari_msqsm.workflow.dicom_import.existing import Existing, KeyRow
from napari_msqsm.workflow.dicom_import.layout import files_of
from napari_msqsm.workflow.dicom_import.propose import propose
from napari_msqsm.workflow.dicom_import.settle import settle

at = datetime.fromisoformat


def labels(plan):
    return [(row.patient_id, row.session_id) for row in plan.rows]


def known(patient="01", session="01", *, key="MS0815", study_uid="u", series_uid="s", at=None, birth="", stem=None):
    stem = stem or f"sub-{patient}_ses-{session}_FLAIR"
    return KeyRow(patient, session, stem, key, "", birth, "", study_uid, series_uid, 1, "", at, -40000)


def test_sessions_are_numbered_by_date_and_not_by_order_of_files(scanner):
    scanner.visit(at("2020-01-02T10:00:00"))
    late = scanner.session(("FLAIR",))
    scanner.visit(at("2018-01-02T10:00:00"))
    early = scanner.session(("T1w",))
    plan = propose(scanner.staged(*late, *early))
    assert [(row.session_id, row.role) for row in plan.rows] == [("01", "T1w"), ("02", "FLAIR")]


def test_patients_are_numbered_by_first_scan(scanner):
    second = scanner.session(("FLAIR",), person={"PatientID": "A1"})
    scanner.visit(at("2010-01-02T10:00:00"))
    first = scanner.session(("FLAIR",), person={"PatientID": "Z9"})
    plan = propose(scanner.staged(*second, *first))
    assert [row.series.patient_key for row in plan.rows] == ["Z9", "A1"]
    assert labels(plan) == [("01", "01"), ("02", "01")]


def test_two_examinations_of_one_day_are_one_session_and_told(scanner):
    morning = scanner.session(("MEGRE",))
    evening = scanner.session(("FLAIR",), study_uid="9.9.9")
    plan = propose(scanner.staged(*morning, *evening))
    assert set(labels(plan)) == {("01", "01")}
    assert any("joins 2 examinations" in problem for problem in plan.problems)


def test_examination_past_midnight_is_one_session(scanner):
    scanner.visit(at("2018-03-05T23:50:00"))
    series = scanner.session(("MEGRE", "FLAIR", "T1w", "T2w"), study_uid="1.2.3")
    plan = propose(scanner.staged(*series))
    assert set(labels(plan)) == {("01", "01")}
    assert not any("days" in problem for problem in plan.problems)


def test_examination_without_dates_is_a_session_of_its_own(scanner):
    dated = scanner.session(("FLAIR",))
    undated = scanner.series("T1w", acquired_at=None, study_uid="7.7", number=9)
    plan = propose(scanner.staged(undated, *dated))
    assert [(row.session_id, row.role) for row in plan.rows] == [("01", "FLAIR"), ("02", "T1w")]
    assert any("sub-01_ses-02 has no date" in problem for problem in plan.problems)


def test_one_identifier_of_two_persons(scanner):
    first = scanner.session(("FLAIR",))
    other = {"PatientID": "MS0815", "PatientBirthDate": "19500101", "PatientSex": "M"}
    second = scanner.session(("T1w",), person=other)
    plan = propose(scanner.staged(*first, *second))
    assert labels(plan) == [("01", "01"), ("02", "01")]
    assert any("sub-01 and sub-02 have one patient ID" in problem for problem in plan.problems)
    merged = plan.with_row(second[0].series_uid, settle, patient_id="01")
    assert any("2 birth dates" in problem for problem in merged.problems)


def test_two_identifiers_of_one_person(scanner):
    first = scanner.session(("FLAIR",))
    again = {"PatientID": "X7", "PatientName": "MUSTERFRAU^ERIKA", "PatientBirthDate": "19840312"}
    scanner.visit(at("2019-01-01T09:00"))
    second = scanner.session(("FLAIR",), person=again)
    plan = propose(scanner.staged(*first, *second))
    assert labels(plan) == [("01", "01"), ("02", "01")]
    assert plan.problems[-1].startswith("sub-01 and sub-02 have one name and birth date")
    later = propose(
        scanner.staged(*second),
        Existing((replace(known(birth="19840312"), patient_name="Musterfrau^Erika"),), {"01": frozenset(("01",))}),
    )
    assert any("sub-01 and sub-02 have one name" in problem for problem in later.problems)


def test_one_identifier_with_two_names_is_asked_about(scanner):
    """Numbers such as 0001 are given by every site; without birth dates nothing else tells people apart."""
    anna = {"PatientID": "0001", "PatientName": "Adams^Anna"}
    first = scanner.session(("FLAIR",), person=anna)
    scanner.visit(at("2019-01-01T09:00"))
    second = scanner.session(("FLAIR",), person={"PatientID": "0001", "PatientName": "Brown^Bob"})
    plan = propose(scanner.staged(*first, *second))
    assert labels(plan) == [("01", "01"), ("01", "02")]
    assert "sub-01 has 2 names in the headers: are these one person?" in plan.problems
    assert not any("Anna" in problem or "Bob" in problem for problem in plan.problems)
    apart = plan.with_row(second[0].series_uid, settle, patient_id="02", session_id="01")
    assert not any("names in the headers" in problem for problem in apart.problems)
    there = replace(known(key="0001"), patient_name="Brown^Bob")
    later = propose(scanner.staged(*first), Existing((there,), {"01": frozenset(("01",))}))
    assert any("sub-01 has 2 names" in problem for problem in later.problems)


def test_one_name_in_two_spellings_is_one_name(scanner):
    first = scanner.session(("FLAIR",), person={"PatientID": "7", "PatientName": "Adams^Anna"})
    scanner.visit(at("2019-01-01T09:00"))
    second = scanner.session(("FLAIR",), person={"PatientID": "7", "PatientName": "ANNA ADAMS"})
    assert not any("names" in problem for problem in propose(scanner.staged(*first, *second)).problems)


def test_examinations_of_nobody_are_told(scanner):
    """Headers that were anonymised elsewhere: whether they are one patient cannot be known."""
    nobody = {"PatientID": ""}
    first = scanner.session(("FLAIR",), person=nobody)
    alone = propose(scanner.staged(*first))
    assert not any("neither patient ID nor name" in problem for problem in alone.problems)
    scanner.visit(at("2019-01-01T09:00"))
    second = scanner.session(("FLAIR",), person=nobody)
    plan = propose(scanner.staged(*first, *second))
    told = "2 examinations have neither patient ID nor name and are all taken for sub-01"
    assert any(problem.startswith(told) for problem in plan.problems)
    later = propose(scanner.staged(*second), Existing((known(key=""),), {"01": frozenset(("01",))}))
    assert any(problem.startswith(told) for problem in later.problems)


def test_a_header_without_birth_date_belongs_to_the_one_that_has_it(scanner):
    first = scanner.session(("FLAIR",))
    second = scanner.session(("T1w",), person={"PatientID": "MS0815"})
    assert set(labels(propose(scanner.staged(*first, *second)))) == {("01", "01")}


def test_magnitude_and_phase_are_one_acquisition(scanner):
    plan = propose(scanner.staged(*scanner.gre()))
    assert len({row.acquisition for row in plan.rows}) == 1
    assert all(row.run == 1 and row.used for row in plan.rows)
    assert all(row.problems == () for row in plan.rows)


def test_magnitude_without_phase_is_told(scanner):
    (row,) = propose(scanner.staged(scanner.series("MEGRE"))).rows
    assert any("no field can be computed: it has mag" in problem for problem in row.problems)


@pytest.mark.parametrize(("first", "second"), [("ND", "DIS2D"), ("DIS2D", "ND")])
def test_phase_joins_the_magnitude_that_is_corrected_for_distortion_as_it_is(scanner, first, second):
    """Siemens keeps images with and without the correction: only those of one kind lie on each other."""
    now = scanner.now
    series = [
        scanner.series("MEGRE", minutes=0, acquired_at=now, parts=(part,), ImageType=["ORIGINAL", "PRIMARY", *words])
        for part, words in (("mag", ("M", first)), ("mag", ("M", second)), ("phase", ("P", "ND")))
    ]
    plan = propose(scanner.staged(*series))
    partner = 0 if first == "ND" else 1
    assert plan.rows[2].acquisition == plan.rows[partner].acquisition != plan.rows[1 - partner].acquisition
    assert not any("distortion" in problem for row in plan.rows for problem in row.problems)


def test_phase_beside_a_magnitude_of_another_correction_is_told(scanner):
    now = scanner.now
    magnitude = scanner.series("MEGRE", acquired_at=now, ImageType=["ORIGINAL", "PRIMARY", "M", "DIS2D"])
    phase = scanner.series("MEGRE", acquired_at=now, parts=("phase",), ImageType=["ORIGINAL", "PRIMARY", "P", "ND"])
    rows = propose(scanner.staged(magnitude, phase)).rows
    assert rows[0].acquisition == rows[1].acquisition
    assert all(
        any("corrected for distortion differently (DIS2D and none)" in text for text in row.problems) for row in rows
    )


def test_one_series_per_echo(scanner):
    now = scanner.now
    series = [
        scanner.series("MEGRE", parts=(part,), echo_times_s=(time,), acquired_at=now)
        for time in (0.005, 0.010, 0.015)
        for part in ("mag", "phase")
    ]
    plan = propose(scanner.staged(*series))
    assert [row.role for row in plan.rows] == ["MEGRE"] * 6
    assert {row.problems for row in plan.rows} == {()}
    assert len({row.acquisition for row in plan.rows}) == 1


def test_last_complete_run_is_used(scanner):
    series = [*scanner.gre(), *scanner.gre(), scanner.series("FLAIR"), scanner.series("FLAIR")]
    rows = propose(scanner.staged(*series)).rows
    assert [(row.run, row.used) for row in rows] == [
        (1, False),
        (1, False),
        (2, True),
        (2, True),
        (1, False),
        (2, True),
    ]
    assert any("series 3 and 4 is used: the last complete one" in problem for problem in rows[2].problems)


def test_aborted_run_is_left_out_where_a_complete_one_is_there(scanner):
    series = [*scanner.gre(), *scanner.gre(shape=(6, 7, 3)), scanner.series("FLAIR"), scanner.series("T1w")]
    rows = propose(scanner.staged(*series)).rows
    assert [row.role for row in rows] == ["MEGRE", "MEGRE", "ignore", "ignore", "FLAIR", "T1w"]
    assert "aborted: 3 of 5 slices" in rows[2].why
    assert [row.used for row in rows[:3]] == [True, True, False]


def test_aborted_run_with_fewer_echoes(scanner):
    rows = propose(scanner.staged(*scanner.gre(echo_times_s=(0.005, 0.013)), *scanner.gre())).rows
    assert [row.role for row in rows] == ["ignore", "ignore", "MEGRE", "MEGRE"]
    assert "2 of 3 echoes" in rows[0].why


def test_aborted_run_without_another_is_kept_and_named(scanner):
    whole = scanner.session(("MEGRE",))
    scanner.visit(at("2019-03-05T10:00:00"))
    short = scanner.gre(shape=(6, 7, 3))
    rows = propose(scanner.staged(*whole, *short)).rows
    assert [row.role for row in rows] == ["MEGRE"] * 4
    assert any("looks aborted: 3 of 5 slices" in problem for problem in rows[2].problems)
    assert rows[0].problems == ()


def test_two_reconstructions_of_one_acquisition_are_one_image(scanner):
    now = scanner.now
    plain = scanner.series("T1w", acquired_at=now, ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    corrected = scanner.series("T1w", acquired_at=now, ImageType=["ORIGINAL", "PRIMARY", "M", "NORM", "DIS3D"])
    rows = propose(scanner.staged(plain, corrected)).rows
    assert [row.role for row in rows] == ["ignore", "T1w"]
    assert "same acquisition as series 2" in rows[0].why


def test_problems_of_the_conversion_are_told(scanner):
    (row,) = propose(scanner.staged(scanner.series("FLAIR", problems=("2 slices are missing",)))).rows
    assert "2 slices are missing" in row.problems


def test_later_visit_of_a_known_patient(scanner):
    existing = Existing(
        (known(at=at("2017-01-02T09:00:00")), known("02", "01", key="other", at=at("2016-01-01T00:00:00"))),
        {"01": frozenset(("01",)), "02": frozenset(("01",))},
        frozenset(("sub-01_ses-01_FLAIR", "sub-02_ses-01_FLAIR")),
    )
    new = scanner.session(("FLAIR",))
    stranger = scanner.session(("FLAIR",), person={"PatientID": "New"})
    plan = propose(scanner.staged(*new, *stranger), existing)
    assert labels(plan) == [("01", "02"), ("03", "01")]


def test_earlier_visit_that_comes_later_gets_the_next_name(scanner):
    existing = Existing(
        (known(at=at("2019-01-02T00:00:00")),), {"01": frozenset(("01",))}, frozenset(("sub-01_ses-01_FLAIR",))
    )
    assert labels(propose(scanner.staged(*scanner.session(("FLAIR",))), existing)) == [("01", "02")]


def test_series_of_a_day_that_is_there_joins_its_session(scanner):
    before = scanner.now - timedelta(minutes=20)
    existing = Existing((known(at=before),), {"01": frozenset(("01",))}, frozenset(("sub-01_ses-01_FLAIR",)))
    plan = propose(scanner.staged(*scanner.session(("T1w", "FLAIR"))), existing)
    assert labels(plan) == [("01", "01")] * 2
    assert [row.run for row in plan.rows] == [1, 2], "a FLAIR is there already"


def test_series_that_is_there_is_said_and_skipped(scanner):
    series = scanner.series("FLAIR")
    existing = Existing(
        (known(series_uid=series.series_uid, at=scanner.now),),
        {"01": frozenset(("01",))},
        frozenset(("sub-01_ses-01_FLAIR",)),
    )
    (row,) = propose(scanner.staged(series), existing).rows
    assert row.role == "ignore"
    assert "in the study already" in row.why
    gone = replace(existing, images=frozenset())
    (row,) = propose(scanner.staged(series), gone).rows
    assert (row.role, row.session_id) == ("FLAIR", "01"), "its file was removed: it is imported again, as it was"


@pytest.mark.parametrize(
    ("stem", "image", "there"),
    [
        ("sub-01_ses-01_T1w", "sub-01_ses-01_T1w", True),
        ("sub-01_ses-01_T1w", "sub-01_ses-01_ce-gadolinium_T1w", False),
        ("sub-01_ses-01_FLAIR", "sub-01_ses-01_run-2_FLAIR", False),
        ("sub-01_ses-01_run-1_MEGRE", "sub-01_ses-01_run-1_echo-3_part-phase_MEGRE", True),
        ("sub-01_ses-01_MEGRE", "sub-01_ses-01_run-1_echo-3_part-phase_MEGRE", False),
        ("sub-01_ses-01_FLAIR", "sub-01_ses-011_FLAIR", False),
    ],
)
def test_whether_an_acquisition_is_in_the_study(stem, image, there):
    assert Existing(images=frozenset((image,))).has(stem) is there


def test_session_after_the_agent_of_which_the_study_knows(scanner):
    before = scanner.now - timedelta(minutes=20)
    stem = "sub-01_ses-01_ce-gadolinium_T1w"
    existing = Existing((known(at=before, stem=stem),), {"01": frozenset(("01",))}, frozenset((stem,)))
    plan = propose(scanner.staged(*scanner.gre()), existing)
    assert [row.post_gd for row in plan.rows] == [True, True]


def test_changes_by_the_user(scanner):
    series = scanner.session(("FLAIR", "T1w"))
    plan = propose(scanner.staged(*series))
    changed = plan.with_row(series[0].series_uid, settle, role="T2w", session_id="05")
    assert (changed.rows[0].role, changed.rows[0].confidence, changed.rows[0].session_id) == ("T2w", 1.0, "05")
    assert changed.rows[0].why == "chosen by the user"
    assert changed.rows[1].role == "T1w"
    for wrong in ({"role": "PET"}, {"run": 3}, {"problems": ()}):
        with pytest.raises(ParameterError):
            plan.with_row(series[0].series_uid, settle, **wrong)
    with pytest.raises(ParameterError):
        plan.with_row("no such series", settle, role="T1w")


def test_two_days_in_one_session_are_told(scanner):
    first = scanner.session(("FLAIR",))
    scanner.visit(at("2019-01-01T09:00:00"))
    second = scanner.session(("T1w",))
    plan = propose(scanner.staged(*first, *second)).with_row(second[0].series_uid, settle, session_id="01")
    assert any("scans of 2 days" in problem for problem in plan.problems)


def test_names_that_cannot_be_are_told(scanner):
    series = scanner.session(("FLAIR",))
    plan = propose(scanner.staged(*series)).with_row(series[0].series_uid, settle, patient_id="Erika M.")
    assert any("letters and digits only" in problem for problem in plan.problems)


def test_names_that_identify_are_told(scanner):
    """The user may give the patient's own number or the day of the scan as a name: it would be in every path."""
    series = scanner.series("FLAIR", StudyDate="20180305")
    plan = propose(scanner.staged(series))
    assert not any("identify" in problem for problem in plan.problems)
    for changes in ({"patient_id": "ms0815"}, {"patient_id": "Musterfrau"}, {"session_id": "20180305"}):
        told = plan.with_row(series.series_uid, settle, **changes).problems
        assert sum("is in the headers and would identify" in problem for problem in told) == 1
    free = plan.with_row(series.series_uid, settle, patient_id="m12", session_id="baseline")
    assert not any("identify" in problem for problem in free.problems)


def test_settling_twice_changes_nothing(scanner):
    plan = propose(scanner.staged(*scanner.session(), *scanner.session(("MEGRE", "FLAIR"))))
    assert settle(plan) == plan


@pytest.mark.parametrize("year", [1, 1899, 9999])
def test_impossible_date_counts_as_unknown(scanner, year):
    (row,) = propose(scanner.staged(scanner.series("FLAIR", acquired_at=scanner.now.replace(year=year)))).rows
    assert row.series.acquired_at is None
    assert any(f"in the year {year}" in problem for problem in row.problems)


WEIRD = [
    None,
    "",
    [],
    {},
    0,
    -1,
    float("nan"),
    float("inf"),
    "x",
    ["a", 1],
    [None],
    "é" * 99,
    True,
    b"x",
    (1, 2),
    "1\\2",
]
KEYWORDS = (
    *("Modality", "ScanningSequence", "SequenceVariant", "SequenceName", "EchoPulseSequence", "InversionTime"),
    *("RepetitionTime", "FlipAngle", "MRAcquisitionType", "ImageType", "ContrastBolusAgent", "SliceThickness"),
    *("BodyPartExamined", "DiffusionBValue", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate"),
)
IMAGES = st.builds(
    ConvertedImage,
    path=st.just(Path("x.nii")),
    part=st.sampled_from(("mag", "phase", "real", "imag", "field")),
    echo_time_s=st.sampled_from((None, 0.005, 0.01, 0.02)),
    shape=st.sampled_from(((), (1,), (4, 5, 6), (4, 5, 6, 7), (0, 0, 0))),
    sidecar=st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(WEIRD), max_size=3),
)
SERIES = st.builds(
    ConvertedSeries,
    series_uid=st.uuids().map(str),
    study_uid=st.sampled_from(("s1", "s2", "")),
    patient_key=st.sampled_from(("", "P1", "P2")),
    number=st.integers(0, 3),
    description=st.sampled_from(("", "gre", "t1 km", "flair")),
    acquired_at=st.sampled_from((None, at("2018-01-01"), at("2018-01-01T09:00"), at("9999-12-31"), at("0001-01-01"))),
    n_files=st.just(1),
    images=st.lists(IMAGES, max_size=4).map(tuple),
    header=st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(WEIRD), max_size=8).map(
        lambda header: {"Modality": "MR", "ScanningSequence": "GR", "RepetitionTime": 40.0, **header}
    ),
)


@given(st.lists(SERIES, max_size=6))
def test_any_header_gives_a_plan_that_can_be_settled_and_laid_out(series):
    plan = propose(Staged(Path(), tuple(series), ()))
    assert {row.series.series_uid for row in plan.rows} == {one.series_uid for one in series}
    assert settle(plan) == plan
    names = [file.name for file in files_of(plan.rows, plan.existing)]
    assert len(set(names)) == len(names), "no two images have one name"


def test_nothing(scanner):
    plan = propose(scanner.staged())
    assert plan.rows == plan.problems == ()
