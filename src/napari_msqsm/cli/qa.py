"""``msqsm qa``: quality numbers, one picture per session, and a report on the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.workflow.study_report.quality import MapQuality
    from napari_msqsm.workflow.study_report.report import StudyReport

HELP = "what a study holds and lacks, how its protocols differ, and how good its reconstructions are"
REPORT = "study_report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm qa``."""
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="BIDS_DIR|RECON_DIR",
        help="BIDS studies, and folders that msqsm recon has written",
    )
    parser.add_argument(
        "--skip-bids-validation",
        action="store_true",
        help="do not ask the public validator where it is installed",
    )


def run(args: argparse.Namespace) -> int:
    """Report on one path after the other; a BIDS study gets a page of its own."""
    from napari_msqsm.errors import CancelledError, MsqsmError
    from napari_msqsm.io.bids import is_bids

    results: dict[str, Any] = {}
    refused = False
    for path in args.paths:
        try:
            results[str(path)] = _study(args, path) if is_bids(path) else _folder(args, path)
        except CancelledError:
            raise
        except MsqsmError as error:
            if len(args.paths) == 1:
                raise
            refused = True
            common.warn(f"{path}: {error}")
            results[str(path)] = {"error": str(error)}
    common.write_json(args, results)
    return common.UNUSABLE if refused else common.DONE


def _study(args: argparse.Namespace, path: Path) -> dict[str, Any]:
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.derivatives import write_dataset_description
    from napari_msqsm.workflow.study_report.page import write_page
    from napari_msqsm.workflow.study_report.report import study_report
    from napari_msqsm.workflow.study_report.text import as_text

    study = open_study(path)
    report: StudyReport = common.run_task(
        args,
        "qa",
        lambda on_progress, cancel: study_report(
            study, validator=not args.skip_bids_validation, on_progress=on_progress, cancel=cancel
        ),
    )
    write_dataset_description(study.derivatives_root, study.root)
    page = write_page(study.derivatives_root / REPORT, report)
    common.say(args, as_text(report))
    common.say(args, f"\nreport: {page}")
    return {"kind": "study", "report": str(page), **report.as_json()}


def _folder(args: argparse.Namespace, path: Path) -> dict[str, Any]:
    from napari_msqsm.workflow.study_report.report import folder_report
    from napari_msqsm.workflow.study_report.text import folder_as_text

    quality: MapQuality = folder_report(path)
    common.say(args, folder_as_text(quality))
    common.say(args, f"picture: {quality.picture}")
    return {"kind": "reconstruction", **quality.as_json()}
