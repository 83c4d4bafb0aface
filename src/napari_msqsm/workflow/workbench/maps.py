"""Images of one patient that lesions are drawn and measured on, each read once and when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_grid, load_mask, load_volume
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.coregistration.images import load_contrast, load_magnitude
from napari_msqsm.workflow.coregistration.maps import MAP, MASK, why_outdated
from napari_msqsm.workflow.coregistration.pairs import (
    GRE,
    baseline_of,
    magnitude_files,
    pairs_of,
    patient_of,
    result_path,
)
from napari_msqsm.workflow.coregistration.state import state_of
from napari_msqsm.workflow.rescans import RESCAN_COLUMN
from napari_msqsm.workflow.workbench.kept_images import KeptImages

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Contrast, Patient, Session, Study


@dataclass(frozen=True, eq=False)
class SessionMap:
    """Susceptibility of one session, on its own grid and on the baseline's.

    Parameters
    ----------
    chi_ppm, mask, grid
        (X, Y, Z) the native map, where it has a value, and its grid.
    transform
        Scanner positions at the baseline → those at this session, mm; the identity for the baseline.
    registered_chi_ppm, registered_mask
        The map on the baseline grid, and where it has a value there; None where it was not carried there, or was made
        from another map or with another transform than there are now.
    """

    chi_ppm: NDArray[np.float32]
    mask: NDArray[np.bool_]
    grid: Grid
    transform: AffineTransform
    registered_chi_ppm: NDArray[np.float32] | None
    registered_mask: NDArray[np.bool_] | None


class PatientMaps:
    """Images of a patient.

    Parameters
    ----------
    study, patient
        Whose; a patient also by identifier.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Raises
    ------
    InputError
        When no session has a gradient echo that can be read: there is no grid to draw on.
    """

    def __init__(self, study: Study, patient: Patient | str, *, out_dir: Path | None = None) -> None:
        self.study, self.out_dir = study, out_dir
        self.patient = patient_of(study, patient)
        baseline = baseline_of(self.patient)
        if baseline is None:
            raise InputError(f"sub-{self.patient.patient_id} has no gradient echo that can be read; nothing to draw on")
        self.baseline: Session = baseline
        self.grid: Grid = load_grid(magnitude_files(baseline)[0], what="magnitude")
        self.sessions: tuple[Session, ...] = tuple(
            each for each in self.patient.sessions if RESCAN_COLUMN not in each.covariates or each is baseline
        )
        """In order of date, without those that repeat another one."""
        self._pairs = {(pair.session, pair.contrast): pair for pair in pairs_of(study, self.patient, out_dir=out_dir)}
        self._transforms: dict[tuple[str, str], AffineTransform | None] = {}
        self._maps: dict[str, SessionMap | None] = {}
        self._images = KeptImages()

    def session(self, label: str) -> Session:
        """Session by BIDS name; KeyError where the patient has none of this name."""
        found = {each.label: each for each in self.patient.sessions}
        return found[label]

    def after(self, label: str) -> tuple[Session, ...]:
        """Sessions after one, in order; none where it is no session of this patient, or repeats another one."""
        labels = [each.label for each in self.sessions]
        return self.sessions[labels.index(label) + 1 :] if label in labels else ()

    def before(self, label: str) -> tuple[Session, ...]:
        """Sessions before one, in order; as `after`."""
        labels = [each.label for each in self.sessions]
        return self.sessions[: labels.index(label)] if label in labels else ()

    def transform(self, label: str, contrast: Contrast | str = GRE) -> AffineTransform | None:
        """Scanner positions at the baseline's gradient echo → those of an image of a session, mm.

        None where the image was not aligned, or its alignment may not be used.
        """
        key = (label, contrast)
        if key not in self._transforms:
            self._transforms[key] = self._read_transform(label, contrast)
        return self._transforms[key]

    def lacks(self, label: str) -> str:
        """Why nothing can be measured at a session, in words; empty where it can. No image is read."""
        session = self.session(label)
        if not session.gre:
            return "it has no gradient echo"
        if not result_path(self.study, session, "Chimap", self.out_dir).is_file():
            return "it has no susceptibility map; reconstruct it"
        if self.transform(label) is None:
            return "its gradient echo is not aligned to the baseline, or the alignment may not be used; coregister it"
        return ""

    def map(self, label: str) -> SessionMap | None:
        """Susceptibility of a session; None where there is no map, or no transform to it that may be used.

        Raises
        ------
        InputError
            When a file is there but cannot be used.
        """
        if label not in self._maps:
            self._maps[label] = self._read_map(label)
        return self._maps[label]

    def contrast(self, label: str, contrast: Contrast) -> tuple[NDArray[np.float32], Grid] | None:
        """(X, Y, Z) image of another contrast as it was acquired, and its grid; None where the session has none.

        The images that were asked for last are kept, see `napari_msqsm.workflow.workbench.kept_images`.

        Raises
        ------
        InputError
            When it cannot be read.
        """
        session = self.session(label)
        if contrast not in session.contrasts:
            return None
        path = session.contrasts[contrast]
        return self._images.get((label, contrast), lambda: load_contrast(path, contrast))

    def magnitude(self, label: str) -> tuple[NDArray[np.float32], Grid]:
        """(X, Y, Z) root sum of squares of a session's gradient echoes over the echoes, and its grid.

        Raises
        ------
        InputError
            When it has none, or one cannot be read.
        """
        session = self.session(label)
        return self._images.get((label, GRE), lambda: load_magnitude(session))

    def contrast_grid(self, label: str, contrast: Contrast) -> Grid | None:
        """Grid of an image of another contrast, without reading its values."""
        path = self.session(label).contrasts.get(contrast)
        if path is None:
            return None
        return load_grid(path, what=contrast)

    def forget(self) -> None:
        """Let go of images and transforms, so that they are read again: files have changed."""
        self._transforms.clear()
        self._maps.clear()
        self._images.clear()

    def _read_transform(self, label: str, contrast: str) -> AffineTransform | None:
        if label == self.baseline.label and contrast == GRE:
            return AffineTransform.identity()
        pair = self._pairs.get((label, contrast))
        if pair is None:
            return None
        state = state_of(self.study, pair, out_dir=self.out_dir)
        return state.transform if state.usable else None

    def _read_map(self, label: str) -> SessionMap | None:
        session, transform = self.session(label), self.transform(label)
        chimap, mask, there, mask_there = (
            result_path(self.study, session, name, self.out_dir) for name in ("Chimap", "desc-brain_mask", MAP, MASK)
        )
        if transform is None or not chimap.is_file():
            return None
        chi = load_volume(chimap, what="susceptibility map", allow_nan=True)
        holds = np.isfinite(chi.array)
        holds &= load_mask(mask, on=chi.grid) if mask.is_file() else chi.array != 0
        registered = registered_mask = None
        pair = None if session.label == self.baseline.label else self._pairs.get((label, GRE))
        current = not why_outdated(self.study, session, pair, out_dir=self.out_dir)
        if there.is_file() and mask_there.is_file() and current:
            carried = load_volume(there, what="susceptibility map")
            if carried.grid.same_as(self.grid):
                registered, registered_mask = carried.array, load_mask(mask_there, on=self.grid)
        return SessionMap(chi.array, holds, chi.grid, transform, registered, registered_mask)
