"""Runs of dcm2niix: one private folder of links per image, crashes and time-outs kept to it.

Options: ``-g i`` ignores the user's own defaults; ``-ba n`` keeps dates and names in the sidecar, which anonymisation
needs to know and never leaves the private folder; ``-z n`` writes uncompressed files, whose headers are then corrected
in place and which are compressed once, when they go into the study; ``-l o`` keeps stored integers as they are;
``-m n`` never merges echoes; ``-x i`` neither crops nor turns 3-D acquisitions; ``-p y`` scales Philips' magnitude
so that echoes of different display scaling can be compared; ``-i n`` keeps derived images; ``-d 0`` looks into no other
folder; ``-w 2`` never overwrites.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, InputError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OPTIONS = (
    *("-g", "i", "-b", "y", "-ba", "n", "-z", "n", "-l", "o", "-m", "n"),
    *("-x", "i", "-p", "y", "-i", "n", "-d", "0", "-w", "2"),
)
"""For every run; the reasons are above."""
_NAME = "image"
_POLL_S = 0.1
_LEAST_TIMEOUT_S = 120.0
_TIMEOUT_PER_FILE_S = 0.25
_RESAMPLED = re.compile(r"_(Eq|Tilt)")
_SINGLE_COIL = re.compile(r"_c(?=[A-Z0-9])")
_LONGEST_MESSAGE = 160


@dataclass(frozen=True)
class Output:
    """An image that dcm2niix wrote; ``suffix`` is what it added to the name."""

    path: Path
    suffix: str
    sidecar: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Conversion:
    """Images of one run, and what went wrong in a sentence (empty when nothing did)."""

    outputs: tuple[Output, ...]
    error: str = ""
    single_coil: bool = False


def find_dcm2niix() -> str:
    """Path of the converter.

    Raises
    ------
    InputError
        When it is not installed, with the sentence that says how to.
    """
    try:
        import dcm2niix  # type: ignore[import-untyped]

        return str(dcm2niix.bin)
    except (ImportError, AttributeError):
        found = shutil.which("dcm2niix")
    if found is None:
        raise InputError(
            "DICOM needs the packages pydicom and dcm2niix, which are not installed; "
            "install them with: pip install 'napari-msqsm[dicom]'"
        )
    return found


def convert_files(executable: str, files: Sequence[str], folder: Path, stop: threading.Event) -> Conversion:
    """Convert just these files into ``folder / "nifti"``.

    Where they are all that a folder holds, it is read as it is; else a folder of links is made, which is gone when
    this returns.

    Raises
    ------
    CancelledError
        When it was stopped; the process is gone then.
    """
    alone = _holds_just(files)
    if alone is not None:
        return convert(executable, alone, folder / "nifti", len(files), stop)
    links = folder / "dicom"
    link(files, links)
    done = convert(executable, links, folder / "nifti", len(files), stop)
    shutil.rmtree(links)
    return done


def _holds_just(files: Sequence[str]) -> str | None:
    """Name the folder that holds these files and nothing else."""
    folders = {path.rpartition(os.sep)[0] for path in files}
    if len(folders) > 1:
        return None
    (folder,) = folders
    with os.scandir(folder) as entries:
        return folder if sum(1 for _ in entries) == len(files) else None


def link(files: Sequence[str], folder: Path) -> None:
    """Make a folder that holds just these files (absolute paths, not links) under new names.

    Hard links take a thirtieth of the time of symbolic ones here; those are for other file systems and other owners'
    files, and copies for where neither is possible.
    """
    folder.mkdir(mode=0o700)
    for n, source in enumerate(files):
        target = f"{folder}/{n:06d}.dcm"
        for make in (os.link, os.symlink, shutil.copyfile):
            try:
                make(source, target)
                break
            except OSError:
                if make is shutil.copyfile:
                    raise


def convert(executable: str, source: Path | str, out: Path, n_files: int, stop: threading.Event) -> Conversion:
    """Run dcm2niix on a folder.

    Raises
    ------
    CancelledError
        When it was cancelled; the process is gone then.
    """
    out.mkdir(mode=0o700)
    command = [executable, *OPTIONS, "-f", _NAME, "-o", str(out), str(source)]
    deadline = time.monotonic() + _LEAST_TIMEOUT_S + _TIMEOUT_PER_FILE_S * n_files
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=out
        )
    except OSError as error:
        return Conversion((), f"dcm2niix cannot be run ({error.strerror or error})")
    while True:
        try:
            said, _ = process.communicate(timeout=_POLL_S)
            break
        except subprocess.TimeoutExpired:
            cancelled = stop.is_set()
            if cancelled or time.monotonic() > deadline:
                process.kill()
                process.communicate()
                if cancelled:
                    raise CancelledError("cancelled") from None
                return Conversion((), "dcm2niix did not end in time and was stopped")
    return _judge(process.returncode, said.decode("utf-8", "replace"), source, out)


def _judge(code: int, said: str, source: Path | str, out: Path) -> Conversion:
    outputs, resampled, single_coil = [], False, False
    for path in sorted(out.glob("*.nii")):
        suffix = path.name.removesuffix(".nii").removeprefix(_NAME)
        if "_ROI" in suffix:
            continue
        if _RESAMPLED.search(suffix):
            resampled = True
            continue
        single_coil = single_coil or bool(_SINGLE_COIL.search(suffix))
        outputs.append(Output(path, suffix, _sidecar(path)))
    # An image of which only a resampled copy is asked for is not what the scanner measured.
    if resampled:
        return Conversion((), "its slices are not equally far apart", single_coil)
    if code < 0:
        return Conversion((), f"dcm2niix crashed (signal {-code})", single_coil)
    if code != 0 or not outputs:
        message = _message(said, source, out)
        what = f"dcm2niix failed (exit code {code})" if code else "dcm2niix wrote no image"
        return Conversion((), f"{what}{': ' + message if message else ''}", single_coil)
    return Conversion(tuple(outputs), "", single_coil)


def _sidecar(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        value = json.loads(path.with_suffix(".json").read_text("utf-8", "replace"))
        if isinstance(value, dict):
            return value
    return {}


def _message(said: str, source: Path | str, out: Path) -> str:
    """Pick the most telling line of what dcm2niix said, without the names of our folders."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.lower().startswith("error")]
    telling = telling or [line for line in lines if line.lower().startswith("warning")] or lines[2:3]
    text = telling[0] if telling else ""
    for folder in (source, out):
        text = text.replace(str(folder) + os.sep, "").replace(str(folder), "")
    return text[:_LONGEST_MESSAGE].rstrip(" .")
