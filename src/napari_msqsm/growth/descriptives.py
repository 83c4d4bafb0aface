"""The cohort in numbers, as a paper's first paragraph has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.growth.cleaning import NO_RIM, RIM

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and number."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    count: int
    n: int

    @property
    def percent(self) -> float:
        """In per cent; NaN of none."""
        return 100.0 * self.count / self.n if self.n else float("nan")


@dataclass(frozen=True)
class Descriptives:
    """Numbers of a cohort.

    Parameters
    ----------
    n_patients, n_lesions, n_rows
        How many.
    female
        Patients who are female, where the table says.
    patient_age_y, follow_up_y, scans_per_lesion
        Age at onset by patient; age of the last row and number of rows by lesion.
    lesions
        By group: number of lesions.
    volume_mm3, outcome
        By group, at age 0.
    outcome_by_enhancement
        ``nodular`` and ``shell``, at age 0.
    central_vein
        By group: lesions with one.
    rim_at_onset, rim_persisting
        Of rim+ lesions: those whose rim was seen at onset; of these, those whose rim was seen at every later scan.
    """

    n_patients: int
    n_lesions: int
    n_rows: int
    female: Share | None
    patient_age_y: Spread | None
    follow_up_y: Spread
    scans_per_lesion: Spread
    lesions: dict[str, int]
    volume_mm3: dict[str, Spread]
    outcome: dict[str, Spread]
    outcome_by_enhancement: dict[str, Spread]
    central_vein: dict[str, Share]
    rim_at_onset: Share | None
    rim_persisting: Share | None


def describe(rows: pd.DataFrame, outcome: str) -> Descriptives:
    """Describe the rows that were fitted; columns that the table lacks are left out."""
    lesion = rows.groupby(["patient_id", "lesion_id"], sort=False)
    first = lesion.first()
    onset = rows[rows["lesion_age_y"] == 0.0]
    groups = [rim for rim in (RIM, NO_RIM) if (first["rim"] == rim).any()]
    patients = rows.groupby("patient_id", sort=False).first()

    def there(name: str) -> bool:
        return name in rows.columns and bool(rows[name].notna().any())

    sexes = patients["sex"].dropna().astype(str).str.upper().str[:1] if there("sex") else None
    return Descriptives(
        n_patients=len(patients),
        n_lesions=len(first),
        n_rows=len(rows),
        female=None if sexes is None else Share(int((sexes == "F").sum()), len(sexes)),
        patient_age_y=_spread(patients["patient_age_y"]) if there("patient_age_y") else None,
        follow_up_y=_spread(lesion["lesion_age_y"].max()),
        scans_per_lesion=_spread(lesion.size()),
        lesions={rim: int((first["rim"] == rim).sum()) for rim in groups},
        volume_mm3=_by(onset, "volume_mm3", "rim", groups) if there("volume_mm3") else {},
        outcome=_by(onset, outcome, "rim", groups),
        outcome_by_enhancement=_by(onset, outcome, "enhancement", ["nodular", "shell"]) if there("enhancement") else {},
        central_vein=_veins(first, groups) if there("central_vein") else {},
        rim_at_onset=_rim_at_onset(rows) if there("rim_at_session") else None,
        rim_persisting=_rim_persisting(rows) if there("rim_at_session") else None,
    )


def _spread(values: Any) -> Spread:
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    sd = float(numbers.std(ddof=1)) if numbers.size > 1 else float("nan")
    return Spread(float(numbers.mean()) if numbers.size else float("nan"), sd, numbers.size)


def _by(rows: pd.DataFrame, value: str, by: str, names: list[str]) -> dict[str, Spread]:
    return {name: _spread(rows.loc[rows[by] == name, value]) for name in names if (rows[by] == name).any()}


def _veins(first: pd.DataFrame, groups: list[str]) -> dict[str, Share]:
    out = {}
    for rim in groups:
        known = first.loc[(first["rim"] == rim) & first["central_vein"].notna(), "central_vein"].astype(float)
        out[rim] = Share(int((known == 1).sum()), len(known))
    return out


def _seen(rows: pd.DataFrame) -> pd.Series[Any]:
    return rows["rim_at_session"].astype(str).isin(["rim+", "1", "1.0"])


def _rim_at_onset(rows: pd.DataFrame) -> Share:
    onset = rows[(rows["lesion_age_y"] == 0.0) & (rows["rim"] == RIM) & rows["rim_at_session"].notna()]
    return Share(int(_seen(onset).sum()), len(onset))


def _rim_persisting(rows: pd.DataFrame) -> Share:
    """Of lesions with a rim at onset and later scans, those with a rim at all of them."""
    known = rows[rows["rim_at_session"].notna()].assign(_seen=_seen(rows))
    count = n = 0
    for _, lesion in known.groupby(["patient_id", "lesion_id"], sort=False):
        onset, later = lesion[lesion["lesion_age_y"] == 0.0], lesion[lesion["lesion_age_y"] > 0.0]
        if len(later) and onset["_seen"].any():
            n += 1
            count += bool(later["_seen"].all())
    return Share(count, n)
