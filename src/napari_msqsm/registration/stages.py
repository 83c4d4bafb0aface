"""What is done at each level: rigid by mutual information; stretch and shear by blocks inside the head."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.capture import captured
from napari_msqsm.registration.host.motion import Motion
from napari_msqsm.registration.host.optimiser import ascend
from napari_msqsm.registration.levels import Levels
from napari_msqsm.registration.local_correlation import LocalCorrelation
from napari_msqsm.registration.mutual_information import MutualInformation
from napari_msqsm.registration.overlap import part_inside
from napari_msqsm.registration.pair import Pair
from napari_msqsm.registration.prepared import HEAD_LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.registration.host.optimiser import Ascent
    from napari_msqsm.registration.prepared import PreparedImage
    from napari_msqsm.registration.settings import Model, RegistrationSettings

    _Similarity = MutualInformation | LocalCorrelation

_FIRST_STEP_PER_LEVEL = 0.25
"""First step as a part of the level's voxel edge."""
_MOST_IN_QUESTION = 2
"""Motions that are improved at a fine level."""
_LEAST_INSIDE = 0.2
"""Part of a level's points that must lie inside the head for blocks to decide."""


@dataclass(frozen=True, eq=False)
class Found:
    """Answer of a level.

    Parameters
    ----------
    motion
        Fixed → moving.
    similarity
        Normalised mutual information there; 0 where too little of the images lies inside each other.
    converged
        Whether the ascent settled.
    """

    motion: Motion
    similarity: float
    converged: bool


