"""``msqsm import``: a DICOM folder becomes an anonymised BIDS study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from napari_msqsm.io.dicom.series import LeftOut
    from napari_msqsm.workflow.dicom_import.importing import ImportOutcome, Proposal
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries

HELP = "turn a DICOM folder into an anonymised BIDS study, or add its visits to one"
_MOST_LINES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm import``."""
    parser.add_argument("dicom_dir", type=Path, metavar="DICOM_DIR", help="folder of DICOM files, nested as it may be")
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="the study: a new folder, or one to add to")
    parser.add_argument(
        "--keep-dates", action="store_true", help="write true dates (default: moved by private days per patient)"
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="F",
        help="private file that says who is who, outside the study (default: BIDS_DIR_key.tsv beside it)",
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="F",
        help="import table: written where it does not exist; read, with your corrections, where it does",
    )
    parser.add_argument("--dry-run", action="store_true", help="convert, say what would be written, and leave")


def run(args: argparse.Namespace) -> int:
    """Convert, propose, take the user's corrections, write."""
    from napari_msqsm.io.bids_check import check_study
    from napari_msqsm.workflow.dicom_import.importing import stage_and_propose, write_study
    from napari_msqsm.workflow.dicom_import.key_file import key_path, refuse_inside

    key_path(args.bids_dir, args.key_file)
    for flag, path in (("--table", args.table), ("--json", args.json)):
        if path is not None:
            refuse_inside(args.bids_dir, path, flag)

    def read(on_progress: Any, cancel: Any) -> Proposal:
        return stage_and_propose(
            args.dicom_dir, args.bids_dir, key_file=args.key_file, on_progress=on_progress, cancel=cancel
        )

    with common.run_task(args, "read", read) as proposal:
        plan = _with_table(args, proposal.plan)
        _refuse_empty(args.dicom_dir, plan)
        for problem in _problems(plan):
            common.warn(problem)
        if args.dry_run:
            _say_plan(args, plan, "would write")
            _say_left_out(args, [*plan.left_out, *_ignored(plan)])
            _write_json(args, _as_json(plan))
            return common.DONE

        def write(on_progress: Any, cancel: Any) -> ImportOutcome:
            return write_study(
                proposal,
                plan,
                args.bids_dir,
                keep_dates=args.keep_dates,
                key_file=args.key_file,
                on_progress=on_progress,
                cancel=cancel,
            )

        outcome = common.run_task(args, "write", write)
    for sentence in outcome.warnings:
        common.warn(sentence)
    _say_plan(args, plan, "wrote")
    for sentence in outcome.assumptions:
        common.say(args, f"assumed: {sentence}")
    _say_left_out(args, outcome.left_out)
    common.say(args, f"not kept of the headers: {', '.join(outcome.dropped)}")
    findings = check_study(outcome.bids_dir)
    for finding in findings:
        common.warn(f"BIDS check: {finding}")
    common.say(args, f"study      {outcome.bids_dir}")
    common.say(args, f"key file   {outcome.key_file} (private: it says who is who, and a later import needs it)")
    checked = {"bids_check": [finding.as_json() for finding in findings]}
    _write_json(args, outcome.as_json() | {"plan": _as_json(plan)} | checked)
    return common.DONE


def _with_table(args: argparse.Namespace, plan: ImportPlan) -> ImportPlan:
    from napari_msqsm.workflow.dicom_import.table_file import read_table_file, write_table_file

    if args.table is None:
        return plan
    if args.table.exists():
        plan, notes = read_table_file(args.table, plan)
        for note in notes:
            common.warn(note)
        return plan
    write_table_file(args.table, plan)
    common.say(args, f"table      {args.table} (private: it holds true dates and the scanner's names of series)")
    return plan


