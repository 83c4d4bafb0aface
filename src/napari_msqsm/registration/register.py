"""Registration of two images of one head: from far away and coarse to near and fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.prepared import prepared
from napari_msqsm.registration.result import Registration
from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.registration.stages import Stages

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid

    OnProgress = Callable[[str, float], None]


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
    report = Reporter(on_progress, cancel)
    report("Reading the images", 0.0)
    stages = Stages(
        prepared(fixed, fixed_grid, mask=fixed_mask, weight=fixed_weight, what="the fixed image"),
        prepared(moving, moving_grid, mask=moving_mask, weight=moving_weight, what="the moving image"),
        settings,
        seed=seed,
        stop_if_cancelled=report.stop_if_cancelled,
    )
    starts: dict[str, Any] = {}
    if initial is not None:
        report("Aligning coarsely", 0.1)
        motions = stages.followed([stages.motion_near(initial.matrix)], unshaded=False)
    else:
        report("Looking for the head", 0.1)
        motions, starts = stages.captured()
    n_levels = len(settings.levels_mm)
    for number in range(stages.first_fine, n_levels):
        done = 0.4 + 0.6 * (number - stages.first_fine) / (n_levels - stages.first_fine)
        report(f"Aligning at {settings.levels_mm[number]:g} mm", done)
        found = stages.aligned(number, motions)
        motions = [found.motion]
    if found.similarity == 0:
        raise InputError(
            "the fixed and the moving image have too little in common: at no position does enough of one lie inside "
            "the other; check that both show the same head"
        )
    report("Done", 1.0)
    scales = found.motion.axis_scales
    return Registration(
        transform=AffineTransform(found.motion.matrix),
        model=settings.model,
        similarity=found.similarity,
        overlap=stages.overlap(found.motion.matrix),
        axis_scales=scales,
        converged=found.converged and all(abs(scale - 1.0) <= settings.most_stretch for scale in scales),
        record={
            "settings": settings.model_dump(mode="json"),
            "seed": seed,
            "starts": starts,
            "levels": stages.record,
        },
    )


class Reporter:
    """Tells progress and stops when cancelled."""

    def __init__(self, on_progress: OnProgress | None, cancel: threading.Event | None) -> None:
        self._on_progress, self._cancel = on_progress, cancel

    def __call__(self, title: str, fraction: float) -> None:
        """Say what is being done, and which fraction is done."""
        self.stop_if_cancelled()
        if self._on_progress is not None:
            self._on_progress(title, min(fraction, 1.0))

    def stop_if_cancelled(self) -> None:
        """Stop when it was asked for.

        Raises
        ------
        CancelledError
            When cancelled.
        """
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("registration was cancelled")