class Stages:
    """Two images on their way through the levels.

    Parameters
    ----------
    fixed, moving
        The images at full resolution.
    settings
        Model and levels.
    seed
        Of the sample points.
    stop_if_cancelled
        Called before every evaluation; may raise.
    """

    def __init__(
        self,
        fixed: PreparedImage,
        moving: PreparedImage,
        settings: RegistrationSettings,
        *,
        seed: int,
        stop_if_cancelled: Callable[[], None],
    ) -> None:
        self._fixed, self._moving = fixed.image, moving.image
        self._fixed_levels = Levels(fixed, settings, what="the fixed image")
        self._moving_levels = Levels(moving, settings, what="the moving image")
        self._settings, self._seed, self._stop_if_cancelled = settings, seed, stop_if_cancelled
        self._by_blocks: bool | None = None
        self.record: list[dict[str, Any]] = []

    def motion_near(self, matrix: NDArray[Any]) -> Motion:
        """Motion of the chosen model nearest to a (4, 4) map."""
        return Motion.initial(matrix, self._settings.model, self._rigid(matrix))

    @property
    def first_fine(self) -> int:
        """Number of the first level at which shading is always removed and masks, weights and the whole model act."""
        settings = self._settings
        fine = [n for n, level_mm in enumerate(settings.levels_mm) if level_mm <= settings.shading_from_mm]
        return fine[0] if fine else len(settings.levels_mm) - 1

    def captured(self) -> tuple[list[Motion], dict[str, Any]]:
        """Rigid motions that are worth following at the fine levels, and how they were found.

        The head is looked for twice: in the images as they are, and without shading. Either finds heads that the other
        misses.
        """
        motions: list[Motion] = []
        how: dict[str, Any] = {}
        for unshaded, name in ((False, "as they are"), (True, "without shading")):
            found, how[name] = self._captured(unshaded=unshaded)
            motions += self.followed(found, unshaded=unshaded)
        return motions, how

    def followed(self, motions: list[Motion], *, unshaded: bool) -> list[Motion]:
        """Motions after the coarse levels but the first, improved each for itself."""
        for number in range(1, self.first_fine):
            pair = self._pair(number, motions[0].matrix, unshaded=unshaded)
            ascents = self._ascended(number, motions, pair, self._information(number, pair), "rigid")
            motions = [ascent.motion for ascent in ascents]
        return motions

    def _captured(self, *, unshaded: bool) -> tuple[list[Motion], dict[str, Any]]:
        nowhere = AffineTransform.identity().matrix
        pair = self._pair(0, nowhere, unshaded=unshaded)
        information = self._information(0, pair)
        finer = min(1, len(self._settings.levels_mm) - 1)
        finer_information = self._information(finer, self._pair(finer, nowhere, unshaded=unshaded))

        def value_and_gradient(matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
            self._stop_if_cancelled()
            return information.value_and_gradient(matrix)

        return captured(
            self._fixed_levels.coarsest,
            self._moving_levels.coarsest,
            value=information.value,
            value_and_gradient=value_and_gradient,
            finer_value=finer_information.value,
            motion_of=lambda matrix: self._rigid(matrix).about(pair.centre_mm(matrix)),
            settings=self._settings,
        )

    def aligned(self, number: int, motions: list[Motion]) -> Found:
        """Best motion at a fine level, from those that are still in question."""
        settings = self._settings
        pair = self._pair(number, motions[0].matrix, unshaded=True, weighted=True)
        information = self._information(number, pair)
        motions = sorted(motions, key=lambda motion: -information.value(motion.matrix))[:_MOST_IN_QUESTION]
        if settings.model == "rigid":
            best = self._improved(number, motions, pair, information, "rigid")
        else:
            best = self._stretched(number, motions, pair, information)
        return Found(best.motion, information.value(best.motion.matrix), best.converged)

    def overlap(self, matrix: NDArray[Any]) -> float:
        """Part of the fixed head that lies inside the moving image."""
        return part_inside(self._fixed_levels.coarsest, self._moving, matrix, head_level=HEAD_LEVEL)

    def _stretched(self, number: int, motions: list[Motion], pair: Pair, information: MutualInformation) -> Ascent:
        """Motion of the whole model; the first time rigid first.

        Blocks decide where they correlate, which is where the contrasts are much the same; else mutual information.
        """
        settings = self._settings
        if self._by_blocks is None:
            motions = [self._improved(number, motions, pair, information, "rigid").motion]
        if self._by_blocks is not False:
            inside = self._pair(number, motions[0].matrix, unshaded=True, weighted=True, inside=True)
            enough = inside.n_points >= _LEAST_INSIDE * settings.n_points[number]
            blocks = LocalCorrelation(inside, block_mm=settings.block_mm) if enough else None
            if self._by_blocks is None:
                self._by_blocks = blocks is not None and blocks.value(motions[0].matrix) >= settings.least_correlation
            if self._by_blocks and blocks is not None:
                return self._improved(number, motions, inside, blocks, settings.model)
        return self._improved(number, motions, pair, information, settings.model)

    def _improved(
        self, number: int, motions: list[Motion], pair: Pair, similarity: _Similarity, model: Model
    ) -> Ascent:
        """Best of the motions after an ascent each."""
        return max(self._ascended(number, motions, pair, similarity, model), key=lambda ascent: ascent.value)

    def _ascended(
        self, number: int, motions: list[Motion], pair: Pair, similarity: _Similarity, model: Model
    ) -> list[Ascent]:
        """Every motion after an ascent; the best is recorded."""
        began = time.perf_counter()
        settings = self._settings

        def value_and_gradient(matrix: NDArray[Any]) -> tuple[float, NDArray[Any]]:
            self._stop_if_cancelled()
            return similarity.value_and_gradient(matrix)

        ascents = [
            ascend(
                value_and_gradient,
                motion.allowing(model).about(pair.centre_mm(motion.matrix)),
                first_step_mm=_FIRST_STEP_PER_LEVEL * settings.levels_mm[number],
                tolerance_mm=settings.tolerance_mm[number],
                max_iter=settings.max_iter,
            )
            for motion in motions
        ]
        best = max(ascents, key=lambda ascent: ascent.value)
        self.record.append(
            {
                "level_mm": settings.levels_mm[number],
                "model": model,
                "measure": similarity.name,
                "points": pair.n_points,
                "motions": len(motions),
                "iterations": best.iterations,
                "evaluations": sum(ascent.evaluations for ascent in ascents),
                "similarity": best.value,
                "converged": best.converged,
                "seconds": round(time.perf_counter() - began, 3),
            }
        )
        return ascents

    def _rigid(self, matrix: NDArray[Any]) -> Motion:
        return Motion.rigid(matrix, fixed_affine=self._fixed.affine, moving_affine=self._moving.affine)

    def _pair(
        self, number: int, near: NDArray[Any], *, unshaded: bool, weighted: bool = False, inside: bool = False
    ) -> Pair:
        return Pair(
            self._fixed_levels.at(number, unshaded=unshaded, inside=inside),
            self._moving_levels.at(number, unshaded=unshaded, inside=inside),
            n_points=self._settings.n_points[number],
            edge_share=self._settings.edge_share,
            near=near,
            weighted=weighted,
            seed=self._seed,
        )

    def _information(self, number: int, pair: Pair) -> MutualInformation:
        settings = self._settings
        return MutualInformation(pair, n_bins=settings.n_bins[number], least_overlap=settings.least_overlap)