def _refuse_empty(dicom_dir: Path, plan: ImportPlan) -> None:
    from napari_msqsm.errors import InputError

    if any(row.is_kept for row in plan.rows):
        return
    left_out = [*plan.left_out, *_ignored(plan)]
    if not left_out:
        raise InputError(f"{dicom_dir} holds no DICOM series")
    there = sum(plan.existing.row_of(row.series.series_uid) is not None for row in plan.rows)
    if there:
        others = len(left_out) - there
        more = f", and {others} others are left out" if others else ""
        raise InputError(f"nothing in {dicom_dir} is new: {there} of its series are in the study already{more}")
    first = left_out[0]
    raise InputError(
        f"nothing in {dicom_dir} can be imported: {len(left_out)} files or series are left out, such as "
        f"{first.what}: {first.why}"
    )


def _ignored(plan: ImportPlan) -> list[LeftOut]:
    from napari_msqsm.workflow.dicom_import.importing import left_out_rows

    return left_out_rows(plan)


def _problems(plan: ImportPlan) -> list[str]:
    rows = [row for row in plan.rows if row.is_kept]
    own = [f"{row.label}, series {row.series.number} ({row.role}): {text}" for row in rows for text in row.problems]
    return list(dict.fromkeys([*plan.problems, *own]))


def _say_plan(args: argparse.Namespace, plan: ImportPlan, verb: str) -> None:
    from napari_msqsm.workflow.dicom_import.settle import by_session

    for label, rows in by_session(row for row in plan.rows if row.is_kept).items():
        common.say(args, f"{verb} {label}: {', '.join(_acquisitions(rows))}")
        for row in rows:
            if row.role == "MEGRE" and row.used:
                common.say(args, f"    gradient echo {_gadolinium(row)}: {row.post_gd_why}")
                break


def _acquisitions(rows: Sequence[PlannedSeries]) -> list[str]:
    out = []
    for number in dict.fromkeys(row.acquisition for row in rows):
        own = [row for row in rows if row.acquisition == number]
        series = "+".join(str(row.series.number) for row in own)
        role = own[0].role
        echoes = len({time for row in own for time in row.series.echo_times_s})
        extra = f", {echoes} echoes" if role == "MEGRE" else ""
        sure = min(row.confidence for row in own)
        out.append(f"{role} (series {series}{extra}, {sure:.0%} sure)")
    return out


def _gadolinium(row: PlannedSeries) -> str:
    if row.post_gd is None:
        return "before or after gadolinium is not known"
    return "after gadolinium" if row.post_gd else "without gadolinium"


def _say_left_out(args: argparse.Namespace, left_out: Sequence[LeftOut]) -> None:
    if left_out:
        common.say(args, f"left out: {len(left_out)}")
    for item in left_out[:_MOST_LINES]:
        common.say(args, f"    {common.one_line(f'{item.what}: {item.why}')}")
    if len(left_out) > _MOST_LINES:
        common.say(args, f"    … and {len(left_out) - _MOST_LINES} more (--json lists all)")


def _write_json(args: argparse.Namespace, result: dict[str, Any]) -> None:
    """Write the result for its owner alone: folders and series are often named after patients."""
    from napari_msqsm.workflow.dicom_import.describe import as_json
    from napari_msqsm.workflow.dicom_import.key_file import write_private

    if args.json is not None:
        write_private(args.json, as_json(result))


def _as_json(plan: ImportPlan) -> dict[str, Any]:
    """Plan for machines: no patient's name or date, but what technicians called the series."""
    return {
        "problems": list(plan.problems),
        "series": [
            {
                "number": row.series.number,
                "description": row.series.description,
                "patient": row.patient_id,
                "session": row.session_id,
                "role": row.role,
                "confidence": round(row.confidence, 2),
                "why": row.why,
                "run": row.run,
                "used": row.used,
                "post_gd": row.post_gd,
                "post_gd_why": row.post_gd_why,
                "problems": list(row.problems),
            }
            for row in plan.rows
        ],
        "left_out": [{"what": item.what, "why": item.why} for item in plan.left_out],
    }
