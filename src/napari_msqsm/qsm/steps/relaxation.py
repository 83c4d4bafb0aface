"""From the magnitudes: their combination and R2*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.r2star.methods import METHODS

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values


def combine_step(values: Values, _: ReconstructionSettings, __: Progress) -> Values:
    """Combine the echoes to one magnitude."""
    return {"combined_magnitude": root_sum_of_squares(values["magnitude"])}


def r2star_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Fit R2*."""
    return {
        "r2star_hz": run_method(
            METHODS[type(settings.r2star)],
            values["magnitude"],
            echo_times_s=values["echo_times_s"],
            mask=values["mask"],
            total_field_hz=values["total_field_hz"],
            settings=settings.r2star,
        )
    }
