"""``msqsm add transform``: an alignment that another program has found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

HELP = "a transform of FSL, ANTs or ITK from an image of a session to the gradient echo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm add transform``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS study")
    parser.add_argument("file", type=Path, metavar="T.mat|T.txt", help="FLIRT's matrix, or ITK's or ANTs' transform")
    parser.add_argument("--session", required=True, metavar="LABEL", help="session of the image, such as sub-01_ses-02")
    parser.add_argument(
        "--from",
        dest="image",
        required=True,
        choices=("MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w"),
        help="the image that was moved",
    )
    parser.add_argument(
        "--to",
        choices=("baseline", "session"),
        default="baseline",
        help="what it was moved to: the gradient echo of the baseline, or of its own session (default: baseline)",
    )
    parser.add_argument("--inverse", action="store_true", help="the gradient echo was moved to the image instead")
    parser.add_argument("--by", required=True, metavar="NAME", help="who vouches for it; kept beside the transform")
    parser.add_argument("--note", default="", metavar="TEXT", help="kept beside the transform")


def run(args: argparse.Namespace) -> int:
    """Take the transform over, and say what our own check thinks of it."""
    from napari_msqsm.cli.adding.sessions import session_named
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.bring_in.transform import adopt_transform

    study = open_study(args.bids_dir)
    session = session_named(study, args.session)
    state = adopt_transform(
        study, session, args.file, args.image, who=args.by, to=args.to, inverse=args.inverse, note=args.note
    )
    verdict = state.verdict
    common.say(args, f"{session.label} {args.image}: taken over, accepted by {state.checked_by}")
    if verdict is not None:
        say = common.warn if str(verdict.level) != "ok" else lambda text: common.say(args, text)
        for reason in verdict.reasons:
            say(f"{session.label} {args.image}: our own check says {verdict.level}: {reason}")
    common.write_json(
        args,
        {
            "session": session.label,
            "image": args.image,
            "checked_by": state.checked_by,
            "note": state.note,
            "verdict": None if verdict is None else str(verdict.level),
            "reasons": [] if verdict is None else list(verdict.reasons),
            "numbers": dict(state.numbers),
        },
    )
    return common.DONE
