"""What a journal holds that the files do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.model.grid import Grid
from napari_msqsm.workflow.drawing.stored import FileState
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, VoxelChange
from napari_msqsm.workspace.drawing.plane import Plane, PlaneKind
from napari_msqsm.workspace.drawing.segment import carried_out, read_segment, replay, segments_in, without_first

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.journal import History
    from napari_msqsm.workspace.drawing.segment import Segment

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Recovery:
    """Drawings that were not saved.

    Parameters
    ----------
    n_edits
        How many edits, undos and redos.
    by
        Who made them.
    first_at, last_at
        When, ISO 8601.
    lesions
        Names of the lesions that they touch.
    changed_files
        Files that somebody else changed since; recovering draws the edits on what these hold now.
    n_lost_bytes
        What is cut or damaged at the end of the journal; a copy of it is kept aside.
    """

    n_edits: int
    by: tuple[str, ...]
    first_at: str
    last_at: str
    lesions: tuple[str, ...]
    changed_files: tuple[str, ...] = ()
    n_lost_bytes: int = 0

    @property
    def sentence(self) -> str:
        """For the user."""
        who = " and ".join(self.by) or "somebody"
        when = self.last_at[:16].replace("T", " ")
        lesions = ", ".join(self.lesions[:6]) + (" …" if len(self.lesions) > 6 else "")
        said = f"{self.n_edits} step{'s' * (self.n_edits > 1)} of {who} until {when} UTC were not saved ({lesions})"
        if self.changed_files:
            said += f"; {', '.join(self.changed_files)} changed since, so that they would be drawn on the newer files"
        return said


def newest_segment(folder: Path) -> Segment | None:
    """Newest segment of a journal whose head can be read; None where there is none.

    Raises
    ------
    InputError
        When it cannot be read from disk.
    """
    for path in reversed(segments_in(folder)):
        try:
            segment = read_segment(path)
        except OSError as error:
            raise InputError(f"journal {path} cannot be read ({error.strerror}); check the disk") from None
        if segment is not None:
            return segment
    return None


def head_of(files: Mapping[str, FileState], grids: Mapping[Plane, Grid], *, n_audited: int = 0) -> dict[str, Any]:
    """Head of a segment that begins from these files."""
    return {
        "files": {name: [state.sha256, list(state.labels)] for name, state in files.items()},
        "grids": [[*plane, list(grid.shape), grid.affine.tolist()] for plane, grid in grids.items()],
        "n_audited": n_audited,
    }


def files_of(segment: Segment | None) -> dict[str, FileState]:
    """States of the files that a segment begins from."""
    if segment is None:
        return {}
    return {name: FileState(sha256, tuple(labels)) for name, (sha256, labels) in segment.head["files"].items()}


def unsaved_part(segment: Segment, files: Mapping[str, FileState]) -> Segment:
    """Leave out the steps that the files hold, where the process ended after it saved and before it said so."""
    states = _states(segment)
    now = {name: state.sha256 for name, state in files.items()}
    written = {name for each in states for name in each if any(each[name] != other.get(name) for other in states)}
    n_saved = [
        saving.n_steps for saving in segment.savings if all(now.get(name) == saving.files.get(name) for name in written)
    ]
    return without_first(segment, max(n_saved, default=0))


def recovery_of(
    places: Places, segment: Segment, files: Mapping[str, FileState], names: Mapping[int, str]
) -> Recovery | None:
    """Tell what a segment holds that the files do not; None where that is nothing.

    Parameters
    ----------
    places
        Of the patient.
    segment
        The unsaved part of the newest one.
    files
        States of the files on disk.
    names
        Name of the lesion of each label.
    """
    done = carried_out(segment)
    if not done:
        return None
    edits = [edit for _, edit in done]
    touched = {places.relative(places.plane(each.plane)) for edit in edits for each in edit.voxels}
    if any(edit.lesions or edit.follow_ups for edit in edits):
        touched |= {places.relative(path) for path in (places.lesions, places.follow_ups)}
    known = dict(names) | {
        change.after.label: change.after.lesion_id
        for edit in edits
        for change in edit.lesions
        if change.after is not None
    }
    labels = sorted({label for edit in edits for label in edit.labels})
    times = sorted(step.at for step, _ in done)
    return Recovery(
        len(done),
        tuple(dict.fromkeys(step.by for step, _ in done if step.by)),
        times[0],
        times[-1],
        tuple(known.get(label, str(label)) for label in labels),
        tuple(name for name in sorted(touched) if _is_of_others(name, segment, files)),
        segment.n_dropped_bytes,
    )


def settled_history(segment: Segment, files: Mapping[str, FileState]) -> History:
    """Give back what can be undone and redone where nothing is unsaved; nothing where somebody else changed a file."""
    names = {*files, *files_of(segment)}
    others = any(_is_of_others(name, segment, files) for name in names)
    return ((), ()) if others else (segment.done, segment.undone)


def _states(segment: Segment) -> list[dict[str, str]]:
    """Digests of the files as the segment began, and after each save."""
    begun = {name: state.sha256 for name, state in files_of(segment).items()}
    return [begun, *(dict(saving.files) for saving in segment.savings)]


def _is_of_others(name: str, segment: Segment, files: Mapping[str, FileState]) -> bool:
    """Whether a file is none of those that were there when the segment began, or that it saved."""
    sha256 = files[name].sha256 if name in files else None
    return all(sha256 != each.get(name) for each in _states(segment))


def refuse_what_does_not_fit(drawing: Drawing, segment: Segment, *, on_newer_files: bool) -> None:
    """Refuse to do steps again on images that are not those they were drawn on, or beside lesions of the same label.

    Raises
    ------
    InputError
        When an image has another grid now, or a lesion that was new then is another one in the newer files.
    """
    begun = {
        Plane(PlaneKind(kind), session): Grid(tuple(shape), affine)
        for kind, session, shape, affine in segment.head["grids"]
    }
    edits = [edit for _, edit in carried_out(segment)]
    for plane in dict.fromkeys(change.plane for edit in edits for change in edit.voxels):
        if plane not in drawing.planes or plane not in begun or not begun[plane].same_as(drawing.grid(plane)):
            raise InputError(
                f"the image of {plane.kind} {plane.session or 'of the patient'} is another one than when the unsaved "
                "drawings were made; put it back to recover them, or set them aside"
            )
    if not on_newer_files:
        return
    for change in (change for edit in edits for change in edit.lesions if change.before is None):
        if change.after is not None and drawing.lesion(change.after.label) not in (None, change.after):
            raise InputError(
                f"label {change.after.label} is another lesion in the files that changed since; put the earlier files "
                "back to recover what was not saved, or set it aside"
            )


def recover(drawing: Drawing, segment: Segment, *, on_newer_files: bool) -> Edit:
    """Do the steps of a segment again; returns what changed in all.

    Parameters
    ----------
    drawing
        As its files are.
    segment
        The steps.
    on_newer_files
        Whether somebody else changed the files: the steps are then one step of the history, which is taken back whole.

    Raises
    ------
    InputError
        When they do not fit; nothing is changed then.
    """
    refuse_what_does_not_fit(drawing, segment, on_newer_files=on_newer_files)
    edits = [edit for _, edit in carried_out(segment)]
    index = {
        plane: np.unique(np.concatenate([each.index for edit in edits for each in edit.voxels if each.plane == plane]))
        for plane in dict.fromkeys(each.plane for edit in edits for each in edit.voxels)
    }
    before = {plane: drawing.labels(plane).reshape(-1)[at] for plane, at in index.items()}
    lesions = {one.label: one for one in drawing.lesions}
    states = {(one.label, one.session): one for one in drawing.follow_ups}
    replay(drawing, segment)
    voxels = (_change(plane, at, before[plane], drawing.labels(plane).reshape(-1)[at]) for plane, at in index.items())
    lesions_now = {one.label: one for one in drawing.lesions}
    states_now = {(one.label, one.session): one for one in drawing.follow_ups}
    whole = Edit(
        "recover what was not saved",
        tuple(change for change in voxels if change.index.size),
        tuple(LesionChange(*sides) for sides in _differences(lesions, lesions_now)),
        tuple(FollowUpChange(*sides) for sides in _differences(states, states_now)),
        segment.steps[-1].by,
        segment.steps[-1].at,
    )
    if on_newer_files:
        drawing.history.replace(() if whole.is_empty else (whole,))
    return whole


def _change(plane: Plane, at: NDArray[np.int64], before: NDArray[np.uint16], after: NDArray[np.uint16]) -> VoxelChange:
    differ = before != after
    return VoxelChange(plane, at[differ], before[differ], after[differ])


def _differences(before: Mapping[K, V], after: Mapping[K, V]) -> list[tuple[V | None, V | None]]:
    keys = dict.fromkeys((*before, *after))
    return [(before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]
