"""Stacks through dcm2niix, and whether what came out is what the headers promised."""

from __future__ import annotations

import math
import shutil
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.io.dicom.converter import Output, convert, convert_files
from napari_msqsm.io.dicom.elements import DamagedError
from napari_msqsm.io.dicom.frame_check import shows_frames
from napari_msqsm.io.dicom.frames import FrameGroup, write_group
from napari_msqsm.io.dicom.parts import label

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.io.dicom.instance import Instance
    from napari_msqsm.io.dicom.series import ImagePart
    from napari_msqsm.io.dicom.stacks import Stack

_SUFFIXES: tuple[tuple[str, ImagePart], ...] = (
    ("_fieldmaphz", "field"),
    ("_imaginary", "imag"),
    ("_real", "real"),
    ("_ph", "phase"),
)
_SAME_TIME_MS = 0.01
_DIMENSIONS = slice(40, 56)
"""Where a NIfTI-1 header has them; its first bytes are its length, 348."""
_MANY_IN_ONE = ("MOSAIC", "VFRAME")
"""Words of ImageType: one file holds a whole volume in tiles."""


@dataclass(frozen=True)
class StackImage:
    """A NIfTI file and where it came from: ``frame`` is the first of its frames in an enhanced file."""

    path: Path
    part: ImagePart
    echo_time_ms: float | None
    shape: tuple[int, ...]
    sidecar: Mapping[str, Any]
    source: Instance
    frame: int = 0


@dataclass(frozen=True)
class StackResult:
    """Images of one stack; ``problems`` are one sentence each."""

    images: tuple[StackImage, ...] = ()
    problems: tuple[str, ...] = field(default=())
    single_coil: bool = False


def run_batch(executable: str, batch: Sequence[Stack], folder: Path, stop: threading.Event) -> StackResult:
    """Convert echoes of one part in one run; each in a run of its own where that does not give just those.

    Raises
    ------
    CancelledError
        When it was stopped.
    """
    if len(batch) == 1:
        return run_stack(executable, batch[0], folder, stop)
    folder.mkdir(mode=0o700)
    done = convert_files(executable, [one.path for stack in batch for one in stack.instances], folder, stop)
    images = None if done.error or done.single_coil else _echoes(batch, done.outputs)
    if images is not None:
        return StackResult(tuple(images))
    shutil.rmtree(folder / "nifti")
    return _together([run_stack(executable, stack, folder / f"{n + 1}", stop) for n, stack in enumerate(batch)])


def _echoes(batch: Sequence[Stack], outputs: Sequence[Output]) -> list[StackImage] | None:
    """Images of a batch by echo time; None where they are not just its echoes."""
    waiting = list(batch)
    images = []
    for output in outputs:
        time, shape = output.sidecar.get("EchoTime"), _shape(output.path)
        if not isinstance(time, int | float) or _part(output) not in (None, batch[0].part):
            return None
        stack = next((one for one in waiting if _same_time(one.echo_time_ms, float(time) * 1e3)), None)
        if stack is None or math.prod(shape[3:]) * stack.n_slices != len(stack.instances) or shape[2] != stack.n_slices:
            return None
        waiting.remove(stack)
        images.append(
            StackImage(output.path, stack.part, stack.echo_time_ms, shape, output.sidecar, stack.instances[0])
        )
    return images if not waiting else None


def _same_time(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) < _SAME_TIME_MS


def _together(results: Sequence[StackResult]) -> StackResult:
    return StackResult(
        tuple(image for result in results for image in result.images),
        tuple(problem for result in results for problem in result.problems),
        any(result.single_coil for result in results),
    )


def run_stack(executable: str, stack: Stack, folder: Path, stop: threading.Event) -> StackResult:
    """Convert a stack in a new folder, which is then left with the images alone.

    An enhanced file of which dcm2niix does not make the images that its frames promise is taken apart first; so is one
    of several images with compressed pixels, as dcm2niix decodes only the first of them rightly (JPEG lossless).

    Raises
    ------
    CancelledError
        When it was stopped.
    """
    folder.mkdir(mode=0o700)
    if len(stack.groups) < 2 or not stack.instances[0].compressed:
        done = convert_files(executable, [one.path for one in stack.instances], folder, stop)
        if not stack.groups:
            return _classic(stack, done.outputs, done.error, single_coil=done.single_coil)
        images = None if done.error else _enhanced(stack, done.outputs)
        if images is not None:
            return StackResult(tuple(images), (), done.single_coil)
        shutil.rmtree(folder / "nifti")
    return _together(
        [_group(executable, stack, group, folder / f"group-{n + 1}", stop) for n, group in enumerate(stack.groups)]
    )


