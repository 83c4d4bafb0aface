"""What a folder holds: every file below it is looked at, images are sorted into series."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.io.dicom.elements import DamagedError, NotDicomError
from napari_msqsm.io.dicom.instance import Instance, NoImageError, read_instance
from napari_msqsm.io.dicom.layout import Layout
from napari_msqsm.io.dicom.parts import one_line
from napari_msqsm.io.dicom.series import LeftOut

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

_REPORT_EVERY = 256


@dataclass(frozen=True)
class SurveyedSeries:
    """The instances of one series, in order of number; ``copies`` were dropped, ``damaged`` could not be used."""

    instances: tuple[Instance, ...]
    copies: int = 0
    shared_names: int = 0
    """Different images under one identifier, which are kept."""

    @property
    def first(self) -> Instance:
        """One that stands for all."""
        return self.instances[0]


@dataclass
class Survey:
    """Series in order of study and number, and what is in none."""

    series: list[SurveyedSeries]
    left_out: list[LeftOut] = field(default_factory=list)
    n_files: int = 0


def survey_folder(
    folder: Path,
    *,
    skip: Path | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    cancel: threading.Event | None = None,
) -> Survey:
    """Read the header of every file below a folder.

    Parameters
    ----------
    folder
        Nested to any depth; names do not matter. Hidden files and folders are not looked at.
    skip
        A folder that is not looked at.
    on_progress
        Message and fraction.
    cancel
        Stops it.

    Raises
    ------
    InputError
        When there is no such folder.
    CancelledError
        When it was cancelled.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"the DICOM folder {folder} {what}; check the path")
    folder = folder.absolute()
    left_out: list[LeftOut] = []
    paths = list(_files(folder, skip, left_out))
    by_series: dict[tuple[str, str, str], list[Instance]] = {}
    others: Counter[str] = Counter()
    layout = Layout()
    for n, (path, real) in enumerate(paths):
        if n % _REPORT_EVERY == 0:
            if cancel is not None and cancel.is_set():
                raise CancelledError("cancelled")
            if on_progress:
                on_progress(f"reading headers: {n} of {len(paths)} files", n / len(paths))
        try:
            instance = read_instance(real, layout)
        except NotDicomError:
            others["not DICOM"] += 1
        except NoImageError:
            others["DICOM without an image (reports, directories, presentation states)"] += 1
        except DamagedError as error:
            left_out.append(LeftOut(_shown(path, folder), str(error)))
        except OSError as error:
            left_out.append(LeftOut(_shown(path, folder), f"it cannot be opened ({error.strerror or error})"))
        else:
            key = (instance.patient, instance.study_uid, instance.series_uid)
            by_series.setdefault(key, []).append(instance)
    series = []
    for instances in by_series.values():
        refusals = [_refusal(one) for one in instances]
        usable = [one for one, refusal in zip(instances, refusals, strict=True) if not refusal]
        if usable:
            series.append(_without_copies(usable))
            for one, refusal in zip(instances, refusals, strict=True):
                if refusal:
                    left_out.append(LeftOut(_shown(one.path, folder), refusal))
        else:
            count = _count(len(instances), "file")
            left_out.append(LeftOut(f"series {instances[0].series_number} ({count})", refusals[0]))
    left_out += [LeftOut(_count(count, "file"), what) for what, count in others.items()]
    series.sort(
        key=lambda one: (one.first.patient, one.first.acquired[:8], one.first.study_uid, one.first.series_number)
    )
    return Survey(series, left_out, len(paths))


def _files(folder: Path, skip: Path | None, left_out: list[LeftOut]) -> Iterator[tuple[str, str]]:
    """Files below a folder in order of name, as found and without links; a folder that is found twice is read once."""
    skipped = None if skip is None else os.path.realpath(skip)
    seen = {os.path.realpath(folder)}
    waiting = [str(folder)]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            left_out.append(LeftOut(_shown(here, folder), f"it cannot be opened ({error.strerror or error})"))
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                real = os.path.realpath(entry.path)
                if real not in seen and real != skipped:
                    seen.add(real)
                    folders.append(entry.path)
            else:
                yield entry.path, os.path.realpath(entry.path) if entry.is_symlink() else entry.path
        waiting += reversed(folders)


def _shown(path: str, folder: Path) -> str:
    return one_line(os.path.relpath(path, folder))


def _refusal(instance: Instance) -> str:
    if instance.modality != "MR":
        return f"it is not MR but {one_line(instance.modality) or 'of no stated modality'}"
    if instance.samples != 1:
        return "it holds colour pictures, not a scan"
    if not instance.enhanced and (instance.position is None or instance.orientation is None):
        return "it does not say where its slices lie in the scanner (pictures, not a scan)"
    return ""


def _without_copies(instances: list[Instance]) -> SurveyedSeries:
    """Drop files that hold an image which is there already; different images may share a number, and even a name."""
    kept: list[Instance] = []
    known: dict[str, set[tuple[object, ...]]] = {}
    copies = shared = 0
    for instance in instances:
        contents = known.setdefault(instance.sop_uid, set())
        if instance.content in contents:
            copies += 1
            continue
        shared += bool(contents)
        contents.add(instance.content)
        kept.append(instance)
    kept.sort(key=lambda one: (one.instance_number, one.path))
    return SurveyedSeries(tuple(kept), copies, shared)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
