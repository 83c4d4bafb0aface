"""What follows from the rows of a plan: acquisitions, runs, gadolinium, problems. Nothing here is the user's choice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.io.sidecar import entities_of
from napari_msqsm.workflow.dicom_import.acquisitions import Acquisition, acquisitions_of, incomplete
from napari_msqsm.workflow.dicom_import.gadolinium import verdicts
from napari_msqsm.workflow.dicom_import.plan import CHOSEN
from napari_msqsm.workflow.dicom_import.problems import (
    problems_of_acquisition,
    problems_of_patients,
    problems_of_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries


def settle(plan: ImportPlan) -> ImportPlan:
    """Derive acquisitions, runs, gadolinium and problems from what the rows are and where they belong.

    Parameters
    ----------
    plan
        Rows with role, patient and session; what was derived before is replaced.
    """
    sessions = by_session(plan.rows)
    per_patient = _acquisitions_of_patients(sessions)
    settled: dict[str, PlannedSeries] = {}
    problems: list[str] = [*plan.existing.problems]
    number = 0
    for label, rows in sessions.items():
        judged = verdicts(rows, _agents_in_study(rows[0], plan.existing))
        for row in rows:
            verdict = judged[row.series.series_uid]
            notes = [*row.series.problems, *([verdict.doubt] if verdict.doubt and row.is_kept else [])]
            chosen = row.post_gd_why == CHOSEN
            settled[row.series.series_uid] = replace(
                row,
                acquisition=number + 1,
                run=1,
                used=row.is_kept,
                post_gd=row.post_gd if chosen else verdict.post_gd,
                post_gd_why=CHOSEN if chosen else verdict.why,
                problems=tuple(notes),
            )
            number += 1
        problems += problems_of_session(label, rows, plan.existing)
        for role in dict.fromkeys(row.role for row in rows if row.is_kept):
            group = acquisitions_of(row for row in rows if row.role == role)
            alike = per_patient[rows[0].patient_id, role]
            after = [any(settled[row.series.series_uid].post_gd for row in acquisition.rows) for acquisition in group]
            for acquisition, changes in _runs(group, alike, plan.existing, after):
                number += 1
                for row in acquisition.rows:
                    old = settled[row.series.series_uid]
                    more = (*old.problems, *changes.problems)
                    settled[row.series.series_uid] = replace(
                        old, acquisition=number, run=changes.run, used=changes.used, problems=more
                    )
    rows_out = tuple(settled[row.series.series_uid] for row in plan.rows)
    problems += problems_of_patients(plan.rows, plan.existing)
    return replace(plan, rows=rows_out, problems=tuple(dict.fromkeys(problems)))


def by_session(rows: Iterable[PlannedSeries]) -> dict[str, list[PlannedSeries]]:
    """Rows of each session, by its BIDS name, in order of patient and session."""
    out: dict[str, list[PlannedSeries]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.patient_id, row.session_id)):
        out[row.label].append(row)
    return dict(out)


@dataclass(frozen=True)
class _Run:
    """What is derived for one acquisition."""

    run: int
    used: bool
    problems: tuple[str, ...]


def _acquisitions_of_patients(
    sessions: dict[str, list[PlannedSeries]],
) -> dict[tuple[str, str], list[Acquisition]]:
    out: dict[tuple[str, str], list[Acquisition]] = defaultdict(list)
    for rows in sessions.values():
        for role in dict.fromkeys(row.role for row in rows):
            out[rows[0].patient_id, role] += acquisitions_of(row for row in rows if row.role == role)
    return out


def _runs(
    group: Sequence[Acquisition], alike: Sequence[Acquisition], existing: Existing, after_agent: Sequence[bool]
) -> list[tuple[Acquisition, _Run]]:
    """Give runs of one role in one session their numbers; the last complete one before gadolinium is used."""
    lacks = [incomplete(acquisition, alike) for acquisition in group]
    own = [problems_of_acquisition(acquisition) for acquisition in group]
    before = runs_in_study(group[0].rows[0], existing)
    ranks = [(not lack, not after) for lack, after in zip(lacks, after_agent, strict=True)]
    taken = max(range(len(group)), key=lambda index: (ranks[index], index))
    out = []
    for index, acquisition in enumerate(group):
        notes = [f"looks aborted: {lacks[index]}"] if lacks[index] else []
        notes += own[index]
        if len(group) + before > 1 and index == taken:
            which = "the last one, none is complete" if lacks[index] else "the last complete one"
            native = " before gadolinium" if len(set(after_agent)) > 1 and not after_agent[index] else ""
            notes.append(
                f"{len(group) + before} runs of {acquisition.role} in this session; series {acquisition.numbers} is "
                f"used: {which}{native}"
            )
        out.append((acquisition, _Run(before + index + 1, used=index == taken, problems=tuple(notes))))
    return out


def runs_in_study(row: PlannedSeries, existing: Existing) -> int:
    """Highest run number of this role that the session has in the study already; 1 for files without a number."""
    parts = row.role.split("_")
    suffix = parts[-1]
    agent = parts[0] if len(parts) > 1 else ""
    found = [0]
    for name in existing.images_of(row.label):
        entities, kind = entities_of(Path(name))
        if kind == suffix and bool(agent) == ("ce" in entities):
            run = entities.get("run", "1")
            found.append(int(run) if run.isdigit() else 1)
    return max(found)


def _agents_in_study(row: PlannedSeries, existing: Existing) -> list[tuple[str, datetime]]:
    return [
        (known.stem, known.acquired_at)
        for known in existing.key
        if (known.patient_id, known.session_id) == (row.patient_id, row.session_id)
        and "_ce-" in known.stem
        and known.acquired_at is not None
    ]
