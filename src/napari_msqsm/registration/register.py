"""Registration of two images of one head: from far away and coarse to near and fine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.capture import captured
from napari_msqsm.registration.host.motion import Motion
from napari_msqsm.registration.host.optimiser import ascend
from napari_msqsm.registration.levels import Levels
from napari_msqsm.registration.overlap import part_inside
from napari_msqsm.registration.pair import PairSimilarity
from napari_msqsm.registration.prepared import HEAD_LEVEL, PreparedImage, prepared
from napari_msqsm.registration.result import Registration
from napari_msqsm.registration.settings import RegistrationSettings

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.registration.host.optimiser import Ascent

    OnProgress = Callable[[str, float], None]

_SHARE_OF_LEVEL = (0.1, 0.15, 0.3, 0.45)
"""Part of the time that a level takes, of four."""
_FIRST_STEP_PER_LEVEL = 0.25
"""First step as a part of the level's voxel edge."""


def register(
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    *,
    settings: RegistrationSettings | None = None,
    fixed_mask: Array | None = None,
    moving_mask: Array | None = None,
    fixed_weight: Array | None = None,
    moving_weight: Array | None = None,
    initial: AffineTransform | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Registration:
    """Find where every point of the fixed image lies in the moving image.

    Maximises the symmetric normalised mutual information (`pair`) from coarse to fine levels. At the coarsest level
    many starting positions are tried, so that the headers need not agree; the best go on.

    Parameters
    ----------
    fixed, moving
        (X, Y, Z) images of any contrast and real data type, 0 or noise in air.
    fixed_grid, moving_grid
        Where their voxels are; any orientation.
    settings
        Model and levels.
    fixed_mask, moving_mask
        On the image's own grid: positions outside (≤ 0.5) do not count.
    fixed_weight, moving_weight
        On the image's own grid, ≥ 0: how much a position counts; 0 ignores it, such as a lesion that changes.
    initial
        Where to begin; no other starting position is tried then.
    seed
        Of the sample points.
    on_progress
        Called with what is being done and the fraction that is done.
    cancel
        When set, the work stops soon.

    Returns
    -------
    Registration
        Transform fixed → moving, with what tells how good it is.

    Raises
    ------
    InputError
        When an image cannot be used (not 3-D, too small, no contrast, NaN), a mask is empty, or the two images have
        too little in common at every starting position.
    CancelledError
        When cancelled.
    """
    settings = settings or RegistrationSettings()
    report = _Reporter(on_progress, cancel)
    report("Reading the images", 0.0)
    one = prepared(fixed, fixed_grid, mask=fixed_mask, weight=fixed_weight, what="the fixed image")
    other = prepared(moving, moving_grid, mask=moving_mask, weight=moving_weight, what="the moving image")
    return _registered(one, other, settings, initial, seed, report)


def _registered(
    fixed: PreparedImage,
    moving: PreparedImage,
    settings: RegistrationSettings,
    initial: AffineTransform | None,
    seed: int,
    report: _Reporter,
) -> Registration:
    fixed_levels, moving_levels = (
        Levels(image, settings, what=f"the {name} image") for image, name in ((fixed, "fixed"), (moving, "moving"))
    )

    def pair_at(number: int, near: NDArray[Any], *, weighted: bool) -> PairSimilarity:
        return PairSimilarity(
            fixed_levels.at(number),
            moving_levels.at(number),
            n_points=settings.n_points[number],
            n_bins=settings.n_bins[number],
            edge_share=settings.edge_share,
            near=near,
            weighted=weighted,
            seed=seed,
            least_overlap=settings.least_overlap,
        )

    def rigid(matrix: NDArray[Any]) -> Motion:
        return Motion.rigid(matrix, fixed_affine=fixed.image.affine, moving_affine=moving.image.affine)

    record: dict[str, Any] = {"settings": settings.model_dump(mode="json"), "seed": seed, "levels": []}
    n_levels = len(settings.levels_mm)
    if initial is not None:
        motions, first = [Motion.initial(initial.matrix, settings.model, rigid(initial.matrix))], min(1, n_levels - 1)
    else:
        report("Looking for the head", 0.05)
        coarsest = pair_at(0, AffineTransform.identity().matrix, weighted=False)
        motions = captured(fixed_levels, moving_levels, coarsest, rigid, settings, record)
        first = min(1, n_levels - 1)
    best: Ascent | None = None
    for number in range(first, n_levels):
        level_mm = settings.levels_mm[number]
        fine = level_mm <= settings.shading_from_mm or number == n_levels - 1
        model = settings.model if fine else "rigid"
        report(f"Aligning at {level_mm:g} mm", 0.1 + 0.9 * sum(_SHARE_OF_LEVEL[:number]))
        began = time.perf_counter()
        pair = pair_at(number, motions[0].matrix, weighted=fine)

        def similarity(matrix: NDArray[Any], pair: PairSimilarity = pair) -> tuple[float, NDArray[Any]]:
            report.stop_if_cancelled()
            return pair.value_and_gradient(matrix)

        ascents = [
            ascend(
                similarity,
                motion.allowing(model).about(pair.centre_mm(motion.matrix)),
                first_step_mm=_FIRST_STEP_PER_LEVEL * level_mm,
                tolerance_mm=settings.tolerance_mm[number],
                max_iter=settings.max_iter,
            )
            for motion in motions
        ]
        best = max(ascents, key=lambda ascent: ascent.value)
        motions = [best.motion]
        record["levels"].append(
            {
                "level_mm": level_mm,
                "points": pair.n_points,
                "iterations": best.iterations,
                "evaluations": sum(ascent.evaluations for ascent in ascents),
                "similarity": best.value,
                "converged": best.converged,
                "seconds": round(time.perf_counter() - began, 3),
            }
        )
    if best is None or best.value == 0:
        raise InputError(
            "the fixed and the moving image have too little in common: at no position does enough of one lie inside "
            "the other; check that both show the same head"
        )
    report("Done", 1.0)
    return Registration(
        transform=AffineTransform(best.motion.matrix),
        model=settings.model,
        similarity=best.value,
        overlap=part_inside(fixed_levels.coarsest, moving.image, best.motion.matrix, head_level=HEAD_LEVEL),
        axis_scales=best.motion.axis_scales,
        converged=best.converged,
        record=record,
    )


class _Reporter:
    """Tells progress and stops when cancelled."""

    def __init__(self, on_progress: OnProgress | None, cancel: threading.Event | None) -> None:
        self._on_progress, self._cancel = on_progress, cancel

    def __call__(self, title: str, fraction: float) -> None:
        self.stop_if_cancelled()
        if self._on_progress is not None:
            self._on_progress(title, min(fraction, 1.0))

    def stop_if_cancelled(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("registration was cancelled")
