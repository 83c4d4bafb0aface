"""``msqsm add``: what a laboratory has already, into a BIDS study."""

from __future__ import annotations

import argparse
import importlib

from napari_msqsm.cli import common

HELP = "take over maps, masks, transforms and tables that a laboratory has already"
KINDS = ("maps", "masks", "transform", "table")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of ``msqsm add``."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, parser_class=common.Parser)
    shared = common.common_arguments()
    for action in shared._actions:
        action.default = argparse.SUPPRESS  # what was given before the kind stays
    for name in KINDS:
        module = importlib.import_module(f"napari_msqsm.cli.adding.{name}")
        kind = kinds.add_parser(
            name, help=module.HELP, description=f"{module.HELP}.", parents=[shared], epilog=parser.epilog
        )
        module.add_arguments(kind)
        kind.set_defaults(add=module.run)


def run(args: argparse.Namespace) -> int:
    """Take over what was named."""
    code: int = args.add(args)
    return code
