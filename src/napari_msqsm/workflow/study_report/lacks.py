"""What each analysis still lacks, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.study_report.contents import SessionContents

QSM, COREGISTRATION, LESIONS, GROWTH = "QSM", "Coregistration", "Lesion table", "Growth model"
_LEAST_QSM = 3
_LEAST_YEARS = 1.0
_PATIENTS_OF_THE_PAPER = 19
_FEW_PATIENTS = 10
_COVARIATES = ("age", "edss", "disease_duration", "treatment_duration")
_SHOWN = 4


@dataclass(frozen=True)
class Lack:
    """One thing that an analysis needs and does not find.

    Parameters
    ----------
    analysis
        One of `QSM`, `COREGISTRATION`, `LESIONS`, `GROWTH`.
    sentence
        What is lacking.
    where
        Sessions or patients; empty for the study as a whole.
    """

    analysis: str
    sentence: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.where:
            return f"{self.analysis}: {self.sentence}"
        more = len(self.where) - _SHOWN
        shown = ", ".join(self.where[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"{self.analysis}: {self.sentence}: {shown}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {"analysis": self.analysis, "sentence": self.sentence, "where": list(self.where)}


def lacks_of(study: Study, contents: Sequence[SessionContents]) -> tuple[Lack, ...]:
    """Go through the analyses in their order."""
    found = [*_qsm(contents), *_coregistration(contents), *_lesions(study, contents), *_growth(study, contents)]
    return tuple(lack for lack in found if lack is not None)


def _qsm(contents: Sequence[SessionContents]) -> list[Lack]:
    by_reason: dict[str, list[str]] = {}
    for row in contents:
        if row.can_have_qsm:
            continue
        session = row.session
        reasons = session.unusable or tuple(note for note in session.missing if "gradient-echo" in note)
        for reason in reasons[:1] or ("the gradient echoes cannot be used",):
            by_reason.setdefault(reason, []).append(session.label)
    lacks = [Lack(QSM, reason, tuple(labels)) for reason, labels in by_reason.items()]
    not_made = tuple(row.session.label for row in contents if row.session.can_reconstruct and not row.qsm)
    if not_made:
        lacks.append(Lack(QSM, "can be reconstructed and is not yet (msqsm run)", not_made))
    after_gd = tuple(row.session.label for row in contents if row.session.post_gd)
    if after_gd:
        lacks.append(Lack(QSM, "acquired after gadolinium, which raises χ of enhancing lesions", after_gd))
    return lacks


def _coregistration(contents: Sequence[SessionContents]) -> list[Lack]:
    lacks = []
    no_flair = tuple(row.session.label for row in contents if not row.images["FLAIR"])
    if no_flair:
        lacks.append(Lack(COREGISTRATION, "no FLAIR to see the lesions on", no_flair))
    no_echoes = tuple(row.session.label for row in contents if not row.session.gre)
    if no_echoes:
        lacks.append(Lack(COREGISTRATION, "no gradient echo to align to", no_echoes))
    first: dict[str, str] = {}
    for row in contents:
        if row.session.gre and not row.session.unusable:
            first.setdefault(row.session.patient_id, row.session.label)
    open_ones = []
    for row in contents:
        wanted = [name for name in ("FLAIR",) if row.images[name]]
        if row.session.gre and first.get(row.session.patient_id) != row.session.label:
            wanted.append("MEGRE")
        if first.get(row.session.patient_id) and any(name not in row.aligned for name in wanted):
            open_ones.append(row.session.label)
    if open_ones:
        lacks.append(Lack(COREGISTRATION, "not aligned to the baseline yet", tuple(open_ones)))
    for word, sentence in (
        ("failed", "judged as failed and not used"),
        ("look", "doubtful: look at it and accept it"),
        ("unknown", "a transform without a verdict"),
    ):
        judged = tuple(
            f"{row.session.label} {name}" for row in contents for name, found in row.aligned.items() if found == word
        )
        if judged:
            lacks.append(Lack(COREGISTRATION, sentence, judged))
    return lacks


def _lesions(study: Study, contents: Sequence[SessionContents]) -> list[Lack]:
    lacks = []
    no_date = tuple(row.session.label for row in contents if row.session.date is None)
    if no_date:
        lacks.append(Lack(LESIONS, "no date (acq_time), so that lesions have no age", no_date))
    no_gd = tuple(row.session.label for row in contents if not row.images["ce-gadolinium_T1w"])
    if no_gd:
        lacks.append(Lack(LESIONS, "no T1w after gadolinium to see which lesions are new", no_gd))
    few, short = [], []
    by_patient = _with_qsm(contents)
    for patient in study.patients:
        usable = by_patient.get(patient.patient_id, [])
        name = f"sub-{patient.patient_id}"
        if len(usable) < _LEAST_QSM:
            few.append(name)
        elif not _is_long(usable):
            short.append(name)
    if few:
        lacks.append(Lack(LESIONS, f"fewer than {_LEAST_QSM} sessions with QSM", tuple(few)))
    if short:
        lacks.append(Lack(LESIONS, f"no QSM more than {_LEAST_YEARS:g} year after the first", tuple(short)))
    no_lesions = tuple(row.session.label for row in contents if not any("lesions" in mask for mask in row.masks))
    if no_lesions:
        lacks.append(Lack(LESIONS, "no lesions drawn or taken over", no_lesions))
    return lacks


def _growth(study: Study, contents: Sequence[SessionContents]) -> list[Lack]:
    lacks = []
    patients = {patient.patient_id: patient.covariates for patient in study.patients}
    for name in _COVARIATES:
        absent = tuple(
            row.session.label
            for row in contents
            if name not in row.session.covariates and name not in patients[row.session.patient_id]
        )
        if absent:
            lacks.append(Lack(GROWTH, f"no {name.replace('_', ' ')}", absent))
    no_sex = tuple(f"sub-{patient.patient_id}" for patient in study.patients if "sex" not in patient.covariates)
    if no_sex:
        lacks.append(Lack(GROWTH, "no sex", no_sex))
    long_enough = sum(len(rows) >= _LEAST_QSM and _is_long(rows) for rows in _with_qsm(contents).values())
    if long_enough < _FEW_PATIENTS:
        lacks.append(
            Lack(
                GROWTH,
                f"{long_enough} of {len(study.patients)} patients can have {_LEAST_QSM} QSM over more than "
                f"{_LEAST_YEARS:g} year; the published curves rest on {_PATIENTS_OF_THE_PAPER} patients",
            )
        )
    return lacks


def _is_long(rows: Sequence[SessionContents]) -> bool:
    years = [row.years for row in rows if row.years is not None]
    return bool(years) and max(years) - min(years) > _LEAST_YEARS


def _with_qsm(contents: Sequence[SessionContents]) -> dict[str, list[SessionContents]]:
    """Sessions that have or can have QSM, by patient."""
    found: dict[str, list[SessionContents]] = {}
    for row in contents:
        if row.can_have_qsm:
            found.setdefault(row.session.patient_id, []).append(row)
    return found
