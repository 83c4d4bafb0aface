"""One reconstruction on the chosen device, with cache, progress, cancel and the check of the phase's sign."""

from __future__ import annotations

import contextlib
import functools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_msqsm import _backend
from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.qsm.chain import STEPS
from napari_msqsm.qsm.phase_sign import SignVerdict, map_sign_from_data, phase_sign_from_data
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.qsm.step import Step
from napari_msqsm.workflow.cache import StepCache
from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.placement import Placement, after_running_out, placed
from napari_msqsm.workflow.store import ResultStore

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.reconstruct import Reconstruction
    from napari_msqsm.workflow.inputs import Inputs
    from napari_msqsm.workflow.tasks import OnProgress

OnWarning = Callable[[str], None]
_SIGN_VERSION = 1
_SIGN_SHARE = 0.08
_FIELD_NEGATED = "{sentence}; if the field is positive where it is weaker, negate it"
_NOT_VERIFIED = "the sign of the phase could not be verified ({sentence}); pass --phase-sign 1 or -1 if you know it"
_FLIPPED = "THE SIGN OF THE PHASE WAS TURNED: {sentence}; pass --phase-sign to overrule"
_KEPT = "the sign of the phase was kept as given by --phase-sign, although {sentence}"


@dataclass(frozen=True)
class Computed:
    """A reconstruction in host memory, and how it came about."""

    result: Reconstruction
    inputs: Inputs
    verdict: SignVerdict | None
    flipped: bool
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    reused: tuple[str, ...]
    device: str


def pipeline_version() -> str:
    """Version of the whole chain: changes when the version of any step does, or what a step looks at."""
    steps = [[step.name, step.version, list(step.needs), list(step.settings)] for step in STEPS]
    return digest_of([*steps, ["phase_sign", _SIGN_VERSION]])[:12]


def compute(
    inputs: Inputs,
    settings: ReconstructionSettings,
    *,
    cache_folder: Path,
    device: str = "auto",
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: OnWarning | None = None,
) -> Computed:
    """Reconstruct what was read.

    Parameters
    ----------
    inputs
        From `napari_msqsm.workflow.inputs`.
    settings
        Of the reconstruction.
    cache_folder
        Where outputs of steps are kept; gone again when the input turns out to be unusable.
    device
        ``auto``, ``cpu`` or ``cuda``.
    on_progress, cancel
        See `napari_msqsm.workflow.tasks`.
    on_warning
        Called with what must not be overlooked as soon as it is known.

    Raises
    ------
    MsqsmError
        Input unusable, cancelled, or no GPU where one was asked for.
    """
    xp = _backend.array_module(device)
    cache = StepCache(ResultStore(cache_folder))
    warnings: list[str] = []
    furthest = 0.0

    def say(sentence: str) -> None:
        if sentence in warnings:  # said before a second attempt
            return
        warnings.append(sentence)
        if on_warning:
            on_warning(sentence)

    def progress(message: str, fraction: float) -> None:
        nonlocal furthest
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        furthest = max(furthest, fraction)
        if on_progress:
            on_progress(message, furthest)

    with _nothing_left_when_unusable(cache_folder):
        needs_sign = not inputs.has_field and inputs.series.phase_rad is not None
        masked, seconds = inputs, dict[str, float]()
        if needs_sign:
            masked, seconds = _with_mask(inputs, settings, cache, progress)
        placement = placed(masked, settings, xp)
        run = functools.partial(
            _attempt, masked, settings, needs_sign=needs_sign, cache=cache, cancel=cancel, progress=progress, say=say
        )
        try:
            attempt = run(placement)
        except Exception as error:
            if not (placement.device == "cuda" and _backend.is_gpu_out_of_memory(error)):
                raise
            placement = after_running_out(placement)
        else:
            return _computed(attempt, inputs, placement, cache, seconds, warnings, say, progress)
        _backend.free_gpu_memory()
        attempt = run(placement)
        return _computed(attempt, inputs, placement, cache, seconds, warnings, say, progress)


@dataclass(frozen=True)
class _Attempt:
    """What ran on one device, in host memory."""

    result: Reconstruction
    assumptions: tuple[str, ...]
    verdict: SignVerdict | None
    flipped: bool
    seconds: Mapping[str, float]


def _attempt(
    inputs: Inputs,
    settings: ReconstructionSettings,
    placement: Placement,
    *,
    needs_sign: bool,
    cache: StepCache,
    cancel: threading.Event | None,
    progress: OnProgress,
    say: OnWarning,
) -> _Attempt:
    """Sign of the phase and all steps of the chain, where the placement says."""
    if placement.notice:
        say(placement.notice)
    there = placement.moved(inputs)
    verdict, flipped, start = None, False, 0.0
    seconds: dict[str, float] = {}
    if needs_sign:
        began = time.perf_counter()
        progress("Sign of the phase", _SIGN_SHARE / 4)
        verdict = _verdict(there, settings, cache)
        seconds["phase_sign"] = time.perf_counter() - began
        there, flipped = _judge(there, verdict, say)
        start = _SIGN_SHARE
    result = reconstruct(
        there.series,
        settings,
        mask=there.mask,
        csf_mask=there.csf_mask,
        reference_mask=there.reference_mask,
        total_field_hz=there.total_field_hz,
        local_field_hz=there.local_field_hz,
        noise_sd_hz=there.noise_sd_hz,
        on_progress=lambda message, fraction: progress(message, start + (0.97 - start) * fraction),
        cancel=cancel,
        around=cache.around,
    )
    return _Attempt(_on_host(result), there.series.assumptions, verdict, flipped, {**seconds, **result.seconds})


