"""``msqsm phantom``: a synthetic BIDS study with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

HELP = "make a synthetic BIDS study with known truth"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm phantom``."""
    parser.add_argument("out", type=Path, metavar="OUT", help="new folder of the study")
    parser.add_argument(
        "--sample", action="store_true", help="the bundled sample study again; all that follows is fixed"
    )
    parser.add_argument("--patients", type=common.positive_int, metavar="N", help="patients (default: 1)")
    parser.add_argument("--sessions", type=common.positive_int, metavar="N", help="sessions of each (default: 3)")
    parser.add_argument("--lesions", type=int, metavar="N", help="lesions of each (default: 6)")
    parser.add_argument(
        "--voxel-size", type=float, nargs=3, metavar=("X", "Y", "Z"), help="mm, gradient echo (default: 1 1 3)"
    )
    parser.add_argument(
        "--field-of-view", type=float, nargs=3, metavar=("X", "Y", "Z"), help="mm (default: 168 208 132)"
    )
    parser.add_argument("--echoes", type=common.positive_int, metavar="N", help="echoes (default: 8)")
    parser.add_argument(
        "--noise", type=float, metavar="F", help="noise as a part of the brain's first-echo signal (default: 0.01)"
    )
    parser.add_argument(
        "--rescan",
        action="store_true",
        default=None,
        help="repeat every gradient echo on the same day: new noise, new pose (sessions ses-…rescan)",
    )
    parser.add_argument("--tilt", type=float, metavar="DEG", help="tilt of the slices (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Make the study; nothing is left behind when it is cancelled."""
    from napari_msqsm.errors import ParameterError
    from napari_msqsm.phantom.design import StudyDesign
    from napari_msqsm.phantom.sample import SAMPLE_DESIGN
    from napari_msqsm.phantom.study import write_study
    from napari_msqsm.settings import validated

    said = {
        "n_patients": args.patients,
        "n_sessions": args.sessions,
        "n_lesions": args.lesions,
        "voxel_size_mm": args.voxel_size,
        "field_of_view_mm": args.field_of_view,
        "n_echoes": args.echoes,
        "noise": args.noise,
        "tilt_deg": args.tilt,
        "rescan": args.rescan,
        "seed": args.seed,
    }
    chosen = {name: value for name, value in said.items() if value is not None}
    if args.sample and set(chosen) - {"seed"}:
        raise ParameterError("--sample fixes everything; leave the other options out")
    design = SAMPLE_DESIGN if args.sample else validated(StudyDesign, chosen)

    root = common.run_task(
        args,
        "phantom",
        lambda on_progress, cancel: write_study(args.out, design, on_progress=on_progress, cancel=cancel),
    )
    common.say(args, f"study: {root}")
    common.say(args, f"truth: {root / 'derivatives' / 'truth'}")
    common.write_json(args, {"study": str(root), "design": design.model_dump()})
    return common.DONE
