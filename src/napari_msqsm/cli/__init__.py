"""The command line: ``msqsm COMMAND``.

Each command is one module of its name with ``HELP`` (one line), ``add_arguments(parser)`` and
``run(args) -> exit code``.
Commands import what is heavy inside functions, so that ``msqsm --help`` answers at once.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from typing import TYPE_CHECKING

from napari_msqsm import __version__
from napari_msqsm.cli import common

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = "Susceptibility of multiple-sclerosis lesions over time: QSM from serial multi-echo GRE."
_EXIT_CODES = "exit codes: 0 done, 2 unusable input or arguments, 3 did not converge, 130 cancelled"
COMMANDS = (
    "add",
    "demo",
    "fit",
    "import",
    "info",
    "measure",
    "phantom",
    "qa",
    "recon",
    "register",
    "repeatability",
    "resample",
    "run",
)


def module_of(command: str) -> str:
    """Name of a command's module: the command's, with a trailing underscore where Python reserves it (``import``)."""
    return f"{command}_" if keyword.iskeyword(command) else command


def make_parser() -> common.Parser:
    """Build the parser of all commands."""
    parser = common.Parser(prog="msqsm", description=_DESCRIPTION, epilog=_EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"msqsm {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=common.Parser)
    shared = common.common_arguments()
    for name in COMMANDS:
        module = importlib.import_module(f"napari_msqsm.cli.{module_of(name)}")
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP, parents=[shared], epilog=_EXIT_CODES
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        Arguments after the program's name; those of the process when not given.

    Returns
    -------
    int
        Exit code: 0 done, 2 unusable input or arguments, 3 did not converge, 130 cancelled.
    """
    try:
        args = make_parser().parse_args(argv)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else common.UNUSABLE
    from napari_msqsm.errors import CancelledError, NotConvergedError

    prefix = f"msqsm {args.command}"
    try:
        with common.thread_limit(args.threads):
            code: int = args.run(args)
            return code
    except (CancelledError, KeyboardInterrupt):
        return _leave(common.CANCELLED, f"{prefix}: cancelled")
    except NotConvergedError as error:
        return _leave(common.NOT_CONVERGED, f"{prefix}: {error}")
    except Exception as error:  # noqa: BLE001  one line, whatever went wrong
        from napari_msqsm.workflow.tasks import error_sentence

        return _leave(common.UNUSABLE, f"{prefix}: {error_sentence(error)}")


def _leave(code: int, message: str) -> int:
    print(common.one_line(message), file=sys.stderr)  # noqa: T201  this is the command line
    return code
