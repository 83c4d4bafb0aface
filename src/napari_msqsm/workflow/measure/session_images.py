"""What is measured on at one session, and what is known of it whatever the lesion: looked at once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import MsqsmError
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.registration.verdict import Level
from napari_msqsm.workflow.compute import pipeline_version
from napari_msqsm.workflow.coregistration.pairs import GRE, pairs_of, result_path
from napari_msqsm.workflow.coregistration.state import roots, state_of
from napari_msqsm.workflow.measure.flags import DROPOUT_MAGNITUDE, DROPOUT_R2STAR_HZ
from napari_msqsm.workspace.status import SessionState, status_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Session
    from napari_msqsm.workflow.workbench.maps import PatientMaps, SessionMap


class SessionImages:
    """Map, mask and quality of one session.

    Parameters
    ----------
    maps
        Images of the patient.
    session
        One of its sessions.
    """

    def __init__(self, maps: PatientMaps, session: Session) -> None:
        self._maps = maps
        self.session = session
        self.notes: list[str] = []
        """What has to be known, one sentence each."""

    @cached_property
    def map(self) -> SessionMap | None:
        """Susceptibility; None where there is none that can be used."""
        try:
            return self._maps.map(self.session.label)
        except MsqsmError as error:
            self.notes.append(f"{self.session.label}: {error}")
            return None

    @cached_property
    def flags(self) -> frozenset[str]:
        """Flags of every lesion at this session."""
        found = set()
        if self.session.post_gd:
            found.add("post_gd")
        if not self._path("Chimap").is_file():
            found.add("no_map")
        elif self.map is None:
            found.add("no_map" if self._maps.transform(self.session.label) is not None else "not_aligned")
        elif self._needs_a_look:
            found.add("misaligned")
        return frozenset(found)

    @cached_property
    def outdated(self) -> tuple[str, ...]:
        """Why the map does not belong to its inputs any more; every input is read once for this."""
        path = self._path("Chimap")
        if not path.is_file():
            return ()
        at = replace(self.session, derivatives=dict(self.session.derivatives) | {"Chimap": path})
        status = status_of(at, roots(self._maps.study, self._maps.out_dir), pipeline_version())
        return status.reasons if status.state is SessionState.OUTDATED else ()

    @cached_property
    def lost(self) -> NDArray[np.bool_] | None:
        """(X, Y, Z) voxels of the map without signal, see the flag ``signal_dropout``; None where nothing tells."""
        if self.map is None:
            return None
        try:
            path = self._path("R2starmap")
            if path.is_file():
                r2star = load_volume(path, what="R2* map", allow_nan=True)
                if r2star.grid.same_as(self.map.grid):
                    return np.asarray(np.nan_to_num(r2star.array) > DROPOUT_R2STAR_HZ)
            magnitude, grid = self._maps.magnitude(self.session.label)
        except MsqsmError as error:
            self.notes.append(f"{self.session.label}: signal drop-out cannot be told ({error})")
            return None
        if not grid.same_as(self.map.grid) or not self.map.mask.any():
            self.notes.append(
                f"{self.session.label}: signal drop-out cannot be told (the map lies on another grid than the "
                "gradient echo, and there is no R2* map)"
            )
            return None
        return np.asarray(magnitude < DROPOUT_MAGNITUDE * float(np.median(magnitude[self.map.mask])))

    @cached_property
    def holes(self) -> NDArray[np.bool_] | None:
        """(X, Y, Z) voxels without a value that are enclosed by ones with a value; None without a map."""
        return None if self.map is None else holes_of(self.map.mask)

    @property
    def _needs_a_look(self) -> bool:
        """Whether the alignment was judged doubtful and nobody accepted it."""
        maps, label = self._maps, self.session.label
        for pair in pairs_of(maps.study, maps.patient, out_dir=maps.out_dir):
            if (pair.session, pair.contrast) == (label, GRE):
                state = state_of(maps.study, pair, out_dir=maps.out_dir)
                return not state.by_hand and state.verdict is not None and state.verdict.level is Level.LOOK
        return False

    def _path(self, suffix: str) -> Path:
        return result_path(self._maps.study, self.session, suffix, self._maps.out_dir)


def holes_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(X, Y, Z) voxels outside a mask that no way of faces leads from to the edge of the image."""
    pieces, _ = ndimage.label(~mask)
    faces = [np.take(pieces, end, axis=axis) for axis in range(3) for end in (0, -1)]
    open_pieces = np.unique(np.concatenate([face.ravel() for face in faces]))
    enclosed = np.ones(int(pieces.max()) + 1, dtype=np.bool_)
    enclosed[open_pieces] = enclosed[0] = False
    return np.asarray(enclosed[pieces])
