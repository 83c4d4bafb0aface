"""Words and table of the Coregister panel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from qtpy.QtCore import Qt

from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.verdict import Level, Verdict
from napari_msqsm.widgets.coregister_table import CoregisterTable
from napari_msqsm.widgets.coregister_words import (
    DISAGREEMENT,
    LOOP,
    VERDICT_COLOURS,
    VERDICT_WORDS,
    fixed_words,
    nothing_to_align,
    pair_details,
    pair_words,
    row_of,
    summary_words,
)
from napari_msqsm.workflow.coregistration.pairs import Pair
from napari_msqsm.workflow.coregistration.state import PairState

MISSING = PairState("missing")
LOOK = PairState(
    "done",
    AffineTransform.identity(),
    Verdict(Level.LOOK, ("two methods disagree by 0.62 mm <here>", "the slab covers 61 % of the brain")),
    {DISAGREEMENT: 0.618},
)
FAILED = replace(LOOK, verdict=Verdict(Level.FAILED, ("the images hardly overlap",)), numbers={})
ACCEPTED = replace(FAILED, checked_by="AB", checked_at="2026-03-04T10:11:12+00:00", note="by the ventricles")


def pair(contrast="FLAIR", session="sub-01_ses-02"):
    folder = Path("derivatives")
    return Pair(
        "01",
        session,
        contrast,
        (Path("moving.nii"),),
        "sub-01_ses-01",
        (Path("fixed.nii"),),
        folder / f"{session}_{contrast}.txt",
    )


def test_every_verdict_has_a_word_and_a_colour_of_its_own():
    assert set(VERDICT_WORDS) == set(VERDICT_COLOURS) == {*map(str, Level), "not yet"}
    assert len(set(VERDICT_WORDS.values())) == len(set(VERDICT_COLOURS.values())) == 4


@pytest.mark.parametrize(
    ("state", "verdict", "words", "apart", "checked"),
    [
        (MISSING, "not yet", "not yet", "", ""),
        (LOOK, "look", "● look", "0.62", ""),
        (FAILED, "failed", "✗ failed", "", ""),
        (ACCEPTED, "failed", "✗ failed", "", "AB, 2026-03-04"),
        (replace(LOOK, status="stale", reasons=("flair.nii changed since",)), "look", "● look, outdated", "0.62", ""),
    ],
)
def test_a_row_says_what_is_known(state, verdict, words, apart, checked):
    row = row_of(pair(), state)
    assert (row.session, row.image) == ("ses-02", "FLAIR")
    assert (row.verdict, row.verdict_words, row.disagreement, row.checked) == (verdict, words, apart, checked)
    assert row_of(pair(), state, running=True).verdict_words == "aligning…"


def test_images_are_called_as_the_user_calls_them():
    assert pair_words(pair("MEGRE")) == "ses-02 magnitude"
    assert pair_words(pair("ce-gadolinium_T1w", "sub-01")) == "sub-01 T1 + Gd"
    assert fixed_words(pair()) == "ses-01 magnitude"


def test_reasons_are_told_in_words():
    told = pair_details(pair(), LOOK)
    assert "● look: two methods disagree by 0.62 mm &lt;here&gt;" in told
    assert "the slab covers 61 %" in told
    assert "nothing rests on it" not in told
    assert "nothing rests on it" in pair_details(pair(), FAILED)
    told = pair_details(pair(), ACCEPTED)
    assert "accepted by AB on 2026-03-04" in told
    assert "note: by the ventricles" in told
    assert "nothing rests on it" not in told
    assert "Run all" in pair_details(pair(), MISSING)
    told = pair_details(pair(), replace(LOOK, status="stale", reasons=("flair.nii changed since",), belongs=False))
    assert "nothing rests on it: run all again" in told
    told = pair_details(pair(), replace(LOOK, reasons=("flair.nii changed since",), warnings=("few points",)))
    assert "outdated: flair.nii changed since" in told
    assert "⚠ few points" in told


def test_the_summary_counts():
    assert summary_words([LOOK, LOOK, MISSING, ACCEPTED]) == "2 look · 1 failed · 1 not yet · 1 accepted by hand"
    assert summary_words([]) == ""
    loops = [replace(LOOK, numbers={LOOP: value}) for value in (0.05, 0.123)]
    assert summary_words(loops) == "2 look · a loop over three time points closes within 0.12 mm"


def test_an_empty_table_says_what_to_do():
    assert "Study panel" in nothing_to_align(None, "", is_files=False)
    study = object()
    assert "BIDS folder" in nothing_to_align(study, "files", is_files=True)
    assert "Select a session" in nothing_to_align(study, "", is_files=False)
    assert "sub-07" in nothing_to_align(study, "07", is_files=False)


def test_the_table_shows_colour_and_word_and_asks_for_the_row_that_is_double_clicked(qtbot):
    table = CoregisterTable()
    qtbot.addWidget(table)
    rows = [(pair("MEGRE"), LOOK), (pair(), FAILED), (pair("T1w"), ACCEPTED)]
    table.set_rows(rows)
    assert [table.item(row, 2).text() for row in range(3)] == ["● look", "✗ failed", "✗ failed"]
    assert table.item(0, 2).data(Qt.ItemDataRole.DecorationRole).name() == VERDICT_COLOURS["look"]
    assert table.item(0, 3).text() == "0.62"
    assert "the images hardly overlap" in table.item(1, 0).toolTip()
    asked = []
    table.inspect_requested.connect(asked.append)
    table.show()
    place = table.visualItemRect(table.item(1, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert table.selected == rows[1]
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked == [rows[1][0]]
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert asked[1:] == [rows[2][0]]
    table.select(rows[1][0])
    table.set_rows(rows[1:], running=rows[2][0].name)
    assert table.selected == rows[1]
    assert table.item(1, 2).text() == "aligning…"
    table.set_rows([])
    assert table.selected is None
