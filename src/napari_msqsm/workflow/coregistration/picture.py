"""One picture per session to judge its alignment by: every image on the baseline's grid, the baseline outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm._backend import to_numpy
from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_volume
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.workflow.coregistration.pairs import result_path
from napari_msqsm.workflow.picture import View, save_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.outcome import PairResult
    from napari_msqsm.workflow.coregistration.work import PatientImages

_BRAIN_COLOUR, _CSF_COLOUR = "#ffb000", "#00c8ff"
_BRIGHT = 0.995
_HALF = 0.5


def picture_path(study: Study, session: str, out_dir: Path | None = None) -> Path:
    """Where the picture of a session goes."""
    root = out_dir or study.derivatives_root
    return root / session.split("_")[0] / "figures" / f"{session}_desc-coregistration_qa.png"


def save_pictures(
    study: Study, results: Sequence[PairResult], images: PatientImages, *, out_dir: Path | None = None
) -> dict[str, Path]:
    """Draw the sessions of which a pair was aligned now.

    The outlines are those of brain and ventricles in the baseline: they lie on the edges of an image that is aligned.

    Returns
    -------
    dict
        Picture by session.
    """
    drawn = {}
    for session in dict.fromkeys(result.pair.session for result in results if result.ran and not result.error):
        own = [result for result in results if result.pair.session == session and result.state.transform is not None]
        fixed, grid = images.magnitude(own[0].pair.fixed_session)
        outlines = _outlines(study, own[0].pair.fixed_session, images, out_dir)
        views = [_view("baseline", to_numpy(fixed), outlines)]
        for result in own:
            assert result.state.transform is not None
            try:
                moving, moving_grid = images.moving(result.pair)
            except InputError:  # its own line of the outcome says so; the others are drawn
                continue
            carried = resample(to_numpy(moving), moving_grid, grid, result.state.transform, interpolation="linear")
            views.append(_view(f"{result.pair.contrast}: {result.word}", carried, outlines))
        drawn[session] = save_picture(picture_path(study, session, out_dir), views, grid, title=session)
    return drawn


def _view(name: str, array: NDArray[np.float32], outlines: dict[str, NDArray[np.bool_]]) -> View:
    positive = array[array > 0]
    top = float(np.quantile(positive, _BRIGHT)) if positive.size else 1.0
    return View(name, "a.u.", array, (0.0, top), outlines)


def _outlines(study: Study, baseline: str, images: PatientImages, out_dir: Path | None) -> dict[str, NDArray[np.bool_]]:
    found: dict[str, NDArray[np.bool_]] = {}
    brain = images.brain(baseline)
    if brain is not None:
        found[_BRAIN_COLOUR] = to_numpy(brain)
    csf = result_path(study, study.session(baseline), "desc-csf_mask", out_dir)
    if csf.is_file():
        fluid = load_volume(csf, what="CSF mask")
        if fluid.grid.same_as(images.magnitude(baseline)[1]):
            found[_CSF_COLOUR] = fluid.array > _HALF  # may be empty: a map without fluid is referenced to the brain
    return found
