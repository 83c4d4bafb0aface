"""A series taken apart into images: the slices of one part of one echo, with a check that all are there."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.io.dicom.completeness import about_files, fewer_than_made, single_coils, unequal_parts
from napari_msqsm.io.dicom.elements import DamagedError
from napari_msqsm.io.dicom.frames import FrameGroup, frame_groups
from napari_msqsm.io.dicom.header import read_dataset
from napari_msqsm.io.dicom.parts import PART_ORDER, label, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_msqsm.io.dicom.instance import Instance
    from napari_msqsm.io.dicom.series import ImagePart
    from napari_msqsm.io.dicom.survey import SurveyedSeries

_SAME_ORIENTATION = 1e-3
_SAME_POSITION_MM = 0.02
_GAP = 1.5
"""Slices further apart than this many ordinary distances lack one between them."""
_MOST_NAMED = 4
_BATCH_FILES = 300
"""A run of dcm2niix takes as long to start as to convert some twenty slices."""


@dataclass(frozen=True)
class Stack:
    """What is converted in one run: the files of one image, or one enhanced file with all the images in it."""

    instances: tuple[Instance, ...]
    part: ImagePart
    echo_time_ms: float | None
    n_slices: int
    groups: tuple[FrameGroup, ...] = ()

    @property
    def label(self) -> str:
        """Name of the image: "phase at 15 ms"."""
        return label(self.part, self.echo_time_ms)


@dataclass(frozen=True)
class Stacks:
    """The images of a series, or why it is refused; ``problems`` are one sentence each."""

    stacks: tuple[Stack, ...]
    problems: tuple[str, ...] = ()
    refusal: str = ""


@dataclass
class _Draft:
    instances: list[Instance]
    orientation: NDArray[np.float64]
    counts: Counter[int] = field(default_factory=Counter)
    missing: int = 0


def batches(stacks: Sequence[Stack]) -> list[tuple[Stack, ...]]:
    """Put echoes of one part together that one run can tell apart, so that runs are few and still share the cores."""
    alike: list[list[Stack]] = []
    for stack in stacks:
        last = alike[-1] if alike else []
        fits = last and stack.echo_time_ms is not None and not stack.groups and _kind(stack) == _kind(last[0])
        if fits and all(own.echo_time_ms != stack.echo_time_ms for own in last):
            last.append(stack)
        else:
            alike.append([stack])
    out = []
    for group in alike:
        n_files = sum(len(stack.instances) for stack in group)
        count = min(len(group), max(1, round(n_files / _BATCH_FILES)))
        ends = [round(len(group) * n / count) for n in range(count + 1)]
        out += [tuple(group[begin:end]) for begin, end in itertools.pairwise(ends)]
    return out


def _kind(stack: Stack) -> tuple[object, ...]:
    first = stack.instances[0]
    return stack.part, first.image_type, first.pixels, first.orientation, stack.n_slices, bool(stack.groups)


def take_apart(series: SurveyedSeries) -> Stacks:
    """Sort the files of a series into images; those that lack slices are not among the result, and named."""
    problems = list(about_files(series))
    coils = single_coils(series.instances)
    if coils:
        named = one_line(", ".join(sorted(coils)[:_MOST_NAMED]))
        return Stacks(
            (), (), f"it holds the images of {len(coils)} single receive coils ({named} …); export the combined images"
        )
    stacks = _enhanced(series.instances, problems) if series.first.enhanced else _classic(series.instances, problems)
    stacks.sort(key=lambda stack: (PART_ORDER.index(stack.part), stack.echo_time_ms or 0.0))
    images = _images_of(stacks)
    problems += unequal_parts(images)
    problems += fewer_than_made(series, images, max((stack.n_slices for stack in stacks), default=0))
    return Stacks(tuple(stacks), tuple(problems), "" if stacks else "no image of it is complete")


def _classic(instances: Iterable[Instance], problems: list[str]) -> list[Stack]:
    drafts: dict[tuple[object, ...], list[_Draft]] = {}
    for one in instances:
        if one.position is None or one.orientation is None:
            problems.append(f"file {_name(one)} does not say where it lies and is left out")
            continue
        key = (one.part, one.echo_time_ms, one.pixels, one.image_type)
        orientation = np.array(one.orientation)
        same = drafts.setdefault(key, [])
        for draft in same:
            if np.max(np.abs(draft.orientation - orientation)) < _SAME_ORIENTATION:
                draft.instances.append(one)
                break
        else:
            same.append(_Draft([one], orientation))
    whole = [draft for same in drafts.values() for draft in same]
    for draft in whole:
        _place(draft)
    most: Counter[tuple[object, ...]] = Counter()
    for draft in whole:
        grid = _grid_key(draft)
        most[grid] = max(most[grid], len(draft.counts))
    stacks = []
    for draft in whole:
        first = draft.instances[0]
        name = label(first.part, first.echo_time_ms)
        wanted = most[_grid_key(draft)]
        if draft.missing:
            problems.append(
                f"{name}: {draft.missing} of {draft.missing + len(draft.counts)} slices are missing between others; "
                "it is left out"
            )
        elif len(draft.counts) < wanted:
            problems.append(f"{name}: {len(draft.counts)} of {wanted} slices are there; it is left out")
        else:
            stacks.append(_stack(draft, name, problems))
    return stacks


def _grid_key(draft: _Draft) -> tuple[object, ...]:
    return (draft.instances[0].pixels, tuple(np.round(draft.orientation, 2)))


def _place(draft: _Draft) -> None:
    """Count the images at every position along the normal, and the positions that are missing between others."""
    normal = np.cross(draft.orientation[:3], draft.orientation[3:])
    along = np.array([one.position for one in draft.instances]) @ normal
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    number = np.concatenate([[0], np.cumsum(steps > _SAME_POSITION_MM)])
    for place in number:
        draft.counts[int(place)] += 1
    apart = steps[steps > _SAME_POSITION_MM]
    if apart.size > 1:
        usual = float(np.median(apart)) if apart.size > 2 else float(np.min(apart))
        gaps = apart[apart > _GAP * usual]
        draft.missing = int(np.sum(np.round(gaps / usual) - 1))
    draft.instances = [draft.instances[int(n)] for n in order]


def _stack(draft: _Draft, name: str, problems: list[str]) -> Stack:
    """All instances, or the first at every position where there are not equally many everywhere."""
    instances = draft.instances
    times = set(draft.counts.values())
    if len(times) > 1:
        least, extra = min(times), sum(draft.counts.values()) - min(times) * len(draft.counts)
        volumes = "one whole volume" if least == 1 else f"{least} whole volumes"
        problems.append(f"{name}: there are {volumes} and {extra} slices of an unfinished one; the first whole is used")
        chosen, at = [], 0
        for place in sorted(draft.counts):
            here = instances[at : at + draft.counts[place]]
            chosen.append(min(here, key=lambda one: (one.time_point, one.acquisition, one.instance_number)))
            at += draft.counts[place]
        instances = chosen
    first = instances[0]
    return Stack(tuple(instances), first.part, first.echo_time_ms, len(draft.counts))


def _enhanced(instances: Iterable[Instance], problems: list[str]) -> list[Stack]:
    """One stack per file, or per image where every file holds a single frame."""
    files: list[tuple[Instance, list[FrameGroup]]] = []
    for one in instances:
        try:
            files.append((one, frame_groups(read_dataset(one.path))))
        except DamagedError as error:
            problems.append(f"file {_name(one)}: {error}; it is left out")
    slices = [(one, groups[0]) for one, groups in files if one.frames == 1]
    stacks = [_whole_file(one, groups, problems) for one, groups in files if one.frames > 1]
    if slices:
        stacks += _classic([_as_slice(one, group) for one, group in slices], problems)
    return stacks


def _as_slice(one: Instance, group: FrameGroup) -> Instance:
    """Give a file of one frame what the header of a classic file has at its top level."""
    return replace(
        one,
        part=group.part,
        echo_time_ms=group.echo_time_ms,
        position=group.positions[0],
        orientation=group.orientation,
    )


def _whole_file(one: Instance, groups: list[FrameGroup], problems: list[str]) -> Stack:
    """Leave out the groups of frames that have fewer slices than others."""
    most = max(len(set(group.positions)) for group in groups)
    kept = []
    for group in groups:
        there = len(set(group.positions))
        if there < most:
            name = label(group.part, group.echo_time_ms)
            problems.append(f"{name}: {there} of {most} slices are there; it is left out")
        else:
            kept.append(group)
    return Stack((one,), kept[0].part, kept[0].echo_time_ms, most, tuple(kept))


def _name(one: Instance) -> str:
    return one_line(one.path.replace("\\", "/").rsplit("/", 1)[-1])


def _images_of(stacks: Iterable[Stack]) -> list[tuple[ImagePart, float | None]]:
    out: list[tuple[ImagePart, float | None]] = []
    for stack in stacks:
        if stack.groups:
            out += [(group.part, group.echo_time_ms) for group in stack.groups]
        else:
            out.append((stack.part, stack.echo_time_ms))
    return out
