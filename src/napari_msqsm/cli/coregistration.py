"""Coregistration as a part of ``msqsm run`` and ``msqsm demo``: its arguments, and what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.outcome import CoregistrationOutcome
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--no-coregistration`` and ``--set-coregistration``."""
    group = parser.add_argument_group("coregistration")
    group.add_argument(
        "--no-coregistration", action="store_true", help="do not align the images to the baseline's gradient echo"
    )
    group.add_argument(
        "--set-coregistration",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="any of its settings, such as registration.model=scale9, frame=mid-space, interpolation=quintic",
    )


def chosen(args: argparse.Namespace) -> CoregistrationSettings:
    """Make the settings that the arguments ask for.

    Raises
    ------
    ParameterError
        When a name or value does not exist or is not allowed.
    """
    from napari_msqsm.cli.overrides import overridden
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings

    return overridden(CoregistrationSettings(), args.set_coregistration, "--set-coregistration")


def coregister(
    args: argparse.Namespace,
    study: Study,
    patients: Sequence[str],
    settings: CoregistrationSettings,
    *,
    out_dir: Path | None = None,
) -> tuple[CoregistrationOutcome, ...]:
    """Align all images of patients with a progress bar, and say how it went."""
    if args.no_coregistration:
        return ()
    from napari_msqsm.workflow.coregistration.batch import coregister_patients
    from napari_msqsm.workflow.coregistration.summary import as_table

    outcomes: tuple[CoregistrationOutcome, ...] = common.run_task(
        args,
        "coregistration",
        lambda on_progress, cancel: coregister_patients(
            study,
            patients,
            settings,
            device=args.device,
            seed=args.seed,
            out_dir=out_dir,
            on_progress=on_progress,
            cancel=cancel,
            on_warning=common.warn,
        ),
    )
    for outcome in outcomes:
        if outcome.results:
            common.say(args, f"aligned to the gradient echo of {outcome.baseline}:")
            common.say(args, as_table(outcome.results))
            for sentence in outcome.remarks:
                common.say(args, f"note: {sentence}")
            for picture in outcome.pictures.values():
                common.say(args, f"picture: {picture}")
    return outcomes


def planned(
    args: argparse.Namespace, study: Study, patients: Sequence[str], out_dir: Path | None = None
) -> tuple[Pair, ...]:
    """Pairs that would be aligned, whether or not an earlier run did so."""
    if args.no_coregistration:
        return ()
    from napari_msqsm.workflow.coregistration.pairs import pairs_of

    return tuple(pair for patient in patients for pair in pairs_of(study, patient, out_dir=out_dir))


def code_of(outcomes: Sequence[CoregistrationOutcome]) -> int:
    """Exit code: an image that cannot be read weighs more than one that could not be aligned."""
    results = [result for outcome in outcomes for result in outcome.unusable]
    if any(result.error for result in results):
        return common.UNUSABLE
    return common.NOT_CONVERGED if results else common.DONE


def worst(*codes: int) -> int:
    """Exit code of several parts."""
    order = (common.DONE, common.NOT_CONVERGED, common.UNUSABLE)
    return max(codes, key=order.index)
