"""A DICOM folder → NIfTI images of every series in a private folder, with everything that is wrong with them."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import default_threads
from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.io.dicom.assemble import assemble, description_of, series_header
from napari_msqsm.io.dicom.converter import find_dcm2niix
from napari_msqsm.io.dicom.header import require_pydicom
from napari_msqsm.io.dicom.run import StackResult, run_batch
from napari_msqsm.io.dicom.series import ConvertedSeries, LeftOut, Staged
from napari_msqsm.io.dicom.stacks import Stacks, batches, take_apart
from napari_msqsm.io.dicom.survey import SurveyedSeries, survey_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SURVEY_SHARE = 0.3
_POLL_S = 0.1


@dataclass
class _Work:
    """A series on its way."""

    series: SurveyedSeries
    header: dict[str, Any]
    stacks: Stacks
    results: dict[int, StackResult] = field(default_factory=dict)


def stage(
    dicom_dir: Path,
    folder: Path,
    *,
    on_progress: Callable[[str, float], None] | None = None,
    cancel: threading.Event | None = None,
    workers: int | None = None,
) -> Staged:
    """Sort a DICOM folder into series and convert each with dcm2niix.

    Phase images are scaled to radians by their header (``Units`` of the sidecar is ``rad``); alternate slices of real
    and imaginary images that have opposite signs are corrected. A file or series that cannot be used is named in one
    sentence; it never stops the others.

    Parameters
    ----------
    dicom_dir
        Files in any nesting, of any patients and scanners; links to them are made, they are never changed.
    folder
        Private staging folder, new or empty; it is given mode 0700. What is written there identifies patients.
    on_progress
        Message and fraction, called from this thread.
    cancel
        Stops soon; the converters are ended, and the folder is left as it was.
    workers
        Converters that run at a time; as many as CPU threads when not given.

    Raises
    ------
    InputError
        When there is no such folder, the staging folder is not empty, or the converter is not installed.
    CancelledError
        When it was cancelled.
    """
    require_pydicom()
    executable = find_dcm2niix()
    existed = folder.exists()
    if existed and any(folder.iterdir()):
        raise InputError(f"the staging folder {folder} is not empty; give a new one")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        survey = survey_folder(
            dicom_dir, skip=folder, on_progress=_share(on_progress, 0.0, _SURVEY_SHARE), cancel=cancel
        )
        left_out = list(survey.left_out)
        works = []
        for series in survey.series:
            if cancel is not None and cancel.is_set():
                raise CancelledError("cancelled")
            works.append(_Work(series, series_header(series), take_apart(series)))
        _convert_all(
            executable, works, folder, _share(on_progress, _SURVEY_SHARE, 1.0), cancel, workers or default_threads()
        )
        converted = [one for work in works if (one := _finished(work, left_out)) is not None]
    except BaseException:
        _empty(folder, remove=not existed)
        raise
    return Staged(folder, tuple(converted), tuple(left_out))


def _convert_all(
    executable: str,
    works: list[_Work],
    folder: Path,
    report: Callable[[str, float], None],
    cancel: threading.Event | None,
    workers: int,
) -> None:
    stop = threading.Event()
    n_files = sum(len(stack.instances) for work in works for stack in work.stacks.stacks)
    done_files = 0
    ended: queue.SimpleQueue[Future[StackResult]] = queue.SimpleQueue()
    waiting: dict[Future[StackResult], tuple[_Work, int, int]] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="msqsm-dicom") as pool:
        try:
            for n, work in enumerate(works):
                for k, batch in enumerate(batches(work.stacks.stacks)):
                    own = folder / f"series-{n + 1:03d}_run-{k + 1:03d}"
                    future = pool.submit(run_batch, executable, batch, own, stop)
                    waiting[future] = (work, k, sum(len(stack.instances) for stack in batch))
                    future.add_done_callback(ended.put)
            while waiting:
                report(f"converting: {done_files} of {n_files} files", done_files / max(n_files, 1))
                if cancel is not None and cancel.is_set():
                    raise CancelledError("cancelled")
                with contextlib.suppress(queue.Empty):
                    future = ended.get(timeout=_POLL_S)
                    work, k, count = waiting.pop(future)
                    work.results[k] = future.result()
                    done_files += count
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    report(f"converted {n_files} files", 1.0)


def _finished(work: _Work, left_out: list[LeftOut]) -> ConvertedSeries | None:
    """Make a series of its results, or a line that says why there is none."""
    description = description_of(work.header)
    what = f"series {work.series.first.series_number}{' ' + description if description else ''}"
    results = [work.results[k] for k in sorted(work.results)]
    problems = [*work.stacks.problems, *(problem for result in results for problem in result.problems)]
    if any(result.single_coil for result in results):
        left_out.append(LeftOut(what, "it holds the images of single receive coils; export the combined images"))
        return None
    if not any(result.images for result in results):
        reason = work.stacks.refusal if not work.stacks.stacks and not problems else "; ".join(problems)
        left_out.append(LeftOut(what, reason or work.stacks.refusal))
        return None
    return assemble(work.series, work.header, results, work.stacks.problems)


def _share(on_progress: Callable[[str, float], None] | None, start: float, end: float) -> Callable[[str, float], None]:
    def report(message: str, fraction: float) -> None:
        if on_progress is not None:
            on_progress(message, start + (end - start) * fraction)

    return report


def _empty(folder: Path, *, remove: bool) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if remove:
        folder.rmdir()
