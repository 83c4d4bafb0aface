"""What follows from the rows of a plan: acquisitions, runs, gadolinium, problems. Nothing here is the user's choice."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.acquisitions import Acquisition, acquisitions_of, incomplete
from napari_msqsm.workflow.dicom_import.gadolinium import unmarked_repeat, verdicts
from napari_msqsm.workflow.dicom_import.plan import CHOSEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

_LABEL = re.compile(r"[A-Za-z0-9]+")
_FEWEST_ECHOES = 3
_DOUBTFUL = 0.5


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
        problems += _problems_of_session(label, rows, plan.existing)
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
    problems += _problems_of_patients(plan.rows)
    return replace(plan, rows=rows_out, problems=tuple(dict.fromkeys(problems)))


def by_session(rows: Iterable[PlannedSeries]) -> dict[str, list[PlannedSeries]]:
    """Rows of each session, by its BIDS name, in order of patient and session."""
    out: dict[str, list[PlannedSeries]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.patient_id, row.session_id)):
        out[row.label].append(row)
    return dict(out)


class _Run:
    """What is derived for one acquisition."""

    def __init__(self, run: int, *, used: bool, problems: tuple[str, ...]) -> None:
        self.run, self.used, self.problems = run, used, problems


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
    own = [_problems_of_acquisition(acquisition) for acquisition in group]
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
        pieces = name.split("_")
        entities = dict(piece.split("-", 1) for piece in pieces[:-1] if "-" in piece)
        if pieces[-1] != suffix:
            continue
        if bool(agent) == ("ce" in entities):
            run = entities.get("run", "1")
            found.append(int(run) if run.isdigit() else 1)
    return max(found)


def _problems_of_acquisition(acquisition: Acquisition) -> list[str]:
    out = []
    if acquisition.role == "MEGRE":
        times = acquisition.echo_times_s()
        if not acquisition.has_pair:
            found = ", ".join(sorted(acquisition.parts))
            out.append(f"no field can be computed: it has {found}, not magnitude and phase of every echo")
        images = [(image.part, image.echo_time_s) for row in acquisition.rows for image in row.series.images]
        if len(set(images)) < len(images) and None not in {time for _, time in images}:
            out.append("several images of one part and echo; the first is taken")
        if 0 < len(times) < _FEWEST_ECHOES:
            out.append(f"{len(times)} echoes; three or more are wanted")
    elif (
        acquisition.role != "fieldmap"
        and len({image.echo_time_s for row in acquisition.rows for image in row.series.images}) > 1
    ):
        which = "longest" if acquisition.role in ("T2w", "FLAIR") else "shortest"
        out.append(f"several echoes; the {which} is taken")
    doubtful = [row for row in acquisition.rows if row.confidence <= _DOUBTFUL]
    if doubtful:
        out.append("what it is, is doubtful; please check its role")
    return out


def _problems_of_session(label: str, rows: Sequence[PlannedSeries], existing: Existing) -> list[str]:
    kept = [row for row in rows if row.is_kept]
    if not kept:
        return []
    out = []
    for what, name in (("patient", kept[0].patient_id), ("session", kept[0].session_id)):
        if not _LABEL.fullmatch(name):
            out.append(f"{label}: {what} name {name!r} may hold letters and digits only")
    times = [row.series.acquired_at for row in kept if row.series.acquired_at is not None]
    if not times:
        out.append(f"{label} has no date: lesion ages cannot be computed")
    elif max(times) - min(times) > timedelta(hours=18):
        days = sorted({f"{time:%Y-%m-%d}" for time in times})
        out.append(f"{label} holds scans of {len(days)} days ({', '.join(days)}); give each day a session of its own")
    if not any(row.role == "MEGRE" for row in kept) and kept[0].session_id not in existing.sessions.get(
        kept[0].patient_id, frozenset()
    ):
        out.append(f"{label} has no multi-echo gradient echo")
    studies = {row.series.study_uid for row in kept}
    late = _late_agent(rows, existing)
    if late:
        out.append(late)
    if len(studies) > 1:
        out.append(f"{label} joins {len(studies)} examinations of one day")
    repeat = unmarked_repeat(rows)
    if repeat is not None:
        out.append(
            f"{label}: series {repeat[0].number} and {repeat[1].number} are T1w of one protocol, minutes apart; if the "
            "second is after gadolinium, give it the role ce-gadolinium_T1w"
        )
    return out


def _late_agent(rows: Sequence[PlannedSeries], existing: Existing) -> str:
    """Tell that a series with agent has come that is older than a gradient echo in the study."""
    agents = [row.series for row in rows if row.is_kept and row.role.startswith("ce-")]
    first = min((series.acquired_at for series in agents if series.acquired_at is not None), default=None)
    if first is None:
        return ""
    for known in existing.key:
        same = (known.patient_id, known.session_id) == (rows[0].patient_id, rows[0].session_id)
        if same and known.stem.endswith("_MEGRE") and known.acquired_at is not None and known.acquired_at > first:
            return (
                f"{rows[0].label}: {known.stem} in the study was acquired after a series with contrast agent that "
                "comes only now; set its post_gd to true in the scans table and the sidecars"
            )
    return ""


def _problems_of_patients(rows: Sequence[PlannedSeries]) -> list[str]:
    people: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        header = row.series.header
        for keyword in ("PatientBirthDate", "PatientSex"):
            value = str(header.get(keyword) or "").strip()
            if value:
                people[row.patient_id][keyword].add(value)
        people[row.patient_id]["key"].add(row.series.patient_key)
    out = []
    words = {"PatientBirthDate": "birth dates", "PatientSex": "sexes"}
    for patient_id, facts in people.items():
        for keyword, word in words.items():
            if len(facts[keyword]) > 1:
                out.append(f"sub-{patient_id} has {len(facts[keyword])} {word}: are these one person?")
    shared: dict[str, set[str]] = defaultdict(set)
    for patient_id, facts in people.items():
        for key in facts["key"]:
            shared[key].add(patient_id)
    for names in shared.values():
        if len(names) > 1:
            listed = " and ".join(f"sub-{name}" for name in sorted(names))
            out.append(f"{listed} have one patient ID but another birth date or sex; they are kept apart")
    return out


def _agents_in_study(row: PlannedSeries, existing: Existing) -> list[tuple[str, datetime]]:
    return [
        (known.stem, known.acquired_at)
        for known in existing.key
        if (known.patient_id, known.session_id) == (row.patient_id, row.session_id)
        and "_ce-" in known.stem
        and known.acquired_at is not None
    ]
