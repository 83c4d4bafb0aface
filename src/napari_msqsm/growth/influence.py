"""What each patient does to the result: everything fitted again without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.growth.mixed_model.fit import fit_mixed_model
from napari_msqsm.growth.mixed_model.groups import Groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.growth.model import GrowthModel


@dataclass(frozen=True)
class Influence:
    """A patient left out.

    Parameters
    ----------
    patient_id
        Who.
    n_rows
        Rows of this patient.
    cook
        Distance of the fixed effects from those of all, ``(β − β₋)ᵀ C⁻¹ (β − β₋) / k`` (Cook's D for a patient); None
        where the rest cannot be fitted with the same fixed effects.
    largest_name, largest_se
        Fixed effect that moves most, and by how many of its standard errors.
    """

    patient_id: str
    n_rows: int
    cook: float | None
    largest_name: str = ""
    largest_se: float | None = None


def influences(model: GrowthModel, on_progress: Callable[[float], None] | None = None) -> tuple[Influence, ...]:
    """Leave out one patient after the other; the most influential first."""
    fit, rows = model.fit, model.table.rows
    groups = fit.groups
    inverse = np.linalg.inv(fit.cov)
    out = []
    for patient in range(groups.n_patients):
        if on_progress:
            on_progress(patient / groups.n_patients)
        stays = groups.patient_of_row != patient
        name = str(rows["patient_id"].to_numpy()[int(np.argmin(stays))])
        n_rows = int(np.count_nonzero(~stays))
        rest = Groups.of(
            groups.patient_of_row[stays],
            groups.lesion_of_row[stays] if groups.nested else None,
            groups.effects[stays, 1] if groups.effects.shape[1] > 1 else None,
        )
        try:
            without = fit_mixed_model(fit.response[stays], fit.design[stays], fit.names, rest, start=fit.theta)
        except InputError:
            out.append(Influence(name, n_rows, None))
            continue
        if without.names != fit.names:
            out.append(Influence(name, n_rows, None))
            continue
        moved = fit.beta - without.beta
        in_se = moved / fit.se
        largest = int(np.argmax(np.abs(in_se)))
        cook = float(moved @ inverse @ moved) / moved.size
        out.append(Influence(name, n_rows, cook, fit.names[largest], float(in_se[largest])))
    return tuple(sorted(out, key=lambda each: -(np.inf if each.cook is None else each.cook)))
