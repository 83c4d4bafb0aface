"""What is known of the patient when a lesion first enhances, and in which table it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_msqsm.model.study import Patient, Session

AT_ONSET = {
    "patient_age_y": "age",
    "edss": "edss",
    "disease_duration_y": "disease_duration",
    "treatment_duration_y": "treatment_duration",
}
"""Column of the lesion table → column of the study's tables."""
PARTICIPANTS = "participants.tsv"


@dataclass(frozen=True)
class AtOnset:
    """Covariates at onset.

    Parameters
    ----------
    values
        By column of the lesion table; None where no table says it.
    sources
        Table that each value stands in.
    """

    values: dict[str, float | None]
    sources: dict[str, str]


def at_onset(patient: Patient, onset: Session | None) -> AtOnset:
    """Age, EDSS, disease and treatment duration at onset: from the session's row, else from the patient's.

    Parameters
    ----------
    patient
        The patient.
    onset
        Session at which the lesion first enhances; None where nobody said: only the patient's row is read then.
    """
    values: dict[str, float | None] = {}
    sources: dict[str, str] = {}
    sessions = f"sub-{patient.patient_id}_sessions.tsv"
    for column, name in AT_ONSET.items():
        values[column] = None
        for table, row in ((sessions, {} if onset is None else onset.covariates), (PARTICIPANTS, patient.covariates)):
            number = _number(row.get(name))
            if number is not None:
                values[column], sources[column] = number, table
                break
    return AtOnset(values, sources)


def sex_of(patient: Patient) -> str | None:
    """Sex as it stands in the table of participants; None where it does not."""
    told = patient.covariates.get("sex")
    return None if told is None else str(told)


def scanner_of(session: Session) -> str | None:
    """Manufacturer and model from the sidecars of the gradient echo; None where they do not say."""
    for echo in session.gre:
        words = [str(echo.sidecar.get(key) or "").strip() for key in ("Manufacturer", "ManufacturersModelName")]
        maker, model = words
        if model.lower().startswith(maker.lower()):
            words = [model]
        if any(words):
            return " ".join(word for word in words if word)
    return None


def _number(value: Any) -> float | None:
    """Read the number in a cell; None where there is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
