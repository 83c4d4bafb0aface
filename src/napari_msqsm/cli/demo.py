"""``msqsm demo``: the bundled sample study, from echoes to the lesion table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common, coregistration, recon_settings

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.workflow.measure.study import StudyMeasurement

HELP = "the whole pipeline on the bundled sample study, to its lesion table; opens napari when there is a screen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm demo``."""
    parser.add_argument(
        "--out", type=Path, default=Path("msqsm-demo"), metavar="DIR", help="folder of the study (default: msqsm-demo)"
    )
    parser.add_argument("--no-viewer", action="store_true", help="do not open napari at the end")
    recon_settings.add_arguments(parser)
    coregistration.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Copy the sample study, reconstruct and align every session, measure its lesions, say how it went and show it."""
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
    measured = _measure(args, root)
    common.say(args, f"results: {study.derivatives_root}")
    common.write_json(
        args,
        batch.as_json()
        | {
            "summary": [row.as_json() for row in rows],
            "coregistration": [outcome.as_json() for outcome in outcomes],
            "measurement": None if measured is None else measured.as_json(),
        },
    )
    for label, sentence in batch.refused.items():
        common.warn(f"{label}: {sentence}")
    if not args.no_viewer:
        reason = open_viewer(root)
        if reason:
            common.say(args, f"napari was not opened: {reason}; later: napari --plugin napari-msqsm {root}")
    return coregistration.worst(common.batch_code(batch), coregistration.code_of(outcomes))


def _measure(args: argparse.Namespace, root: Path) -> StudyMeasurement | None:
    """Measure the lesions that are drawn; the true ones stand in for a reader's where none are. None without any."""
    from napari_msqsm.cli import measure
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workflow.measure.study import measure_study
    from napari_msqsm.workflow.measure.summary import curves_table
    from napari_msqsm.workflow.stand_in import draw_truth

    study = open_study(root)  # with the maps that are there now
    drawn = [draw_truth(study, patient) for patient in study.patients]
    count = sum(each.lesions for each in drawn)
    if count:
        common.say(
            args,
            f"lesions: the {count} true ones stand in for a reader's drawings; they go the same way: drawn on FLAIR, "
            "carried to the gradient echo of their onset, propagated to later sessions, measured",
        )
    for sentence in (note for each in drawn for note in each.notes):
        common.warn(sentence)
    if not any(Places(study.derivatives_root, patient.patient_id).lesions.is_file() for patient in study.patients):
        return None
    measured: StudyMeasurement = common.run_task(
        args, "measure", lambda on_progress, cancel: measure_study(study, on_progress=on_progress, cancel=cancel)
    )
    common.say(args, "\nχ of the lesions relative to the white matter about them, ppb (age in years):")
    common.say(args, curves_table(measured.tables))
    measure.report(args, measured)
    return measured
