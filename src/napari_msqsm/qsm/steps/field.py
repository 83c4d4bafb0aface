"""From phase to the unwrapped total field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm.qsm.dephased_echoes import refit_dephased
from napari_msqsm.qsm.echo_spacing import equally_spaced
from napari_msqsm.qsm.echoes import field_noise_from_magnitude
from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.outlier_echoes import LEAST_ECHOES
from napari_msqsm.qsm.phase_offset.methods import METHODS as OFFSET_METHODS
from napari_msqsm.qsm.phase_offset.result import without
from napari_msqsm.qsm.reliability import weighed_noise
from napari_msqsm.qsm.unequal_echoes import refit_unwrapped
from napari_msqsm.qsm.unwrapping.methods import METHODS as UNWRAP_METHODS

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.field_fit import FieldFitSettings
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values

_LEAST_CONVERGED_FRACTION = 0.99
_BAD_ECHO_FRACTION = 0.5


def phase_offset_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Find the parts of the phase that do not grow with TE and are smooth in space."""
    if values["phase_rad"] is None:
        return {"phase_offset_rad": None, "even_odd_phase_rad": None, "phase_offset_warnings": []}
    offset = run_method(
        OFFSET_METHODS[type(settings.phase_offset)],
        values["magnitude"],
        values["phase_rad"],
        echo_times_s=values["echo_times_s"],
        mask=values["mask"],
        voxel_size_mm=values["voxel_size_mm"],
        settings=settings.phase_offset,
    )
    return {
        "phase_offset_rad": offset.offset_rad,
        "even_odd_phase_rad": offset.even_odd_rad,
        "phase_offset_warnings": list(offset.warnings),
    }


def field_fit_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Fit the field, up to its period, with its noise."""
    if values["phase_rad"] is None:
        noise = field_noise_from_magnitude(
            values["magnitude"], echo_times_s=values["echo_times_s"], mask=values["mask"]
        )
        unknown = noise * math.nan
        return {
            "signal_noise_sd_hz": noise,
            "fit_residual": unknown,
            "wrapped_field_hz": unknown,
            "period_hz": math.nan,
            "field_fit_warnings": [],
        }
    fit = fit_field(
        values["magnitude"],
        _phase_without_offsets(values),
        echo_times_s=values["echo_times_s"],
        mask=values["mask"],
        settings=settings.field_fit,
        on_progress=on_progress,
    )
    warnings = []
    if fit.converged_fraction < _LEAST_CONVERGED_FRACTION:
        warnings.append(
            f"the field fit did not converge in {100 * (1 - fit.converged_fraction):.1f} % of the voxels; "
            "they are noisy or the phase is not consistent over echoes"
        )
    warnings += _outlier_sentences(fit.outlier_fraction, settings.field_fit, len(values["echo_times_s"]))
    return {
        "signal_noise_sd_hz": fit.noise_sd_hz,
        "fit_residual": fit.residual,
        "wrapped_field_hz": fit.field_hz,
        "period_hz": fit.period_hz,
        "field_fit_warnings": warnings,
    }


def _phase_without_offsets(values: Values) -> Array:
    return without(values["phase_rad"], values["phase_offset_rad"], values["even_odd_phase_rad"])


def _outlier_sentences(fractions: tuple[float, ...], settings: FieldFitSettings, n_echoes: int) -> list[str]:
    """Name every echo that disagrees with the others nearly everywhere."""
    if settings.outlier_echoes and n_echoes < LEAST_ECHOES:
        return [
            f"bad echoes cannot be told from good ones with {n_echoes}, wanted at least {LEAST_ECHOES}: all are used"
        ]
    return [
        f"echo {echo} disagrees with the others in {100 * fraction:.0f} % of the voxels and was left out there; "
        "look at its phase"
        for echo, fraction in enumerate(fractions, start=1)
        if fraction > _BAD_ECHO_FRACTION
    ]


def reliability_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Weigh the noise by what else is known about each voxel."""
    noise = values["signal_noise_sd_hz"]
    if (
        values["phase_rad_is_given"] and not values["local_field_is_given"]
    ):  # the misfit is that of the field fitted here
        noise = weighed_noise(noise, values["fit_residual"], mask=values["mask"], settings=settings.reliability)
    return {"noise_sd_hz": noise}


def unwrapping_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Remove the jumps of the field."""
    rounds = settings.field_fit.dephasing_rounds
    parts = 1 + (not equally_spaced(values["echo_times_s"])) + (rounds > 0)

    def part(index: int) -> Progress:
        return lambda fraction: on_progress((index + fraction) / parts)

    phase = _phase_without_offsets(values)
    echoes = {"echo_times_s": values["echo_times_s"], "mask": values["mask"], "settings": settings.field_fit}
    unwrapped = run_method(
        UNWRAP_METHODS[type(settings.unwrapping)],
        values["wrapped_field_hz"],
        period_hz=values["period_hz"],
        mask=values["mask"],
        magnitude=values["combined_magnitude"],
        noise_sd_hz=values["signal_noise_sd_hz"],
        fit_residual=values["fit_residual"],
        settings=settings.unwrapping,
        on_progress=part(0),
    )
    field = unwrapped.field_hz
    if not equally_spaced(values["echo_times_s"]):
        field = refit_unwrapped(
            field,
            values["magnitude"],
            phase,
            period_hz=values["period_hz"],
            on_progress=part(1),
            **echoes,
        )
    if rounds > 0:
        field = refit_dephased(field, values["magnitude"], phase, on_progress=part(parts - 1), **echoes)
    return {"total_field_hz": field, "unwrapping_warnings": list(unwrapped.warnings)}