def _computed(
    attempt: _Attempt,
    inputs: Inputs,
    placement: Placement,
    cache: StepCache,
    seconds: Mapping[str, float],
    warnings: list[str],
    say: OnWarning,
    progress: OnProgress,
) -> Computed:
    result, verdict = attempt.result, attempt.verdict
    if inputs.has_field:
        verdict = map_sign_from_data(
            result.chi_ppm,
            r2star_hz=result.r2star_hz,
            mask=result.mask,
            voxel_size_mm=inputs.series.grid.voxel_size_mm,
        )
        if verdict.sign < 0:
            say(_FIELD_NEGATED.format(sentence=verdict.sentence))
    for sentence in result.warnings:
        say(sentence)
    progress("Writing", 0.98)
    _backend.free_gpu_memory()
    return Computed(
        result=result,
        inputs=replace(inputs, series=replace(inputs.series, assumptions=attempt.assumptions)),
        verdict=verdict,
        flipped=attempt.flipped,
        warnings=tuple(warnings),
        seconds={
            name: seconds.get(name, 0.0) + attempt.seconds.get(name, 0.0) for name in {**seconds, **attempt.seconds}
        },
        reused=tuple(name for name in dict.fromkeys(cache.reused) if name not in cache.computed),
        device=placement.device,
    )


def _with_mask(
    inputs: Inputs, settings: ReconstructionSettings, cache: StepCache, progress: OnProgress
) -> tuple[Inputs, dict[str, float]]:
    """Brain mask before everything else: the check of the sign needs it too."""
    if inputs.mask is not None:
        return inputs, {}
    values: dict[str, Any] = {
        "magnitude": inputs.series.magnitude,
        "phase_rad": inputs.series.phase_rad,
        "voxel_size_mm": inputs.series.grid.voxel_size_mm,
    }
    seconds = {}
    for step in STEPS:
        if step.name in ("combine", "brain_mask"):
            began = time.perf_counter()
            progress(step.title, 0.0)
            needed = {name: values[name] for name in step.needs}
            run = functools.partial(step.run, needed, settings, _pass)
            values |= cache.around(step, needed, settings, run)
            seconds[step.name] = time.perf_counter() - began
    return replace(inputs, mask=values["mask"]), seconds


def _verdict(inputs: Inputs, settings: ReconstructionSettings, cache: StepCache) -> SignVerdict:
    series, mask = inputs.series, inputs.mask
    values = {
        "magnitude": series.magnitude,
        "phase_rad": series.phase_rad,
        "mask": mask,
        "echo_times_s": series.echo_times_s,
        "voxel_size_mm": series.grid.voxel_size_mm,
        "b0_direction": series.b0_direction,
        "hz_per_ppm": series.hz_per_ppm,
    }

    def run(_: Mapping[str, Any], __: ReconstructionSettings, ___: Callable[[float], None]) -> Mapping[str, Any]:
        return {"verdict": phase_sign_from_data(series, mask=mask)}

    step = Step("phase_sign", "Sign of the phase", _SIGN_VERSION, tuple(values), ("verdict",), (), run, 1.0)
    made = cache.around(step, values, settings, lambda: run(values, settings, _pass))
    verdict: SignVerdict = made["verdict"]
    return verdict


def _judge(inputs: Inputs, verdict: SignVerdict, say: OnWarning) -> tuple[Inputs, bool]:
    """Follow the data where the user said nothing; say it whenever the two do not agree."""
    from napari_msqsm.workflow.inputs import with_opposite_phase

    if inputs.declared_sign is not None:
        if verdict.sign < 0:
            say(_KEPT.format(sentence=verdict.sentence))
        return inputs, False
    if verdict.sign < 0:
        sentence = _FLIPPED.format(sentence=verdict.sentence)
        say(sentence)
        return with_opposite_phase(inputs, sentence), True
    if verdict.sign == 0:
        say(_NOT_VERIFIED.format(sentence=verdict.sentence))
    return inputs, False


def _on_host(result: Reconstruction) -> Reconstruction:
    total = result.total_field_hz
    return replace(
        result,
        chi_ppm=_backend.to_numpy(result.chi_ppm),
        local_field_hz=_backend.to_numpy(result.local_field_hz),
        total_field_hz=None if total is None else _backend.to_numpy(total),
        r2star_hz=_backend.to_numpy(result.r2star_hz),
        mask=_backend.to_numpy(result.mask),
        brain_mask=_backend.to_numpy(result.brain_mask),
        csf_mask=_backend.to_numpy(result.csf_mask),
        noise_sd_hz=_backend.to_numpy(result.noise_sd_hz),
        fit_residual=_backend.to_numpy(result.fit_residual),
    )


def _pass(_: float) -> None:
    """Take the progress of a step too short to show it."""


@contextlib.contextmanager
def _nothing_left_when_unusable(folder: Path) -> Iterator[None]:
    """Remove what this run made of ``folder`` and its parents when the input cannot be used."""
    first_new = next((path for path in reversed([folder, *folder.parents]) if not path.exists()), None)
    try:
        yield
    except (InputError, ParameterError):
        if first_new is not None:
            shutil.rmtree(first_new, ignore_errors=True)
        raise
