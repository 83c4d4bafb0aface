"""``msqsm demo``: the bundled sample study, from echoes to pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common, coregistration, recon_settings

if TYPE_CHECKING:
    import argparse

HELP = "reconstruct and align the bundled sample study; opens napari when there is a screen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm demo``."""
    parser.add_argument(
        "--out", type=Path, default=Path("msqsm-demo"), metavar="DIR", help="folder of the study (default: msqsm-demo)"
    )
    parser.add_argument("--no-viewer", action="store_true", help="do not open napari at the end")
    recon_settings.add_arguments(parser)
    coregistration.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Copy the sample study, reconstruct and align every session, say how it went and show it."""
    if args.list_settings:
        return recon_settings.print_settings(args)
    from napari_msqsm.cli.viewer import open_viewer
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.phantom.sample import copy_sample_study
    from napari_msqsm.workflow.batch import reconstruct_sessions
    from napari_msqsm.workflow.summary import as_table, summary_of

    settings, align = recon_settings.chosen(args), coregistration.chosen(args)
    root = copy_sample_study(args.out)
    study = open_study(root)
    common.say(args, f"Sample study: {len(study.patients)} patient, {len(study.sessions)} sessions, in {root}")
    batch = common.run_task(
        args,
        "demo",
        lambda on_progress, cancel: reconstruct_sessions(
            study,
            study.sessions,
            settings,
            device=args.device,
            seed=args.seed,
            on_progress=on_progress,
            cancel=cancel,
            on_warning=common.warn,
        ),
    )
    rows = summary_of(study, batch.outcomes)
    common.say(args, as_table(rows))
    if any(row.lesions for row in rows):
        common.say(args, "lesions: measured (true) mean χ in ppb, relative to the brain's mean")
    for outcome in batch.outcomes:
        common.say(args, f"picture: {outcome.files['picture']}")
    outcomes = coregistration.coregister(args, study, [person.patient_id for person in study.patients], align)
    common.say(args, f"results: {study.derivatives_root}")
    common.write_json(
        args,
        batch.as_json()
        | {
            "summary": [row.as_json() for row in rows],
            "coregistration": [outcome.as_json() for outcome in outcomes],
        },
    )
    for label, sentence in batch.refused.items():
        common.warn(f"{label}: {sentence}")
    if not args.no_viewer:
        reason = open_viewer(root)
        if reason:
            common.say(args, f"napari was not opened: {reason}; later: napari --plugin napari-msqsm {root}")
    return coregistration.worst(common.batch_code(batch), coregistration.code_of(outcomes))
