"""Quantitative susceptibility mapping of one acquisition, from echoes to χ."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import CancelledError, InputError, MetadataError, ShapeMismatchError
from napari_msqsm.qsm.chain import STEPS
from napari_msqsm.qsm.presets import DEFAULT_PRESET, PRESETS, ReconstructionSettings
from napari_msqsm.qsm.steps.background import check_background

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from napari_msqsm._backend import Array
    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.qsm.step import Around, Step

_LEAST_VOXELS = 100
_WARNINGS = (
    "csf_mask_warnings",
    "phase_offset_warnings",
    "field_fit_warnings",
    "unwrapping_warnings",
    "background_warnings",
    "inversion_warnings",
    "reference_warnings",
)


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """All maps of one reconstruction, on the series' grid and in its array library.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z) susceptibility, zero outside ``mask``.
    local_field_hz
        (X, Y, Z), as the background removal left it or as given.
    total_field_hz
        (X, Y, Z) unwrapped field, zero outside the brain mask; ``None`` where neither it nor phase was given.
    r2star_hz
        (X, Y, Z), 1/s.
    mask
        (X, Y, Z) bool; voxels that have a χ.
    brain_mask
        (X, Y, Z) bool; the brain that everything was computed in, as found or as given. Given again with ``csf_mask``,
        it makes the same map, where ``mask`` may give one that is smaller still.
    csf_mask
        (X, Y, Z) bool.
    noise_sd_hz
        (X, Y, Z) standard deviation of the field.
    fit_residual
        (X, Y, Z) misfit of the field fit relative to the signal; NaN where no phase was fitted.
    quality
        Numbers of `quality_numbers` and ``reference_shift_ppb``.
    warnings
        One sentence for everything that the user should know.
    converged
        Whether every iteration that decides on χ reached its tolerance.
    seconds
        Time of each step.
    record
        Iteration counts and residuals of the inversion.
    settings
        What was used.
    """

    chi_ppm: Array
    local_field_hz: Array
    total_field_hz: Array | None
    r2star_hz: Array
    mask: Array
    brain_mask: Array
    csf_mask: Array
    noise_sd_hz: Array
    fit_residual: Array
    quality: Mapping[str, float]
    warnings: tuple[str, ...]
    converged: bool
    seconds: Mapping[str, float]
    record: Mapping[str, Any] = field(repr=False)
    settings: ReconstructionSettings = field(repr=False)


def reconstruct(
    series: MultiEchoSeries,
    settings: ReconstructionSettings = PRESETS[DEFAULT_PRESET],
    *,
    mask: Array | None = None,
    csf_mask: Array | None = None,
    reference_mask: Array | None = None,
    total_field_hz: Array | None = None,
    local_field_hz: Array | None = None,
    noise_sd_hz: Array | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    cancel: threading.Event | None = None,
    around: Around | None = None,
) -> Reconstruction:
    """Reconstruct χ; whatever is given is used instead of being computed.

    Parameters
    ----------
    series
        Magnitudes and, unless a field is given, phase.
    settings
        A preset, or one changed with `settings.with_overrides`.
    mask, csf_mask
        (X, Y, Z) bool.
    reference_mask
        (X, Y, Z) bool, region whose mean χ becomes zero; when given it overrules ``settings.reference``.
    total_field_hz, local_field_hz, noise_sd_hz
        (X, Y, Z) in Hz, positive where the field is stronger.
    on_progress
        Called with the title of the running step and the fraction done of the whole.
    cancel
        When set, the reconstruction stops at the next iteration.
    around
        Wraps every step, to remember its outcome.

    Raises
    ------
    MetadataError
        When neither phase nor a field is at hand.
    ShapeMismatchError
        When something given does not lie on the series' grid.
    InputError
        When an array holds NaN, has a dtype that does not fit, or a mask is empty.
    CancelledError
        When ``cancel`` was set.
    """
    given = {
        "mask": mask,
        "csf_mask": csf_mask,
        "reference_mask": reference_mask,
        "total_field_hz": total_field_hz,
        "local_field_hz": local_field_hz,
        "noise_sd_hz": noise_sd_hz,
    }
    values = {"reference_mask": None} | _start(series, given)
    if local_field_hz is None:
        check_background(settings)
    steps = [step for step in STEPS if not set(step.makes) <= set(values)]
    if series.phase_rad is None:
        if total_field_hz is None and local_field_hz is None:
            raise MetadataError("there is no phase and no field; give the phase images, or a total or local field")
        steps = [step for step in steps if step.name != "unwrapping"]
        values.setdefault("total_field_hz", None)
    if csf_mask is not None:
        steps = [step for step in steps if step.name != "csf_mask"]
    if local_field_hz is not None:
        values["local_mask"] = values.get("local_mask", mask)
        steps = [step for step in steps if step.name != "background"]
        values |= {"background_warnings": [], "background_converged": True}
    whole, done, seconds = sum(step.weight for step in steps), 0.0, {}
    for step in steps:
        report = _reporter(step, done / whole, step.weight / whole, on_progress, cancel)
        report(0.0)
        began = time.perf_counter()
        made = _run(step, values, settings, report, around)
        values |= {name: value for name, value in made.items() if values.get(name) is None}
        if step.name == "brain_mask" and values.get("local_mask") is None:
            values["local_mask"] = values["mask"]
        seconds[step.name] = time.perf_counter() - began
        done += step.weight
    if on_progress:
        on_progress("Done", 1.0)
    return _result(values, settings, seconds)


def _start(series: MultiEchoSeries, given: Mapping[str, Array | None]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "magnitude": series.magnitude,
        "phase_rad": series.phase_rad,
        "echo_times_s": series.echo_times_s,
        "voxel_size_mm": series.grid.voxel_size_mm,
        "b0_direction": series.b0_direction,
        "hz_per_ppm": series.hz_per_ppm,
        "phase_rad_is_given": series.phase_rad is not None,
        "noise_sd_is_given": given["noise_sd_hz"] is not None,
        "local_field_is_given": given["local_field_hz"] is not None,
    }
    for name in ("magnitude", "phase_rad"):
        if values[name] is not None:
            _check_real(name, values[name], "set them to 0")
    for name, array in given.items():
        if array is None:
            continue
        if tuple(array.shape) != series.grid.shape:
            raise ShapeMismatchError(
                f"{name} has shape {tuple(array.shape)} but the series has {series.grid.shape}; "
                "resample it to the GRE grid"
            )
        if name.endswith("mask"):
            _check_mask(name, array)
        else:
            _check_real(name, array, "set them to 0 outside the mask")
        values[name] = array
    if given["total_field_hz"] is not None:
        values["unwrapping_warnings"] = []
    _check_together(values)
    return values


def _check_together(values: Mapping[str, Any]) -> None:
    """Refuse what was given when it leaves nothing to reconstruct from."""
    mask, csf = values.get("mask"), values.get("csf_mask")
    if mask is not None:
        xp = namespace_of(mask)
        count = int(xp.count_nonzero(mask))
        if count < _LEAST_VOXELS:
            raise InputError(f"mask has {count} voxels, wanted at least {_LEAST_VOXELS}; give a brain mask")
        if csf is not None and not bool(xp.any(csf & mask)):
            raise InputError("csf_mask does not overlap mask; give one inside the brain")
    for name in ("total_field_hz", "local_field_hz", "noise_sd_hz"):
        field = values.get(name)
        if field is None:
            continue
        xp = namespace_of(field)
        used = field if mask is None else field[mask]
        if not bool(xp.any(used != 0)):
            raise InputError(f"{name} is zero everywhere in the mask; give the field of this scan")
        if name == "noise_sd_hz" and bool(xp.any(used < 0)):
            raise InputError("noise_sd_hz has negative values; give standard deviations in Hz")


def _check_mask(name: str, array: Array) -> None:
    xp = namespace_of(array)
    if array.dtype != xp.bool:
        raise InputError(f"{name} has dtype {array.dtype}, wanted bool; pass {name} > 0")
    if not bool(xp.any(array)):
        raise InputError(f"{name} is empty; give one with at least one voxel")


def _check_real(name: str, array: Array, remedy: str) -> None:
    xp = namespace_of(array)
    if not xp.isdtype(array.dtype, "real floating"):
        raise InputError(f"{name} has dtype {array.dtype}, wanted real numbers; convert it to float32")
    images = (array[echo, ...] for echo in range(array.shape[0])) if array.ndim > 3 else (array,)
    if not all(bool(xp.all(xp.isfinite(image))) for image in images):
        raise InputError(f"{name} holds NaN or infinite values; {remedy}")


def _run(
    step: Step,
    values: Mapping[str, Any],
    settings: ReconstructionSettings,
    report: Callable[[float], None],
    around: Around | None,
) -> Mapping[str, Any]:
    inputs = {name: values[name] for name in step.needs}

    def compute() -> Mapping[str, Any]:
        return step.run(inputs, settings, report)

    return around(step, inputs, settings, compute) if around else compute()


def _reporter(
    step: Step,
    start: float,
    share: float,
    on_progress: Callable[[str, float], None] | None,
    cancel: threading.Event | None,
) -> Callable[[float], None]:
    def report(fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError(f"cancelled during: {step.title}")
        if on_progress:
            on_progress(step.title, start + share * fraction)

    return report


def _result(
    values: Mapping[str, Any], settings: ReconstructionSettings, seconds: Mapping[str, float]
) -> Reconstruction:
    quality = {**values["quality"], "reference_shift_ppb": 1000.0 * values["reference_shift_ppm"]}
    return Reconstruction(
        chi_ppm=values["chi_ppm"],
        local_field_hz=_inside(values["local_field_hz"], values["local_mask"]),
        total_field_hz=_inside(values.get("total_field_hz"), values["mask"]),
        r2star_hz=values["r2star_hz"],
        mask=values["chi_mask"],
        brain_mask=values["mask"],
        csf_mask=values["csf_mask"],
        noise_sd_hz=values["noise_sd_hz"],
        fit_residual=values["fit_residual"],
        quality=quality,
        warnings=tuple(sentence for name in _WARNINGS for sentence in values.get(name, ())),
        converged=bool(values["converged"]) and bool(values["background_converged"]),
        seconds=seconds,
        record=values["inversion_record"],
        settings=settings,
    )


def _inside(image: Array | None, mask: Array) -> Array | None:
    """Image with zeros outside a mask."""
    if image is None:
        return None
    xp = namespace_of(image, mask)
    return xp.where(mask, image, xp.zeros_like(image))
