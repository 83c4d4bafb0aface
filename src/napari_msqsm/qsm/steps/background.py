"""Background field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.qsm.background.methods import METHODS
from napari_msqsm.qsm.method import run_method

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values


def background_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Take the field of sources outside the brain away."""
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
        "local_field_hz": result.field_hz,
        "local_mask": result.mask,
        "background_converged": result.converged,
        "background_warnings": warnings,
    }
