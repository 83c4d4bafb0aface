"""``msqsm add maps``: susceptibility maps of other toolboxes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.bring_in.map_layouts import MapProposal

HELP = "susceptibility maps of the MEDI toolbox, SEPIA, QSMxT or any other program"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm add maps``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS study")
    parser.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="folder that is searched, or one map")
    parser.add_argument("--session", metavar="LABEL", help="where one map belongs, such as sub-01_ses-02")
    parser.add_argument("--unit", choices=("ppm", "ppb"), help="unit of the maps (default: toolbox, then the values)")
    parser.add_argument("--negate", action="store_true", help="the maps have the opposite sign")
    parser.add_argument("--mask", type=Path, metavar="F", help="where one map holds (default: where it is not zero)")
    parser.add_argument("--reference-mask", type=Path, metavar="F", help="region whose mean becomes zero")
    parser.add_argument(
        "--paramagnetic-mask",
        type=Path,
        metavar="F",
        help="iron-rich nuclei or veins, to check the sign (default: R2*)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace maps that the sessions have already")
    parser.add_argument("--dry-run", action="store_true", help="say what was found, and leave")


def run(args: argparse.Namespace) -> int:
    """Find maps and take them over."""
    from napari_msqsm.errors import InputError, ParameterError
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.bring_in.map_layouts import find_maps
    from napari_msqsm.workflow.bring_in.take_maps import take_maps

    study = open_study(args.bids_dir)
    proposals = find_maps(study, args.source)
    if not proposals:
        raise InputError(f"there is no susceptibility map in {args.source}; give the file itself")
    one_map = {
        "--mask": args.mask,
        "--reference-mask": args.reference_mask,
        "--paramagnetic-mask": args.paramagnetic_mask,
    }
    given = next((flag for flag, path in one_map.items() if path is not None), None)
    if given is not None and len(proposals) > 1:
        raise ParameterError(f"{given} was given, but {len(proposals)} maps were found; give one file")
    if args.session is not None:
        proposals = (_for_session(study, proposals, args.session),)
    for proposal in proposals:
        where = proposal.session.label if proposal.session else "?"
        common.say(args, f"{proposal.path}: {proposal.toolbox} ({proposal.why}) → {where} ({proposal.session_why})")
    if args.dry_run:
        for proposal in proposals:
            if proposal.problem:
                common.warn(f"{proposal.path}: {proposal.problem}")
        common.write_json(args, {"proposals": [proposal.as_json() for proposal in proposals]})
        return common.DONE
    taken = common.run_task(
        args,
        "add maps",
        lambda on_progress, cancel: take_maps(
            study,
            proposals,
            unit=args.unit,
            mask=args.mask,
            reference_mask=args.reference_mask,
            paramagnetic_mask=args.paramagnetic_mask,
            negate=args.negate,
            overwrite=args.overwrite,
            on_progress=on_progress,
            cancel=cancel,
        ),
    )
    for outcome in taken.outcomes:
        for sentence in outcome.assumptions:
            common.say(args, f"{outcome.label}: {sentence}")
        for sentence in outcome.warnings:
            common.warn(f"{outcome.label}: {sentence}")
        common.say(args, f"{outcome.label}: {outcome.chimap}")
    for path, sentence in taken.refused.items():
        common.warn(sentence if str(path) in sentence else f"{path}: {sentence}")
    common.write_json(args, taken.as_json())
    return common.UNUSABLE if taken.refused else common.DONE


def _for_session(study: Study, proposals: tuple[MapProposal, ...], label: str) -> MapProposal:
    """Give one map to the session that the user names."""
    from napari_msqsm.cli.adding.sessions import session_named
    from napari_msqsm.errors import ParameterError

    session = session_named(study, label)
    if len(proposals) > 1:
        raise ParameterError(f"--session was given, but {len(proposals)} maps were found; give one file")
    problem = proposals[0].problem if "--session" not in proposals[0].problem else ""
    return replace(proposals[0], session=session, session_why="given", problem=problem)
