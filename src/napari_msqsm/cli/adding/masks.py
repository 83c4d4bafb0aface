"""``msqsm add masks``: brain, CSF, white matter and lesions as other programs have drawn them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

HELP = "masks of brain, CSF or white matter, and lesions, of LST-AI, SAMSEG, nnU-Net, ITK-SNAP or any other program"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm add masks``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS study")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="mask, label image or probability map each")
    parser.add_argument(
        "--as",
        dest="mask_kind",
        choices=("brain", "csf", "whitematter", "lesions"),
        required=True,
        help="what is wanted of it",
    )
    parser.add_argument("--session", metavar="LABEL", help="where one file belongs, such as sub-01_ses-02")
    parser.add_argument("--labels", type=int, nargs="+", metavar="N", help="numbers that are meant (default: by name)")
    parser.add_argument("--threshold", type=float, metavar="P", help="least probability of a probability map (0.5)")
    parser.add_argument(
        "--label-names", type=Path, metavar="F", help="label description of ITK-SNAP, or dataset.json of nnU-Net"
    )
    parser.add_argument(
        "--split", action="store_true", help="lesions are separated where voxels do not touch, whatever their numbers"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace masks that were taken over earlier")


def run(args: argparse.Namespace) -> int:
    """Take the files over, one after the other."""
    from napari_msqsm.cli.adding.sessions import session_named
    from napari_msqsm.errors import MsqsmError, ParameterError
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.bring_in.masks import adopt_mask
    from napari_msqsm.workflow.bring_in.which_session import which_session

    study = open_study(args.bids_dir)
    if args.session is not None and len(args.files) > 1:
        raise ParameterError(f"--session was given with {len(args.files)} files; give one file")
    taken, refused = [], {}
    for path in args.files:
        if args.session is not None:
            session, why = session_named(study, args.session), "given"
        else:
            found, why = which_session(study, path)
            if found is None:
                refused[path] = f"{why}; say which session with --session"
                continue
            session = found
        try:
            mask = adopt_mask(
                study,
                session,
                path,
                args.mask_kind,
                labels=args.labels,
                threshold=args.threshold,
                label_names=args.label_names,
                split=args.split,
                overwrite=args.overwrite,
            )
        except MsqsmError as error:
            refused[path] = str(error)
            continue
        taken.append(mask)
        common.say(args, f"{path} → {session.label} ({why})")
        for sentence in mask.notes:
            common.say(args, f"{session.label}: {sentence}")
        common.say(args, f"{session.label}: {mask.path}")
    for path, sentence in refused.items():
        common.warn(sentence if str(path) in sentence else f"{path}: {sentence}")
    common.write_json(
        args,
        {
            "masks": [mask.as_json() for mask in taken],
            "refused": {str(path): sentence for path, sentence in refused.items()},
        },
    )
    return common.UNUSABLE if refused else common.DONE
