"""An edit as bytes: a JSON head for what is known, packed integers for the voxels. No pickle: nothing is executed."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.model.lesion import FollowUp, Lesion
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, VoxelChange
from napari_msqsm.workspace.drawing.plane import Plane, PlaneKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = struct.Struct("<I")
_QUICK = 1
_POINTS = ("onset_point_mm", "shift_mm")


def encode(edit: Edit) -> bytes:
    """Bytes of an edit; voxels are stored as steps from one to the next: a stroke packs to a few hundred bytes."""
    head = {
        "title": edit.title,
        "by": edit.by,
        "at": edit.at,
        "voxels": [[change.plane.kind.value, change.plane.session, int(change.index.size)] for change in edit.voxels],
        "lesions": [[_plain(change.before), _plain(change.after)] for change in edit.lesions],
        "follow_ups": [[_plain(change.before), _plain(change.after)] for change in edit.follow_ups],
    }
    body = b"".join(
        part.tobytes()
        for change in edit.voxels
        for part in (
            np.diff(change.index, prepend=0).astype("<i8"),
            change.before.astype("<u2"),
            change.after.astype("<u2"),
        )
    )
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    return _HEAD.pack(len(text)) + text + zlib.compress(body, _QUICK)


def decode(data: bytes) -> Edit:
    """Edit of its bytes.

    Raises
    ------
    ValueError
        When they are not those of an edit.
    """
    try:
        (length,) = _HEAD.unpack_from(data)
        head: dict[str, Any] = json.loads(data[_HEAD.size : _HEAD.size + length])
        body = zlib.decompress(data[_HEAD.size + length :])
        voxels, at = [], 0
        for kind, session, n in head["voxels"]:
            steps, before, after = (
                np.frombuffer(body, kind_of, n, at + offset * n)
                for kind_of, offset in (("<i8", 0), ("<u2", 8), ("<u2", 10))
            )
            at += 12 * n
            index = np.cumsum(steps, dtype=np.int64)
            voxels.append(
                VoxelChange(Plane(PlaneKind(kind), session), index, before.astype(np.uint16), after.astype(np.uint16))
            )
        lesions = tuple(LesionChange(*(_lesion(side) for side in sides)) for sides in head["lesions"])
        states = tuple(FollowUpChange(*(_follow_up(side) for side in sides)) for sides in head["follow_ups"])
        return Edit(head["title"], tuple(voxels), lesions, states, head["by"], head["at"])
    except (struct.error, zlib.error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not the record of an edit ({error})") from None


def _plain(value: Lesion | FollowUp | None) -> dict[str, Any] | None:
    return None if value is None else dict(vars(value))


def _with_points(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in _POINTS and value else value for name, value in cells.items()}


def _lesion(cells: Mapping[str, Any] | None) -> Lesion | None:
    return None if cells is None else Lesion(**_with_points(cells))


def _follow_up(cells: Mapping[str, Any] | None) -> FollowUp | None:
    return None if cells is None else FollowUp(**_with_points(cells))
