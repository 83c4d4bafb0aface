"""The weight of the inversion, given or chosen from the data of the scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.method import takes
from napari_msqsm.qsm.weight_choice.choose import ChosenWeight, chosen_weight
from napari_msqsm.qsm.weight_choice.misfit import judge_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.result import Inversion
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values
    from napari_msqsm.qsm.weight_choice.misfit import Judge
    from napari_msqsm.settings import Settings

_LEAST_ECHOES = 3


def inversion_weight(
    invert: Callable[[Settings, Progress], Inversion],
    field_hz: Array,
    mask: Array,
    *,
    values: Values,
    settings: ReconstructionSettings,
    on_progress: Progress,
) -> ChosenWeight:
    """Choose the weight of the inversion as ``settings.weight_choice`` asks for.

    Parameters
    ----------
    invert
        One pass of the inversion, as ``invert(inversion_settings, on_progress)``.
    field_hz
        (X, Y, Z); what is inverted.
    mask
        (X, Y, Z) bool; where.
    values
        Of the chain.
    settings
        Of the reconstruction.
    on_progress
        Called with the fraction done of the choice.
    """
    is_filtered = not values["local_field_is_given"] and takes(METHODS[type(settings.inversion)], "residual_background")

    def judge(radii_mm: Sequence[float]) -> Judge:
        return judge_of(
            field_hz,
            mask=mask,
            noise_sd_hz=values["noise_sd_hz"],
            voxel_size_mm=values["voxel_size_mm"],
            b0_direction=values["b0_direction"],
            hz_per_ppm=values["hz_per_ppm"],
            radii_mm=radii_mm,
        )

    return chosen_weight(
        invert,
        settings.inversion,
        choice=settings.weight_choice,
        judge=judge,
        radii_mm=settings.residual_background.smv_radii_mm if is_filtered else (),
        noise_is_absolute=values["noise_sd_is_given"]
        or (values["phase_rad_is_given"] and len(values["echo_times_s"]) >= _LEAST_ECHOES),
        on_progress=on_progress,
    )
