"""Running an inversion at a ladder of weights and choosing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.qsm.inversion.methods import METHODS as INVERSIONS
from napari_msqsm.qsm.weight_choice.curve import Curve
from napari_msqsm.qsm.weight_choice.methods import METHODS, NEEDS_ABSOLUTE_NOISE, FixedWeightSettings
from napari_msqsm.qsm.weight_choice.weight import weight_of, with_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_msqsm.qsm.inversion.result import Inversion
    from napari_msqsm.qsm.weight_choice.methods import WeightChoiceSettings
    from napari_msqsm.qsm.weight_choice.misfit import Judge
    from napari_msqsm.settings import Settings

    Progress = Callable[[float], None]

_RADII_MM = (8.0, 5.0)


@dataclass(frozen=True)
class ChosenWeight:
    """Outcome.

    Parameters
    ----------
    settings
        Of the inversion, with the chosen weight.
    record
        Curve and choice as plain values; empty where the weight was fixed.
    warnings
        What the user should know.
    """

    settings: Settings
    record: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def check_choice(choice: WeightChoiceSettings, settings: Settings, *, noise_is_absolute: bool) -> None:
    """Refuse what cannot be done, before anything is run.

    Raises
    ------
    ParameterError
        When the inversion has no weight.
    InputError
        When the choice needs the size of the noise and that is not known.
    """
    if isinstance(choice, FixedWeightSettings):
        return
    if weight_of(settings) is None:
        raise ParameterError(
            f"weight_choice.method is {choice.method}, but the inversion {getattr(settings, 'method', '')} has no "
            f"weight between data and smoothness; choose one that has ({', '.join(_with_weights())}) or "
            "weight_choice.method=fixed"
        )
    if isinstance(choice, NEEDS_ABSOLUTE_NOISE) and not noise_is_absolute:
        raise InputError(
            f"weight_choice.method is {choice.method}, which needs the size of the field's noise, but without phase of "
            "three echoes or more only its scale from voxel to voxel is known; give noise_sd_hz or choose l-curve"
        )


def chosen_weight(
    invert: Callable[[Any, Progress], Inversion],
    settings: Settings,
    *,
    choice: WeightChoiceSettings,
    judge: Callable[[Sequence[float]], Judge],
    radii_mm: Sequence[float],
    noise_is_absolute: bool,
    on_progress: Progress,
) -> ChosenWeight:
    """Choose the weight of an inversion.

    Parameters
    ----------
    invert
        Any inversion, as ``invert(settings, on_progress)``.
    settings
        Of the inversion; its own weight is the middle of the ladder.
    choice
        How it is chosen.
    judge
        Makes what the maps are held against, of the radii of its filter; not called where the weight is fixed.
    radii_mm
        Spheres of the filter that the inversion itself applies to the field; none: no filter.
    noise_is_absolute
        Whether the noise that the judge knows is in Hz, or only right up to a common factor.
    on_progress
        Called with the fraction done of the ladder; may raise to stop.

    Raises
    ------
    ParameterError, InputError
        See `check_choice`.
    """
    check_choice(choice, settings, noise_is_absolute=noise_is_absolute)
    weight = weight_of(settings)
    if weight is None or isinstance(choice, FixedWeightSettings):
        return ChosenWeight(settings, {})
    if isinstance(choice, NEEDS_ABSOLUTE_NOISE):  # what sources outside the mask explain must not count as misfit
        radii_mm = radii_mm or _RADII_MM
    measure = judge(radii_mm)
    ladder = weight.ladder(choice.runs, choice.decades)
    misfits: list[float] = []
    variations: list[float] = []
    converged: list[bool] = []
    for run, value in enumerate(ladder):

        def report(fraction: float, run: int = run) -> None:
            on_progress((run + fraction) / len(ladder))

        result = invert(with_weight(settings, weight.name, value), report)
        misfits.append(measure.misfit(result.chi_ppm))
        variations.append(measure.variation(result.chi_ppm, result.mask))
        converged.append(result.converged and result.cg_converged)
        report(1.0)
    curve = Curve(ladder, tuple(misfits), tuple(variations))
    found = METHODS[type(choice)](curve, settings=choice)
    value = weight.value if found.place is None else curve.weight_at(found.place)
    record = {
        "method": choice.method,
        "weight": weight.name,
        "chosen": value,
        "weights": list(ladder),
        "misfits": misfits,
        "variations_ppm_per_mm": variations,
        "converged": converged,
    }
    unfinished = len(ladder) - sum(converged)
    doubt = (f"{unfinished} of the {len(ladder)} inversions that the weight was chosen by did not converge",)
    warnings = found.warnings + (doubt if unfinished else ())
    return ChosenWeight(with_weight(settings, weight.name, value), record, warnings)


def time_share(choice: WeightChoiceSettings) -> float:
    """Part of the time of choosing and inverting that choosing takes."""
    return 0.0 if isinstance(choice, FixedWeightSettings) else choice.runs / (choice.runs + 1.0)


def _with_weights() -> list[str]:
    return [str(kind().method) for kind in INVERSIONS if weight_of(kind) is not None]
