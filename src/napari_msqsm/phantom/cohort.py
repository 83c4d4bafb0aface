"""Simulated lesion tables: whole cohorts in numbers, without images, for power and for checks of the inference.

Curves rise after onset and, each at its own time, fall back to where they began, as the paper's do (Zhang S et al.,
AJNR 2019;40:987, doi 10.3174/ajnr.A6071).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIM, NO_RIM = "rim+", "rim-"


@dataclass(frozen=True)
class GrowthCurve:
    """Mean χ above white matter against age: ``start + gain (1 − e^{−t/rise}) S(t) / S(0)``.

    ``S(t) = 1 / (1 + e^{(t − decline) / width})``; ppb and years.
    """

    start_ppb: float
    gain_ppb: float
    rise_y: float
    decline_y: float
    width_y: float

    def __call__(self, ages_y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at ages."""
        stays = 1.0 / (1.0 + np.exp((ages_y - self.decline_y) / self.width_y))
        stays = stays * (1.0 + np.exp(-self.decline_y / self.width_y))
        return np.asarray(self.start_ppb + self.gain_ppb * (1.0 - np.exp(-ages_y / self.rise_y)) * stays)


CURVES = {
    RIM: GrowthCurve(start_ppb=10.0, gain_ppb=17.5, rise_y=0.35, decline_y=6.3, width_y=0.9),
    NO_RIM: GrowthCurve(start_ppb=7.5, gain_ppb=12.0, rise_y=0.3, decline_y=3.0, width_y=0.7),
}


@dataclass(frozen=True)
class CohortDesign:
    """A cohort.

    Parameters
    ----------
    n_patients
        How many.
    lesions_per_patient
        Mean number of lesions; every patient has one or more.
    scans_per_lesion
        Number of scans of each lesion, the first at onset.
    follow_up_y
        Last scans lie up to here.
    rim_share
        Part of the lesions that have a rim.
    effect
        Factor on the difference of the curves: 1 for that of the paper, 0 for none.
    patient_sd_ppb, lesion_sd_ppb, residual_sd_ppb
        Standard deviations.
    """

    n_patients: int = 19
    lesions_per_patient: float = 1.7
    scans_per_lesion: int = 5
    follow_up_y: float = 6.0
    rim_share: float = 0.5
    effect: float = 1.0
    patient_sd_ppb: float = 2.5
    lesion_sd_ppb: float = 2.7
    residual_sd_ppb: float = 5.0

    def __post_init__(self) -> None:
        if self.n_patients < 2 or self.scans_per_lesion < 2 or self.lesions_per_patient < 1:
            raise ParameterError(
                f"a cohort has at least 2 patients, 1 lesion each and 2 scans, got {self.n_patients} patients, "
                f"{self.lesions_per_patient:g} lesions each, {self.scans_per_lesion} scans"
            )
        if not 0.0 < self.rim_share < 1.0 or self.follow_up_y <= 0.0:
            raise ParameterError(
                f"rim_share must lie between 0 and 1, follow_up_y above 0; got {self.rim_share:g}, {self.follow_up_y:g}"
            )

    def mean(self, rim: str, ages_y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of a group at ages."""
        curve = CURVES[NO_RIM](ages_y)
        return curve if rim == NO_RIM else curve + self.effect * (CURVES[RIM](ages_y) - curve)


def simulated_cohort(design: CohortDesign, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the lesion table of a cohort, with the columns that a growth model needs."""
    rows = []
    for patient in range(design.n_patients):
        patient_id = f"{patient + 1:03d}"
        own = rng.normal(0.0, design.patient_sd_ppb)
        edss = float(rng.choice([1.0, 1.5, 2.0, 2.5, 3.0]))
        for lesion in range(1 + rng.poisson(design.lesions_per_patient - 1.0)):
            rim = RIM if rng.uniform() < design.rim_share else NO_RIM
            ages = np.concatenate([[0.0], np.sort(rng.uniform(0.2, design.follow_up_y, design.scans_per_lesion - 1))])
            level = own + rng.normal(0.0, design.lesion_sd_ppb)
            chi = design.mean(rim, ages) + level + rng.normal(0.0, design.residual_sd_ppb, ages.size)
            volume = float(rng.lognormal(6.9 if rim == RIM else 5.7, 0.4))
            rows += [
                {
                    "patient_id": patient_id,
                    "lesion_id": f"{patient_id}-L{lesion + 1:03d}",
                    "session_id": f"ses-{scan + 1:02d}",
                    "lesion_age_y": float(age),
                    "chi_ppb": float(value),
                    "rim": rim,
                    "volume_bl_mm3": volume,
                    "edss": edss,
                }
                for scan, (age, value) in enumerate(zip(ages, chi, strict=True))
            ]
    return pd.DataFrame(rows)
