"""``msqsm add table``: covariates and dates of patients and visits."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = "covariates and session dates from CSV or XLSX into participants.tsv and sessions.tsv"
_SURE = 0.9
_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm add table``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS study")
    parser.add_argument("file", type=Path, metavar="TABLE", help=".csv, .tsv or .xlsx")
    parser.add_argument("--sheet", metavar="NAME", help="sheet of a workbook")
    parser.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="patient=ID,session=Visit,date=MRI_date,edss=EDSS",
        help="what the columns are, where the headers do not tell; name=- leaves one out; other names are taken as "
        "they are",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="F",
        help="private table from the names in TABLE to those of the study (default: the key file of the import)",
    )
    parser.add_argument(
        "--date-order", choices=("dmy", "mdy", "ymd"), help="order of day, month and year where the dates do not tell"
    )
    parser.add_argument(
        "--within-days",
        type=int,
        default=0,
        metavar="N",
        help="how far a date may lie from the scan where dates tell the session (default: the same day)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace values that the study has already")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and leave")


def run(args: argparse.Namespace) -> int:
    """Compare the table with the study, say so, and write."""
    from napari_msqsm.errors import InputError, ParameterError
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.bring_in.tables.plan import plan_table, write_plan

    if args.within_days < 0:
        raise ParameterError(f"--within-days {args.within_days} must not be negative")
    study = open_study(args.bids_dir)
    plan = plan_table(
        study,
        args.file,
        sheet=args.sheet,
        columns=args.columns,
        key_file=args.key_file,
        date_order=args.date_order,
        within_days=args.within_days,
    )
    for choice in plan.columns:
        doubt = "" if choice.confidence >= _SURE else f", {choice.confidence:.0%} sure: give --columns if wrong"
        common.say(args, f"{choice.name:<20} {choice.column!r} ({choice.why}{doubt})")
    for note in plan.notes:
        common.say(args, f"assumed: {note}")
    for problem in plan.problems:
        common.warn(problem)
    if not plan.changes and not plan.unchanged:
        why = "see the warnings" if plan.problems else "it has no column besides those that tell patient and session"
        raise InputError(f"nothing of {args.file} can be used; {why}")
    new = [change for change in plan.changes if not change.is_conflict]
    _list(args, "new", new)
    _list(args, "replaced" if args.overwrite else "kept as it is (--overwrite replaces it)", plan.conflicts)
    written = () if args.dry_run else write_plan(study, plan, overwrite=args.overwrite)
    said = f"new: {len(new)}, in conflict: {len(plan.conflicts)}, already there: {plan.unchanged}"
    common.say(args, said + (" (nothing was written)" if args.dry_run else ""))
    for path in written:
        common.say(args, f"written: {path}")
    common.write_json(args, plan.as_json() | {"written": [str(path) for path in written]})
    return common.DONE


def _list(args: argparse.Namespace, word: str, changes: Sequence[object]) -> None:
    for change in changes[:_SHOWN]:
        common.say(args, f"{word}: {change}")
    if len(changes) > _SHOWN:
        common.say(args, f"{word}: {len(changes) - _SHOWN} more (all of them with --json)")


def _columns(text: str) -> dict[str, str]:
    """Argument type: ``name=Header,name=Header``; a header may hold spaces, not commas."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, column = part.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise argparse.ArgumentTypeError(f"expected name=Header,name=Header…, got {part!r}")
        found[name.strip()] = column.strip()
    return found
