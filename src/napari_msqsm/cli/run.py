"""``msqsm run``: every session of a BIDS dataset, by the BIDS-App convention."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common, coregistration, recon_settings

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.model.study import Session

HELP = "reconstruct and align every session of a BIDS dataset (BIDS-App convention)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm run``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS dataset")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR", help="folder for the derivatives")
    parser.add_argument("level", choices=("participant",), help="level of the analysis")
    parser.add_argument(
        "--participant-label", nargs="+", metavar="LABEL", help="patients, with or without sub- (default: all)"
    )
    parser.add_argument("--work-dir", type=Path, metavar="D", help="folder for the cache of steps")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and leave")
    parser.add_argument(
        "--own-masks", action="store_true", help="make brain and CSF masks even where some were taken over (add masks)"
    )
    common.add_by_products(parser)
    recon_settings.add_arguments(parser)
    coregistration.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Reconstruct session after session, then align every patient; what cannot be used is named at the end."""
    if args.list_settings:
        return recon_settings.print_settings(args)
    from napari_msqsm.errors import InputError
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.batch import reconstruct_sessions, sessions_of

    settings, align = recon_settings.chosen(args), coregistration.chosen(args)
    study = open_study(args.bids_dir)
    sessions = sessions_of(study, args.participant_label)
    for session in sessions:
        if not session.can_reconstruct:
            common.warn(f"{session.label} is left out: {next(iter(session.missing), 'no magnitude and phase')}")
    usable = [session for session in sessions if session.can_reconstruct]
    if not usable:
        raise InputError(f"no session in {args.bids_dir} has multi-echo magnitude and phase")
    patients = tuple(dict.fromkeys(session.patient_id for session in sessions))
    if args.dry_run:
        for session in usable:
            common.say(args, f"would reconstruct {session.label}{_with_masks(session, args)}")
        pairs = coregistration.planned(args, study, patients, args.out_dir)
        for pair in pairs:
            common.say(args, f"would align {pair.name} to the gradient echo of {pair.fixed_session}")
        common.write_json(
            args, {"sessions": [session.label for session in usable], "pairs": [pair.name for pair in pairs]}
        )
        return common.DONE
    batch = common.run_task(
        args,
        "run",
        lambda on_progress, cancel: reconstruct_sessions(
            study,
            usable,
            settings,
            out_dir=args.out_dir,
            device=args.device,
            seed=args.seed,
            work_dir=args.work_dir,
            by_products=args.by_products,
            given_masks=not args.own_masks,
            on_progress=on_progress,
            cancel=cancel,
            on_warning=common.warn,
        ),
    )
    for outcome in batch.outcomes:
        masks = _with_masks(study.session(outcome.label), args)
        common.say(args, f"{outcome.label}: {outcome.chimap}{masks}")
    for label, sentence in batch.refused.items():
        common.warn(f"{label}: {sentence}")
    outcomes = coregistration.coregister(args, study, patients, align, out_dir=args.out_dir)
    common.write_json(args, batch.as_json() | {"coregistration": [outcome.as_json() for outcome in outcomes]})
    return coregistration.worst(common.batch_code(batch), coregistration.code_of(outcomes))


def _with_masks(session: Session, args: argparse.Namespace) -> str:
    """Say which masks that were taken over are used."""
    words = {"given_brain_mask": "brain mask", "given_csf_mask": "CSF mask"}
    given = [word for name, word in words.items() if name in session.derivatives and not args.own_masks]
    return f" (with the {' and the '.join(given)} taken over)" if given else ""
