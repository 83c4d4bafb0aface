"""Background field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.background.methods import METHODS
from napari_msqsm.qsm.background.none import NoBackgroundSettings
from napari_msqsm.qsm.inversion.tfi import TfiSettings
from napari_msqsm.qsm.method import run_method

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values


def background_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Take the field of sources outside the brain away; with ``none``, the inversion will make the local field."""
    check_background(settings)
    result = run_method(
        METHODS[type(settings.background)],
        values["total_field_hz"],
        noise_sd_hz=values["noise_sd_hz"],
        mask=values["mask"],
        voxel_size_mm=values["voxel_size_mm"],
        b0_direction=values["b0_direction"],
        hz_per_ppm=values["hz_per_ppm"],
        magnitude=values["combined_magnitude"],
        settings=settings.background,
        on_progress=on_progress,
    )
    warnings = []
    if not result.converged:
        warnings.append(f"background removal stopped after {result.iterations} iterations before its tolerance")
    return {
        "local_field_hz": None if isinstance(settings.background, NoBackgroundSettings) else result.field_hz,
        "local_mask": result.mask,
        "background_converged": result.converged,
        "background_warnings": warnings,
    }


def check_background(settings: ReconstructionSettings) -> None:
    """Refuse a total-field inversion of a local field, and the other way round.

    Raises
    ------
    ParameterError
        When background removal and inversion do not fit together.
    """
    background, inversion = settings.background.method, settings.inversion.method
    total = isinstance(settings.inversion, TfiSettings)
    if total and not isinstance(settings.background, NoBackgroundSettings):
        raise ParameterError(
            f"inversion {inversion} separates the background field itself, but background is {background}; "
            "set background to none, or choose another inversion"
        )
    if isinstance(settings.background, NoBackgroundSettings) and not total:
        raise ParameterError(
            f"background none leaves the background field in, and inversion {inversion} would take it for the "
            "brain's own; choose a background method, or inversion tfi, or give a local field"
        )
