"""Images of one patient on the chosen device, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm import _backend
from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_mask
from napari_msqsm.qsm.host.brain_mask import brain_mask
from napari_msqsm.workflow.coregistration.images import load_contrast, load_magnitude
from napari_msqsm.workflow.coregistration.pairs import result_path

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.pairs import Pair

_BRAIN_MASK = "desc-wholebrain_mask"


class PatientImages:
    """Keeps the magnitudes of a patient, and where the brain is in them.

    Parameters
    ----------
    study
        Where the patient belongs.
    device
        ``auto``, ``cpu`` or ``cuda``.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Raises
    ------
    GpuUnavailableError
        For ``cuda`` when there is none.
    """

    def __init__(self, study: Study, *, device: str = "auto", out_dir: Path | None = None) -> None:
        self._study, self._out_dir = study, out_dir
        self._xp = _backend.array_module(device)
        self._magnitudes: dict[str, tuple[Array, Grid]] = {}
        self._brains: dict[str, Array | None] = {}

    @property
    def device(self) -> str:
        """``cuda`` or ``cpu``."""
        return "cuda" if _backend.is_gpu(self._xp) else "cpu"

    def magnitude(self, label: str) -> tuple[Array, Grid]:
        """Root sum of squares over echoes of a session, and its grid."""
        if label not in self._magnitudes:
            array, grid = load_magnitude(self._study.session(label))
            self._magnitudes[label] = self._xp.asarray(array), grid
        return self._magnitudes[label]

    def moving(self, pair: Pair) -> tuple[Array, Grid]:
        """Read the moving image of a pair, and its grid."""
        if pair.same_contrast:
            return self.magnitude(pair.session)
        array, grid = load_contrast(pair.moving[0], pair.contrast)
        return self._xp.asarray(array), grid

    def brain(self, label: str) -> Array | None:
        """Brain in the magnitude of a session: that of its reconstruction, or found now; None where it is not found."""
        if label not in self._brains:
            found = self._found_brain(label)
            self._brains[label] = None if found is None else self._xp.asarray(found)
        return self._brains[label]

    def _found_brain(self, label: str) -> Any:
        magnitude, grid = self.magnitude(label)
        path = result_path(self._study, self._study.session(label), _BRAIN_MASK, self._out_dir)
        try:
            if path.is_file():
                return load_mask(path, on=grid)
            return brain_mask(_backend.to_numpy(magnitude), voxel_size_mm=grid.voxel_size_mm)
        except InputError:  # no brain stands out; the checks make do with the head
            return None
