"""Files of a patient that a process left behind when it was ended, and journals that are kept under another name."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.workspace.drawing.segment import number_of, segments_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_msqsm.workflow.drawing.places import Places
    from napari_msqsm.workspace.drawing.plane import Plane
    from napari_msqsm.workspace.drawing.segment import Segment

_UNFINISHED = ".part-*-"


def remove_leftovers(places: Places, planes: Iterable[Plane]) -> None:
    """Remove unfinished files of a drawing; only whoever holds its lock may."""
    paths = [places.lesions, places.follow_ups, places.journal / "segment-*"]
    paths += [places.lock, places.lock.with_name(f"{places.lock.name}.*")]
    images = [places.plane(plane) for plane in planes]
    paths += [*images, *(path.with_name(path.name.replace(".nii.gz", ".json")) for path in images)]
    for path in paths:
        for unfinished in path.parent.glob(f"{_UNFINISHED}{path.name}"):
            with suppress(OSError):
                unfinished.unlink()


def keep_damaged(journal: Path, segment: Segment | None, *, copy: bool) -> tuple[str, ...]:
    """Keep what cannot be read of a journal under another name, before its next segment begins; returns the names.

    Parameters
    ----------
    journal
        Its folder.
    segment
        The newest segment that can be read; those after it cannot.
    copy
        Whether the end of that segment is kept as well, where it is damaged.
    """
    unreadable = [path for path in segments_in(journal) if segment is None or number_of(path) > segment.number]
    kept = [set_aside(path, "damaged") for path in unreadable]
    if segment is not None and segment.n_dropped_bytes and copy:
        kept.append(set_aside(segment.path, "damaged", copy=True))
    return tuple(path.name for path in kept)


def set_aside(segment: Path, why: str, *, copy: bool = False) -> Path:
    """Keep a segment of the journal under another name, under which it is not read any more; returns it.

    Parameters
    ----------
    segment
        The file.
    why
        ``discarded`` or ``damaged``.
    copy
        Whether the segment stays as well.

    Raises
    ------
    InputError
        When that cannot be written.
    """
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    kept = segment.with_name(f"{why}-{time}-{segment.name}")
    try:
        if copy:
            shutil.copy2(segment, kept)
        else:
            segment.replace(kept)
    except OSError as error:
        raise InputError(
            f"journal {segment} cannot be kept as {kept.name} ({error.strerror}); free some space or make the folder "
            "writable"
        ) from None
    return kept
