"""Before or after the agent: by header, by name, by order."""

from __future__ import annotations

import pytest

from napari_msqsm.workflow.dicom_import.propose import propose
from napari_msqsm.workflow.dicom_import.settle import settle


@pytest.fixture
def gre_of(scanner):
    """Propose a session and give the row of its gradient-echo magnitude."""

    def run(*series):
        plan = propose(scanner.staged(*series))
        return next(row for row in plan.rows if row.role == "MEGRE")

    return run


def test_before_the_agent(scanner, gre_of):
    row = gre_of(*scanner.session(("MEGRE", "T1w", "ce-gadolinium_T1w")))
    assert row.post_gd is False
    assert "before series 4" in row.post_gd_why
    assert row.problems == ()


def test_after_the_agent(scanner, gre_of):
    row = gre_of(*scanner.session(("T1w", "ce-gadolinium_T1w", "MEGRE")))
    assert row.post_gd is True
    assert "after series 2" in row.post_gd_why


def test_between_with_the_agent_in_the_headers(scanner, gre_of):
    """Its own header names no agent, that of the next series does: it was given in between."""
    row = gre_of(
        scanner.series("T1w"), *scanner.gre(), scanner.series("ce-gadolinium_T1w", description="t1_mprage_sag")
    )
    assert row.post_gd is False
    assert row.problems == ()


def test_between_where_only_names_tell_is_doubted(scanner, gre_of):
    after = scanner.series("T1w", description="t1_mprage_sag_KM", acquired_at=scanner.now.replace(hour=11))
    row = gre_of(scanner.series("T1w"), *scanner.gre(), after)
    assert row.post_gd is False
    assert any("correct it" in problem for problem in row.problems)


def test_its_own_header_names_the_agent(scanner, gre_of):
    row = gre_of(scanner.series("T1w"), *scanner.gre(ContrastBolusAgent="Dotarem"), scanner.series("ce-gadolinium_T1w"))
    assert row.post_gd is True
    assert row.post_gd_why == "its header says so"


def test_no_agent_in_the_session(scanner, gre_of):
    row = gre_of(*scanner.session(("MEGRE", "FLAIR", "T1w")))
    assert row.post_gd is False
    assert "no series" in row.post_gd_why


def test_agent_of_another_session_is_of_no_matter(scanner):
    first = scanner.session(("ce-gadolinium_T1w", "MEGRE"))
    scanner.visit(scanner.now.replace(year=2019))
    second = scanner.session(("MEGRE", "FLAIR"))
    plan = propose(scanner.staged(*first, *second))
    assert [row.post_gd for row in plan.rows if row.role == "MEGRE"] == [True, True, False, False]


def test_header_of_every_series_names_the_agent(scanner, gre_of):
    """It was typed in at registration and tells nothing of when it was given; the names do."""
    agent = {"ContrastBolusAgent": "Gadovist"}
    row = gre_of(*scanner.gre(**agent), scanner.series("T1w", **agent), scanner.series("ce-gadolinium_T1w"))
    assert row.post_gd is False
    row = gre_of(*scanner.gre(**agent), scanner.series("FLAIR", **agent), scanner.series("T2w", **agent))
    assert row.post_gd is None
    assert "no header tells" in row.post_gd_why


def test_name_that_says_before_refutes_the_headers(scanner):
    agent = {"ContrastBolusAgent": "Gadovist"}
    series = [
        scanner.series("T1w", description="t1_mprage nativ", **agent),
        *scanner.gre(**agent),
        scanner.series("T1w", description="t1_mprage KM", **agent),
        scanner.series("FLAIR"),
    ]
    plan = propose(scanner.staged(*series))
    assert [row.role for row in plan.rows] == ["T1w", "MEGRE", "MEGRE", "ce-gadolinium_T1w", "FLAIR"]
    assert [row.post_gd for row in plan.rows] == [False, False, False, True, True]


def test_order_without_times_is_not_known(scanner, gre_of):
    row = gre_of(*scanner.gre(acquired_at=None), scanner.series("ce-gadolinium_T1w"))
    assert row.post_gd is None
    assert "without time" in row.post_gd_why


def test_midnight_is_a_header_without_time_of_day(scanner, gre_of):
    midnight = scanner.now.replace(hour=0, minute=0)
    row = gre_of(*scanner.gre(acquired_at=midnight), scanner.series("ce-gadolinium_T1w"))
    assert row.post_gd is None


def test_same_time_is_no_order(scanner, gre_of):
    at = scanner.now
    row = gre_of(*scanner.gre(), scanner.series("ce-gadolinium_T1w", acquired_at=at))
    assert row.post_gd is None
    assert "same time" in row.post_gd_why


def test_scan_of_another_body_part_tells_the_time_too(scanner, gre_of):
    spine = scanner.series("T1w", description="T1 HWS KM", ContrastBolusAgent="Gadovist", BodyPartExamined="CSPINE")
    row = gre_of(spine, *scanner.gre())
    assert row.post_gd is True


def test_t1w_after_the_agent_is_one_with_agent(scanner):
    series = [
        scanner.series("T1w"),
        scanner.series("ce-gadolinium_T1w"),
        scanner.series("T1w", description="t1_se_tra"),
    ]
    plan = propose(scanner.staged(*series))
    assert [row.role for row in plan.rows] == ["T1w", "ce-gadolinium_T1w", "ce-gadolinium_T1w"]
    assert plan.rows[2].confidence <= 0.6


def test_unmarked_repeat_of_a_t1w_is_told_and_leaves_the_gre_open(scanner):
    series = [scanner.series("T1w"), scanner.series("FLAIR"), scanner.series("T1w"), *scanner.gre()]
    plan = propose(scanner.staged(*series))
    assert any("minutes apart" in problem for problem in plan.problems)
    assert next(row for row in plan.rows if row.role == "MEGRE").post_gd is None
    corrected = plan.with_row(series[2].series_uid, settle, role="ce-gadolinium_T1w")
    assert next(row for row in corrected.rows if row.role == "MEGRE").post_gd is True
    assert not any("minutes apart" in problem for problem in corrected.problems)


def test_what_the_user_says_stays(scanner):
    series = scanner.session(("MEGRE", "ce-gadolinium_T1w"))
    plan = propose(scanner.staged(*series)).with_row(series[0].series_uid, settle, post_gd=True)
    plan = plan.with_row(series[2].series_uid, settle, role="T1w")
    assert plan.rows[0].post_gd is True
    assert plan.rows[0].post_gd_why == "chosen by the user"
    assert plan.rows[1].post_gd is False, "no agent is left"
