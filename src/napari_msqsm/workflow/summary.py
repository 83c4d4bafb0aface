"""Results of a study in one table: quality per session, and error against the truth where there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.io.nifti import load_volume
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.workflow.outcome import Outcome

TRUTH = "truth"
_LEAST_VOXELS = 3
_COLUMNS = (
    ("SNR", "snr_combined", ".0f"),
    ("kept", "kept_fraction", ".0%"),
    ("edge energy", "edge_energy_ratio", ".2f"),
    ("streaks", "streak_index", ".2f"),
    ("χ noise (ppb)", "chi_noise_ppb", ".1f"),
)
_NUMBERS = ("csf_mean_ppb", "csf_sd_ppb", *(name for _, name, _ in _COLUMNS))


@dataclass(frozen=True)
class LesionValue:
    """Mean χ of one lesion, in ppb, and what it really is."""

    lesion: int
    chi_ppb: float
    truth_ppb: float


@dataclass(frozen=True)
class SessionSummary:
    """One row of the table: the quality numbers that tell a good session from a bad one, and lesions."""

    label: str
    csf_mean_ppb: float
    csf_sd_ppb: float
    snr_combined: float
    kept_fraction: float
    edge_energy_ratio: float
    streak_index: float
    chi_noise_ppb: float
    seconds: float
    converged: bool
    lesions: tuple[LesionValue, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "label": self.label,
            "csf_mean_ppb": self.csf_mean_ppb,
            "csf_sd_ppb": self.csf_sd_ppb,
            "snr_combined": self.snr_combined,
            "kept_fraction": self.kept_fraction,
            "edge_energy_ratio": self.edge_energy_ratio,
            "streak_index": self.streak_index,
            "chi_noise_ppb": self.chi_noise_ppb,
            "seconds": self.seconds,
            "converged": self.converged,
            "lesions": [vars(lesion) for lesion in self.lesions],
        }


def summary_of(study: Study, outcomes: Sequence[Outcome]) -> list[SessionSummary]:
    """Summarise sessions; lesions are listed where the study holds their truth.

    Notes
    -----
    The truth is the true ``Chimap`` and ``desc-lesions_dseg`` on the GRE grid in ``derivatives/truth``. Both means are
    taken over the same voxels and relative to the mean over the susceptibility mask, so that another zero reference
    is no error.
    """
    return [_summary(study.root, study.session(outcome.label), outcome) for outcome in outcomes]


def as_table(rows: Sequence[SessionSummary]) -> str:
    """Text table for the terminal; lesions as *measured (true)*."""
    lesions = sorted({lesion.lesion for row in rows for lesion in row.lesions})
    head = [
        "session",
        "CSF mean ± sd (ppb)",
        *(title for title, _, _ in _COLUMNS),
        "seconds",
        *(f"lesion {number}" for number in lesions),
    ]
    body = []
    for row in rows:
        found = {lesion.lesion: f"{lesion.chi_ppb:+.0f} ({lesion.truth_ppb:+.0f})" for lesion in row.lesions}
        body.append(
            [
                row.label + ("" if row.converged else " (not converged)"),
                f"{round(row.csf_mean_ppb, 1) + 0.0:.1f} ± {row.csf_sd_ppb:.1f}",  # no minus zero
                *(_cell(getattr(row, name), form) for _, name, form in _COLUMNS),
                f"{row.seconds:.1f}",
                *(found.get(number, "–") for number in lesions),
            ]
        )
    widths = [max(len(line[column]) for line in [head, *body]) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *body]]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"


def _summary(root: Path, session: Session, outcome: Outcome) -> SessionSummary:
    return SessionSummary(
        label=outcome.label,
        **{name: outcome.quality.get(name, math.nan) for name in _NUMBERS},
        seconds=sum(outcome.seconds.values()),
        converged=outcome.converged,
        lesions=_lesions(root, session, outcome),
    )


def _lesions(root: Path, session: Session, outcome: Outcome) -> tuple[LesionValue, ...]:
    folder = root / "derivatives" / TRUTH / session.label.replace("_", "/") / "anat"
    chi_path = folder / f"{session.label}_Chimap.nii.gz"
    lesions_path = folder / f"{session.label}_desc-lesions_dseg.nii.gz"
    if not (chi_path.is_file() and lesions_path.is_file()):
        return ()
    found = load_volume(outcome.chimap, what="susceptibility map")
    truth, lesions = load_volume(chi_path, what="true susceptibility"), load_volume(lesions_path, what="lesions")
    if not (truth.grid.same_as(found.grid) and lesions.grid.same_as(found.grid)):
        return ()
    mask = load_volume(outcome.files["mask"], what="mask").array > 0
    measured, true = _from_mean(found.array, mask), _from_mean(truth.array, mask)
    numbers = np.rint(lesions.array).astype(int)
    values = []
    for number in np.unique(numbers[numbers > 0]):
        inside = (numbers == number) & mask
        if np.count_nonzero(inside) >= _LEAST_VOXELS:
            values.append(LesionValue(int(number), float(measured[inside].mean()), float(true[inside].mean())))
    return tuple(values)


def _from_mean(chi_ppm: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    chi_ppb: NDArray[Any] = PPB_PER_PPM * (chi_ppm - chi_ppm[mask].mean())
    return chi_ppb
