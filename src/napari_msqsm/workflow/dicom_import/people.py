"""Who was scanned when: patients and sessions, by the names that a study has for them already or by the next number."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.acquisitions import order_of
from napari_msqsm.workflow.dicom_import.grouping import grouped, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_msqsm.io.dicom.series import ConvertedSeries
    from napari_msqsm.workflow.dicom_import.existing import Existing


@dataclass(frozen=True)
class Person:
    """Who a series is of, as the scanner wrote it."""

    key: str
    birth_date: str
    sex: str
    name: str


def person_of(series: ConvertedSeries) -> Person:
    """Read who a series is of."""
    header = series.header
    words = {key: one_line(header.get(key)) for key in ("PatientBirthDate", "PatientSex", "PatientName")}
    return Person(one_line(series.patient_key), words["PatientBirthDate"], words["PatientSex"], words["PatientName"])


def patients_of(series: Iterable[ConvertedSeries], existing: Existing) -> dict[str, list[ConvertedSeries]]:
    """Series by the patient's name in the study: that of the key file, else the next number by first scan."""
    people: dict[tuple[str, str, str], list[ConvertedSeries]] = defaultdict(list)
    for key, group in grouped(series, lambda one: one_line(one.patient_key)).items():
        facts = list(dict.fromkeys((p.birth_date, p.sex) for p in map(person_of, group) if p.birth_date or p.sex))
        for one in group:
            person = person_of(one)
            same = next((fact for fact in facts if _compatible(fact, (person.birth_date, person.sex))), ("", ""))
            people[key, *same].append(one)
    taken = {*existing.sessions, *(row.patient_id for row in existing.key)}
    out: dict[str, list[ConvertedSeries]] = {}
    for (key, birth_date, sex), group in sorted(people.items(), key=lambda item: min(map(order_of, item[1]))):
        known = next(
            (
                row.patient_id
                for row in existing.key
                if row.patient_key == key and _compatible((row.birth_date, row.sex), (birth_date, sex))
            ),
            None,
        )
        name = known or _next_number(taken)
        taken.add(name)
        out.setdefault(name, []).extend(group)
    return out


def sessions_of(
    patient_id: str, series: Sequence[ConvertedSeries], existing: Existing
) -> dict[str, list[ConvertedSeries]]:
    """Series by session: one per day, in order of date; a study past midnight stays one."""
    visits: dict[date | str, list[ConvertedSeries]] = defaultdict(list)
    for study_uid, group in grouped(series, lambda one: one.study_uid).items():
        visits[_day(group) or study_uid].extend(group)
    known = [row for row in existing.key if row.patient_id == patient_id]
    by_day: dict[date | str, str] = {}
    for row in known:
        day = min((r.acquired_at for r in known if r.study_uid == row.study_uid and r.acquired_at), default=None)
        by_day[day.date() if day else row.study_uid] = row.session_id
    taken = {*existing.sessions.get(patient_id, ()), *(row.session_id for row in known)}
    out: dict[str, list[ConvertedSeries]] = {}
    for when, group in sorted(visits.items(), key=lambda item: (isinstance(item[0], str), str(item[0]))):
        name = by_day.get(when) or _next_number(taken)
        taken.add(name)
        out[name] = group
    return out


def _day(group: Sequence[ConvertedSeries]) -> date | None:
    """Day on which an examination began."""
    times = [one.acquired_at for one in group if one.acquired_at is not None]
    if times:
        return min(times).date()
    for one in group:
        try:
            return datetime.strptime(str(one.header.get("StudyDate", "")), "%Y%m%d").date()  # noqa: DTZ007  no zone
        except ValueError:
            continue
    return None


def _next_number(taken: Iterable[str]) -> str:
    """Next name after the highest number among those that are taken."""
    numbers = [int(name) for name in taken if re.fullmatch(r"[0-9]+", name)]
    return f"{max(numbers, default=0) + 1:02d}"


def _compatible(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(not a or not b or a == b for a, b in zip(one, other, strict=True))