def _classic(stack: Stack, outputs: tuple[Output, ...], error: str, *, single_coil: bool) -> StackResult:
    if error:
        return StackResult((), (f"{stack.label}: {error}; it is left out",), single_coil)
    source = stack.instances[0]
    images, problems = [], []
    for output in outputs:
        part = _part(output) or stack.part
        part = stack.part if part == "phase" and stack.part == "field" else part
        time = stack.echo_time_ms if part != "field" else None
        image = StackImage(output.path, part, time, _shape(output.path), output.sidecar, source)
        tiled = any(word in source.image_type.upper() for word in _MANY_IN_ONE)
        if image.shape[2] != stack.n_slices and not tiled:
            problems.append(
                f"{label(part, time)}: dcm2niix made {image.shape[2]} slices of {stack.n_slices}; it is left out"
            )
        else:
            images.append(image)
    return StackResult(tuple(images), tuple(problems), single_coil)


def _enhanced(stack: Stack, outputs: tuple[Output, ...]) -> list[StackImage] | None:
    """Images of an enhanced file by group; None where they are not just those that its frames promise."""
    waiting = list(stack.groups)
    otherwise = stack.part if len({group.part for group in stack.groups}) == 1 else "mag"
    images = []
    for output in outputs:
        part = _part(output) or otherwise
        time = output.sidecar.get("EchoTime")
        time_ms = float(time) * 1e3 if isinstance(time, int | float) else None
        shape = _shape(output.path)
        group = next((one for one in waiting if _promised(one, part, time_ms, shape)), None)
        if group is None or not shows_frames(output.path, stack.instances[0], group):
            return None
        waiting.remove(group)
        images.append(
            StackImage(
                output.path, group.part, group.echo_time_ms, shape, output.sidecar, stack.instances[0], group.frames[0]
            )
        )
    return images if not waiting else None


def _promised(group: FrameGroup, part: ImagePart, time_ms: float | None, shape: tuple[int, ...]) -> bool:
    n_slices = len(set(group.positions))
    volumes = shape[3] if len(shape) > 3 else 1
    if group.part != part or shape[2] != n_slices or volumes * n_slices != len(group.frames):
        return False
    return group.echo_time_ms is None or _same_time(time_ms, group.echo_time_ms)


def _group(executable: str, stack: Stack, group: FrameGroup, folder: Path, stop: threading.Event) -> StackResult:
    """Convert the frames of one group from a file of their own."""
    name = label(group.part, group.echo_time_ms)
    folder.mkdir(mode=0o700)
    alone = folder / "dicom"
    alone.mkdir(mode=0o700)
    try:
        write_group(stack.instances[0].path, group, alone / "frames.dcm")
    except DamagedError as error:
        return StackResult((), (f"{name}: {error}; it is left out",))
    done = convert(executable, alone, folder / "nifti", 1, stop)
    shutil.rmtree(alone)
    if done.error or len(done.outputs) != 1:
        wrong = done.error or f"dcm2niix made {len(done.outputs)} images of it"
        return StackResult((), (f"{name}: {wrong}; it is left out",), done.single_coil)
    output = done.outputs[0]
    shape, n_slices = _shape(output.path), len(set(group.positions))
    if shape[2] != n_slices:
        return StackResult((), (f"{name}: dcm2niix made {shape[2]} slices of {n_slices}; it is left out",))
    if not shows_frames(output.path, stack.instances[0], group):
        return StackResult((), (f"{name}: dcm2niix put its frames in a wrong order; it is left out",))
    image = StackImage(
        output.path, group.part, group.echo_time_ms, shape, output.sidecar, stack.instances[0], group.frames[0]
    )
    return StackResult((image,), (), done.single_coil)


def _part(output: Output) -> ImagePart | None:
    """Part by what dcm2niix added to the name."""
    return next((part for word, part in _SUFFIXES if word in output.suffix), None)


def _shape(path: Path) -> tuple[int, ...]:
    """Read the shape of a file that dcm2niix just wrote: at least three axes, no further ones of length 1."""
    with path.open("rb") as stream:
        head = stream.read(_DIMENSIONS.stop)
    order = "<" if head[:2] == b"\x5c\x01" else ">"
    count, *shape = struct.unpack(f"{order}8h", head[_DIMENSIONS])
    shape = shape[: max(count, 3)]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(max(n, 1) for n in shape)
