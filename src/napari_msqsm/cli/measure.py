"""``msqsm measure``: the lesion table of a study from what was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.workflow.measure.study import StudyMeasurement

HELP = "measure what was drawn: susceptibility and volume of every lesion at every session, in one table"
_FORMATS = ("tsv", "csv", "xlsx", "parquet")
_MOST_NOTES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm measure``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS dataset")
    parser.add_argument(
        "--participant-label",
        nargs="+",
        metavar="LABEL",
        help="patients, with or without sub- (default: all); rows of the others stay in the table",
    )
    parser.add_argument(
        "--out-dir",
        type=Path,
        metavar="D",
        help="root of the derivatives with maps and drawings, where the table goes too (default: those of the dataset)",
    )
    parser.add_argument(
        "--format",
        nargs="+",
        choices=_FORMATS,
        default=["tsv"],
        metavar="FORMAT",
        help="also write the table as csv, xlsx or parquet; tsv and its data dictionary are always written",
    )
    parser.add_argument(
        "--set-reference",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="how the reference is found, such as ring.outer_mm=8; ring.mirror=true takes the other hemisphere where "
        "the own side has not enough, which is flagged",
    )
    parser.add_argument(
        "--no-local-alignment",
        action="store_true",
        help="do not align every lesion on its own to find those that lie beside their region (some tenths of a second "
        "for each lesion and session)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure patient after patient; what cannot be used is named at the end."""
    from napari_msqsm.cli.overrides import overridden
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.measure.study import measure_study
    from napari_msqsm.workflow.reference.settings import ReferenceSettings

    reference = overridden(ReferenceSettings(), args.set_reference, "--set-reference")
    study = open_study(args.bids_dir)
    measured: StudyMeasurement = common.run_task(
        args,
        "measure",
        lambda on_progress, cancel: measure_study(
            study,
            args.participant_label,
            out_dir=args.out_dir,
            look_for_shifts=not args.no_local_alignment,
            reference=reference,
            formats=[name for name in args.format if name != "tsv"],
            on_progress=on_progress,
            cancel=cancel,
        ),
    )
    report(args, measured)
    common.write_json(args, measured.as_json())
    return code_of(measured)


def report(args: argparse.Namespace, measured: StudyMeasurement) -> None:
    """Say what was measured, what is flagged, what was assumed, and where the table is."""
    from napari_msqsm.workflow.measure.summary import as_table, flags_table

    common.say(args, as_table(measured.tables))
    flags = flags_table(measured.tables)
    if flags:
        common.say(args, f"\n{flags}")
    notes = [f"sub-{table.patient_id}: {note}" for table in measured.tables for note in table.notes]
    for note in notes[:_MOST_NOTES]:
        common.say(args, f"note: {note}")
    if len(notes) > _MOST_NOTES:
        common.say(args, f"and {len(notes) - _MOST_NOTES} more notes, all of them in {measured.files['json']}")
    if measured.without:
        names = ", ".join(f"sub-{name}" for name in measured.without)
        common.say(args, f"no lesion is drawn in {names}")
    for name, sentence in measured.refused.items():
        common.warn(f"sub-{name} is not in the table: {sentence}")
    for name in ("tsv", "json", "csv", "xlsx", "parquet"):
        if name in measured.files:
            common.say(args, f"{'dictionary' if name == 'json' else 'table'}: {measured.files[name]}")


def code_of(measured: StudyMeasurement) -> int:
    """Exit code: a patient that cannot be used is unusable input."""
    return common.UNUSABLE if measured.refused else common.DONE
