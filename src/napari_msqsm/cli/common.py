"""What all commands share: common arguments, messages, the progress bar, exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tqdm import tqdm

    from napari_msqsm.workflow.batch import Batch
    from napari_msqsm.workflow.outcome import Outcome
    from napari_msqsm.workflow.tasks import Task, Work

DONE = 0
UNUSABLE = 2
NOT_CONVERGED = 3
CANCELLED = 130

_THREAD_VARIABLES = (
    "MSQSM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_SECONDS_IN_LOGS = 5.0
"""Between lines of progress in a file, and before the first: what is refused sooner leaves one line there."""
_NEGATIVE_NUMBER = re.compile(r"^-(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")


class Parser(argparse.ArgumentParser):
    """argparse with one line per error and with negative numbers in any notation."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        keywords.setdefault("allow_abbrev", False)
        super().__init__(*args, **keywords)
        self._negative_number_matcher = _NEGATIVE_NUMBER

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        self.exit(UNUSABLE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def common_arguments() -> Parser:
    """Parent parser with the arguments that every command takes."""
    parent = Parser(add_help=False)
    group = parent.add_argument_group("common to all commands")
    group.add_argument("--json", type=Path, metavar="FILE", help="also write the result as JSON, for machines")
    group.add_argument("--quiet", action="store_true", help="no progress and no summary; warnings and errors stay")
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: the GPU if usable)",
    )
    group.add_argument("--threads", type=positive_int, metavar="N", help="CPU threads (default: all cores)")
    group.add_argument("--seed", type=int, default=0, metavar="K", help="seed of everything random (default: 0)")
    return parent


def add_by_products(parser: argparse.ArgumentParser) -> None:
    """Add ``--by-products``."""
    parser.add_argument(
        "--by-products",
        action="store_true",
        help="also write T2*, a susceptibility-weighted image (veins dark), and how far each voxel can be trusted",
    )


def positive_int(text: str) -> int:
    """Argument type: an integer ≥ 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number ≥ 1, got {text!r}")
    return value


def say(args: argparse.Namespace, text: str = "") -> None:
    """Print for the reader, unless ``--quiet``."""
    if not args.quiet:
        print(text, flush=True)  # noqa: T201  this is the command line


def warn(text: str) -> None:
    """Print a warning on stderr; ``--quiet`` does not silence it."""
    from tqdm import tqdm

    tqdm.write(f"warning: {text}", file=sys.stderr)  # does not tear a progress bar


def write_json(args: argparse.Namespace, result: Mapping[str, Any]) -> None:
    """Write the result for machines where ``--json`` asks for it."""
    if args.json is not None:
        from napari_msqsm.workflow.provenance import write_json_file

        write_json_file(args.json, result)


def run_task(args: argparse.Namespace, title: str, work: Work) -> Any:
    """Run work in the task list with a progress bar; Ctrl-C cancels it.

    Raises
    ------
    BaseException
        What the work raised; `CancelledError` after Ctrl-C.
    """
    from napari_msqsm.errors import CancelledError
    from napari_msqsm.workflow.tasks import TaskList

    tasks, bar = TaskList(), _ProgressBar(title)
    if not args.quiet:
        tasks.changed.connect(bar.show)
    task = tasks.add(title, work)
    try:
        while not task.wait(0.1):
            pass
    except KeyboardInterrupt:
        task.cancel()
        task.wait()  # a second Ctrl-C ends the process at once
    finally:
        bar.close()
    if task.exception is not None:
        raise task.exception
    if task.cancel_requested and task.result is None:
        raise CancelledError("cancelled")
    return task.result


def report(args: argparse.Namespace, outcome: Outcome) -> None:
    """Say where the results are and how good they look; write them for machines where asked."""
    for sentence in outcome.assumptions:
        say(args, f"assumed: {sentence}")
    for name, value in outcome.quality.items():
        say(args, f"  {name:<24} {value:.4g}")
    if outcome.reused:
        say(args, f"reused from the cache: {', '.join(outcome.reused)}")
    seconds = ", ".join(f"{name} {value:.1f}" for name, value in outcome.seconds.items())
    say(args, f"seconds: {seconds}" if seconds else "no step was run")
    for name, path in outcome.files.items():
        say(args, f"{name:<12} {path}")
    if not outcome.converged:
        warn("not every iteration converged; the results so far were written")
    write_json(args, outcome.as_json())


def batch_code(batch: Batch) -> int:
    """Exit code of many sessions: unusable input weighs more than an inversion that did not converge."""
    if batch.refused:
        return UNUSABLE
    return DONE if all(outcome.converged for outcome in batch.outcomes) else NOT_CONVERGED


class _ProgressBar:
    """A bar on stderr, drawn once the inputs were read: what is refused before leaves one line and nothing else."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: tqdm[Any] | None = None
        self._first_after_s = 0.0 if sys.stderr.isatty() else _SECONDS_IN_LOGS

    def show(self, task: Task) -> None:
        """Draw how far a task is."""
        if self._bar is None and task.fraction > 0 and task.seconds >= self._first_after_s:
            self._bar = self._new(task.seconds)
        if self._bar is not None:
            self._bar.set_postfix_str(task.message, refresh=False)
            self._bar.update(task.fraction - self._bar.n)

    def close(self) -> None:
        """Wipe the bar."""
        if self._bar is not None:
            self._bar.close()

    def _new(self, seconds: float) -> tqdm[Any]:
        from tqdm import tqdm

        bar: tqdm[Any] = tqdm(
            total=1.0,
            desc=self._title,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed} elapsed, {remaining} left{postfix}",
            leave=False,
            mininterval=0.1 if sys.stderr.isatty() else _SECONDS_IN_LOGS,
            miniters=0,
        )
        bar.start_t -= seconds
        return bar


@contextlib.contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Limit the threads of FFTs and linear algebra; set before the numerical libraries are imported."""
    if threads is None:
        yield
        return
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def one_line(text: str) -> str:
    """Collapse a message to one line."""
    return " ".join(text.split())
