"""What the user should look at before a plan is written, one sentence each; no name and no date is in them."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.acquisitions import corrections
from napari_msqsm.workflow.dicom_import.anonymise import LEAST_LETTERS, secrets_of
from napari_msqsm.workflow.dicom_import.gadolinium import unmarked_repeat
from napari_msqsm.workflow.dicom_import.grouping import plain_name
from napari_msqsm.workflow.dicom_import.people import Person, person_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.dicom_import.acquisitions import Acquisition
    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_LABEL = re.compile(r"[A-Za-z0-9]+")
_FEWEST_ECHOES = 3
_DOUBTFUL = 0.5
_LONGEST_SESSION = timedelta(hours=18)


def problems_of_acquisition(acquisition: Acquisition) -> list[str]:
    """Say what is wrong with one acquisition."""
    out = []
    if acquisition.role == "MEGRE":
        times = acquisition.echo_times_s()
        if not acquisition.has_pair:
            found = ", ".join(sorted(acquisition.parts))
            out.append(f"no field can be computed: it has {found}, not magnitude and phase of every echo")
        images = [(image.part, image.echo_time_s) for row in acquisition.rows for image in row.series.images]
        if len(set(images)) < len(images) and None not in {time for _, time in images}:
            out.append("several images of one part and echo; the first is taken")
        if len(corrections(acquisition)) > 1:
            words = " and ".join(sorted(word or "none" for word in corrections(acquisition)))
            out.append(
                f"its series are corrected for distortion differently ({words}): magnitude and phase do not match"
            )
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


def problems_of_session(label: str, rows: Sequence[PlannedSeries], existing: Existing) -> list[str]:
    """Say what is wrong with one session."""
    kept = [row for row in rows if row.is_kept]
    if not kept:
        return []
    out = []
    for what, name in (("patient", kept[0].patient_id), ("session", kept[0].session_id)):
        if not _LABEL.fullmatch(name):
            out.append(f"{label}: {what} name {name!r} may hold letters and digits only")
        elif len(name) >= LEAST_LETTERS and any(name.lower() in secrets_of(row.series) for row in kept):
            out.append(
                f"{label}: this {what} name is in the headers and would identify the patient or the day; change it"
            )
    times = [row.series.acquired_at for row in kept if row.series.acquired_at is not None]
    if not times:
        out.append(f"{label} has no date: lesion ages cannot be computed")
    elif max(times) - min(times) > _LONGEST_SESSION:
        n_days = len({time.date() for time in times})
        out.append(f"{label} holds scans of {n_days} days; give each day a session of its own")
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


def problems_of_patients(rows: Sequence[PlannedSeries], existing: Existing) -> list[str]:
    """Say where it is doubtful who is who."""
    people: dict[Person, set[str]] = defaultdict(set)
    for row in rows:
        people[person_of(row.series)].add(row.patient_id)
    out = []
    for word, attribute in (("birth dates", "birth_date"), ("sexes", "sex")):
        per_patient: dict[str, set[str]] = defaultdict(set)
        for person, names in people.items():
            for name in names:
                per_patient[name] |= {getattr(person, attribute)} - {""}
        out += [
            f"sub-{name} has {len(found)} {word}: are these one person?"
            for name, found in per_patient.items()
            if len(found) > 1
        ]
    out += _nameless(rows, existing)
    for known in existing.key:
        people[Person(known.patient_key, known.birth_date, known.sex, known.patient_name)].add(known.patient_id)
    of_id: dict[str, set[str]] = defaultdict(set)
    of_name: dict[tuple[str, str], set[str]] = defaultdict(set)
    for person, names in people.items():
        of_id[person.key] |= names
        if person.name and person.birth_date:
            of_name[person.name.lower(), person.birth_date] |= names
    here = {row.patient_id for row in rows}
    written: dict[str, set[str]] = defaultdict(set)
    for person, names in people.items():
        for name in names & here:
            written[name] |= {plain_name(person.name)} - {""}
    out += [
        f"sub-{name} has {len(found)} names in the headers: are these one person?"
        for name, found in written.items()
        if len(found) > 1
    ]
    apart = [names for names in of_id.values() if len(names) > 1 and names & here]
    for names in apart:
        out.append(f"{_listed(names)} have one patient ID but another birth date or sex; they are kept apart")
    for names in of_name.values():
        if len(names) > 1 and names & here and names not in apart:
            out.append(f"{_listed(names)} have one name and birth date; if they are one person, give both one name")
    return out


def _nameless(rows: Sequence[PlannedSeries], existing: Existing) -> list[str]:
    """Tell that examinations of which no header says whose they are were taken for one patient's."""
    examinations: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if not person_of(row.series).key:
            examinations[row.patient_id].add(row.series.study_uid)
    for known in existing.key:
        if not known.patient_key and known.patient_id in examinations:
            examinations[known.patient_id].add(known.study_uid)
    return [
        f"{len(found)} examinations have neither patient ID nor name and are all taken for sub-{name}: give each "
        "patient a name of its own in the table"
        for name, found in examinations.items()
        if len(found) > 1
    ]


def _listed(names: set[str]) -> str:
    return " and ".join(f"sub-{name}" for name in sorted(names))
