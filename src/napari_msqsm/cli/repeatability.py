"""``msqsm repeatability``: how well χ repeats between scans and rescans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

HELP = "scan–rescan repeatability of susceptibility per region, in ppb"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm repeatability``."""
    parser.add_argument("bids_dir", type=Path, metavar="BIDS_DIR", help="BIDS dataset with rescans (rescan_of)")
    parser.add_argument("maps_dir", type=Path, metavar="DERIVATIVES_DIR", help="derivatives with the maps (msqsm run)")
    parser.add_argument(
        "--regions",
        type=Path,
        metavar="DIR",
        help="derivatives with label maps on the grid of each scan (default: BIDS_DIR/derivatives/truth)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure every region of every pair; write the tables beside the maps."""
    from napari_msqsm.errors import InputError
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.workflow.repeatability import as_text, write_repeatability

    study = open_study(args.bids_dir)
    if not args.maps_dir.is_dir():
        raise InputError(f"{args.maps_dir} is not a folder; give the derivatives that msqsm run has written")
    table, warnings = write_repeatability(study, args.maps_dir, args.regions or args.bids_dir / "derivatives" / "truth")
    for sentence in warnings:
        common.warn(sentence)
    common.say(args, as_text(table))
    common.say(args, f"table: {args.maps_dir / 'repeatability.tsv'}")
    common.write_json(args, {"rows": table.to_dict("records"), "warnings": list(warnings)})
    return common.DONE
