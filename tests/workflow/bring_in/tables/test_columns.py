"""Columns are told by their headers, in English and German."""

from __future__ import annotations

import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.spreadsheet import Sheet
from napari_msqsm.workflow.bring_in.tables.columns import propose
from napari_msqsm.workflow.bring_in.tables.variables import values_of


def sheet(*columns, **cells):
    row = {column: cells.get(column, "1") for column in columns}
    return Sheet("table", columns, (row,), (2,))


def told(table, given=None):
    return {choice.name: choice.column for choice in propose(table, given)}


def test_english_headers():
    table = sheet("Subject ID", "Visit", "MRI_date", "EDSS", "Sex", "Disease duration (years)", MRI_date="1.2.2020")
    assert told(table) == {
        "patient": "Subject ID",
        "session": "Visit",
        "date": "MRI_date",
        "edss": "EDSS",
        "sex": "Sex",
        "disease_duration": "Disease duration (years)",
    }


def test_german_headers():
    table = sheet(
        *("Patienten-ID", "Untersuchung", "MRT-Datum", "Alter", "Geschlecht", "Krankheitsdauer (Monate)", "Therapie"),
        **{"MRT-Datum": "1.2.2020"},
    )
    assert told(table) == {
        "patient": "Patienten-ID",
        "session": "Untersuchung",
        "date": "MRT-Datum",
        "age": "Alter",
        "sex": "Geschlecht",
        "disease_duration": "Krankheitsdauer (Monate)",
        "treatment": "Therapie",
    }


def test_bids_names_are_sure_and_resemblance_is_not_enough():
    choices = {
        choice.name: choice for choice in propose(sheet("participant_id", "session_id", "edss", "edss at onset"))
    }
    assert choices["edss"].column == "edss"
    assert choices["edss"].confidence == 0.99
    assert set(told(sheet("participant_id", "baseline edss"))) == {"patient"}


def test_of_two_columns_the_plainer_word_is_doubtful():
    choice = propose(sheet("Name", "Patient", "EDSS"))[0]
    assert (choice.column, choice.confidence) == ("Patient", 0.6)
    assert "'Name' may be meant as well" in choice.why


def test_the_user_has_the_last_word():
    table = sheet("ID", "Visit", "x", "EDSS")
    assert told(table, {"session": "-", "site": "x", "edss": "EDSS"}) == {"patient": "ID", "site": "x", "edss": "EDSS"}
    assert next(choice for choice in propose(table, {"site": "x"}) if choice.name == "site").confidence == 1


@pytest.mark.parametrize(
    ("columns", "given", "error", "words"),
    [
        (("EDSS", "Visit"), None, InputError, "no column tells the patient"),
        (("ID", "EDSS"), {"edss": "Edss"}, ParameterError, "no such column"),
        (("ID", "EDSS"), {"edss": "EDSS", "age": "EDSS"}, ParameterError, "twice"),
        (("ID", "EDSS"), {"e-d": "EDSS"}, ParameterError, "no name of a column"),
        (("ID", "EDSS (years)", "EDSS (months)"), None, ParameterError, "may both be the edss"),
    ],
)
def test_refusals(columns, given, error, words):
    with pytest.raises(error, match=words):
        propose(sheet(*columns), given)


def test_values_in_other_notations():
    assert values_of("edss", ["3,5", "4", None], "EDSS") == (
        ["3.5", "4", None],
        ("column 'EDSS': commas are decimal marks",),
    )
    assert values_of("disease_duration", ["18", 6.0], "Krankheitsdauer (Monate)")[0] == ["1.5", "0.5"]
    assert values_of("sex", ["w", "Männlich", "female", None], "Geschlecht")[0] == ["F", "M", "F", None]
    assert values_of("site", [3.0, "A  B"], "Site")[0] == ["3", "A B"]


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("edss", ["35"], "not between 0 and 10"),
        ("edss", ["2.3"], "steps of 0.5"),
        ("edss", ["3,5", "4.5"], "decimal commas and points"),
        ("age", ["forty"], "no number"),
        ("sex", ["1"], "write F, M or O"),
    ],
)
def test_values_that_cannot_be_meant(name, cells, words):
    with pytest.raises(InputError, match=words):
        values_of(name, cells, "Column")
