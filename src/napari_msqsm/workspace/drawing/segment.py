"""What a file of the journal holds, and how it is done again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from napari_msqsm.workspace.drawing.frames import unframed
from napari_msqsm.workspace.drawing.history import History
from napari_msqsm.workspace.drawing.record import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit

ENDING = ".journal"
HEAD, DONE, UNDONE, DO, UNDO, REDO, SAVING = (b"H", b"d", b"u", b"D", b"U", b"R", b"S")
_HOW: Mapping[bytes, Literal["do", "undo", "redo"]] = {DO: "do", UNDO: "undo", REDO: "redo"}


@dataclass(frozen=True)
class Step:
    """One record of what somebody did.

    Parameters
    ----------
    how
        ``do``, ``undo`` or ``redo``.
    edit
        What was done; None for the other two, which speak of the steps before.
    by, at
        Who and when.
    """

    how: Literal["do", "undo", "redo"]
    edit: Edit | None
    by: str
    at: str


@dataclass(frozen=True)
class Saving:
    """Files were about to be put in place.

    Parameters
    ----------
    n_steps
        How many of the segment's steps they hold.
    files
        Digest of every file of the drawing when all of them are in place.
    """

    n_steps: int
    files: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Segment:
    """A file of the journal.

    Parameters
    ----------
    path
        The file.
    head
        What it begins from, as whoever began it wrote it.
    done, undone
        Steps of the time before that can be taken back or done again.
    steps
        What was done since.
    savings
        When files were put in place.
    n_dropped_bytes
        Bytes at its end that are cut or damaged.
    n_left_out
        Steps of the file before ``steps`` that are left out.
    """

    path: Path
    head: Mapping[str, Any] = field(hash=False)
    done: tuple[Edit, ...]
    undone: tuple[Edit, ...]
    steps: tuple[Step, ...]
    savings: tuple[Saving, ...]
    n_dropped_bytes: int
    n_left_out: int = 0

    @property
    def number(self) -> int:
        """Its place in the row of segments."""
        return number_of(self.path)


def number_of(path: Path) -> int:
    """Place of a segment in their row, from its name; 0 for other files."""
    digits = path.name.removeprefix("segment-").removesuffix(ENDING)
    return int(digits) if digits.isdigit() and path.name.endswith(ENDING) else 0


def segments_in(folder: Path) -> list[Path]:
    """Segments of a journal, the newest last."""
    return sorted((path for path in folder.glob(f"segment-*{ENDING}") if number_of(path)), key=number_of)


def read_segment(path: Path) -> Segment | None:
    """Read a segment up to where it is cut or damaged; None where its head is.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    data = path.read_bytes()
    payloads, n_good = unframed(data)
    if not payloads or payloads[0][:1] != HEAD:
        return None
    head = json.loads(payloads[0][1:])
    before: dict[bytes, list[Edit]] = {DONE: [], UNDONE: []}
    steps: list[Step] = []
    savings: list[Saving] = []
    dropped = len(data) - n_good
    for number, payload in enumerate(payloads[1:], start=1):
        kind, content = payload[:1], payload[1:]
        try:
            if kind in before:
                before[kind].append(decode(content))
            elif kind == SAVING:
                savings.append(Saving(**json.loads(content)))
            elif kind == DO:
                edit = decode(content)
                steps.append(Step("do", edit, edit.by, edit.at))
            else:
                steps.append(Step(_HOW[kind], None, **json.loads(content)))
        except (KeyError, TypeError, ValueError):  # whole, but of another version
            dropped += sum(len(each) for each in payloads[number:])
            break
    return Segment(path, head, tuple(before[DONE]), tuple(before[UNDONE]), tuple(steps), tuple(savings), dropped)


def carried_out(segment: Segment) -> list[tuple[Step, Edit]]:
    """Each step of a segment with the edit that it carried out: the inverse one for ``undo``."""
    return _followed(segment)[0]


def without_first(segment: Segment, n_steps: int) -> Segment:
    """Leave out the first steps of a segment; they are part of its history then."""
    history = _followed(replace(segment, steps=segment.steps[:n_steps]))[1]
    rest = segment.steps[n_steps:]
    return replace(
        segment, done=history.done, undone=history.undone, steps=rest, n_left_out=segment.n_left_out + n_steps
    )


def _followed(segment: Segment) -> tuple[list[tuple[Step, Edit]], History]:
    history = History()
    history.replace(segment.done, segment.undone)
    found = []
    for step in segment.steps:
        edit = {"do": step.edit, "undo": history.last, "redo": history.next}[step.how]
        if edit is None:
            break
        found.append((step, edit.inverse if step.how == "undo" else edit))
        if step.how == "do":
            history.push(edit)
        elif step.how == "undo":
            history.back()
        else:
            history.again()
    return found, history


def replay(drawing: Drawing, segment: Segment) -> None:
    """Do all steps of a segment again, so that the history is what it was as well.

    Steps that the files hold already do no harm: every voxel ends with what was last written to it.
    """
    drawing.history.replace(segment.done, segment.undone)
    for step, edit in carried_out(segment):
        drawing.repeat(edit, step.how)
