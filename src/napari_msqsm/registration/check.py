"""All checks of one transform, and the verdict that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.registration.second_opinion import SecondOpinion, second_opinion
from napari_msqsm.registration.verdict import Level, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

MEANING: Mapping[str, tuple[str, str]] = {
    "disagreement_mm": ("mm", "Mean distance over the brain to where local correlations put the image"),
    "largest_disagreement_mm": ("mm", "The largest such distance in the brain"),
    "correlation": ("", "Median correlation of the images within blocks of 11 mm; of another contrast its size"),
    "best_correlation": ("", "The same where local correlations put the image"),
    "nearby_correlation": ("", "The largest among positions that are wrong by 2 mm"),
    "chance_correlation": ("", "The median among positions that are wrong by 15 mm"),
    "agreeing": ("", "Part of the blocks that agree on one position"),
    "overlap": ("", "Part of the brain that lies in the image"),
    "stretch_x": ("", "Relative stretch baseline to image along the scanner's x that the blocks ask for"),
    "stretch_y": ("", "The same along y"),
    "stretch_z": ("", "The same along z"),
    "rotation_deg": ("°", "Turn of the head between the images"),
    "displacement_mm": ("mm", "Displacement of the middle of the baseline's image, by the headers"),
    "similarity": ("", "Normalised mutual information of the registration, 1 to 2"),
    "loop_mm": ("mm", "Mean distance over the brain by which a loop over three images does not close"),
}
"""Unit and meaning of each number."""


@dataclass(frozen=True)
class Check:
    """What was found about a transform.

    Parameters
    ----------
    verdict
        Whether it may be used.
    numbers
        What the verdict rests on, see `MEANING`.
    opinion
        The second opinion; None where none could be had.
    """

    verdict: Verdict
    numbers: Mapping[str, float]
    opinion: SecondOpinion | None = field(default=None, compare=False)


def check_transform(
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    transform: AffineTransform,
    *,
    same_contrast: bool,
    brain_mask: Array | None = None,
    converged: bool = True,
    stretched: bool = False,
) -> Check:
    """Get a second opinion on a transform and judge it.

    Parameters
    ----------
    fixed, moving
        (X, Y, Z) images.
    fixed_grid, moving_grid
        Where their voxels are.
    transform
        Fixed → moving.
    same_contrast
        Whether what is bright in one is bright in the other.
    brain_mask
        (X, Y, Z) on the fixed grid; the inner part of the head when not given.
    converged
        Whether the registration settled.
    stretched
        Whether the model allowed a stretch.
    """
    try:
        opinion = second_opinion(
            fixed, fixed_grid, moving, moving_grid, transform, same_contrast=same_contrast, brain_mask=brain_mask
        )
    except InputError:
        return Check(judged(None, same_contrast=same_contrast, converged=converged), _motion(transform, fixed_grid))
    numbers = {
        "disagreement_mm": opinion.disagreement_mm,
        "largest_disagreement_mm": opinion.largest_disagreement_mm,
        "correlation": opinion.correlation,
        "best_correlation": opinion.best_correlation,
        "nearby_correlation": opinion.nearby_correlation,
        "chance_correlation": opinion.chance_correlation,
        "agreeing": opinion.agreeing,
        "overlap": opinion.overlap,
        **{f"stretch_{name}": part for name, part in zip("xyz", opinion.stretch, strict=True)},
        **_motion(transform, fixed_grid),
    }
    verdict = judged(opinion, same_contrast=same_contrast, converged=converged, stretched=stretched)
    return Check(verdict, numbers, opinion)


def better(one: Check, other: Check) -> bool:
    """Whether one transform is to be preferred: by its level, then by the local correlation."""
    order = [Level.FAILED, Level.LOOK, Level.OK]
    first, second = order.index(one.verdict.level), order.index(other.verdict.level)
    if first != second:
        return first > second
    return one.numbers.get("correlation", -1.0) > other.numbers.get("correlation", -1.0)


def _motion(transform: AffineTransform, grid: Grid) -> dict[str, float]:
    """How far the head is turned, and how far its middle has gone, by the headers."""
    left, _, right = np.linalg.svd(transform.matrix[:3, :3])
    cosine = (np.trace(left @ right) - 1.0) / 2.0
    middle = grid.affine[:3, :3] @ ((np.array(grid.shape) - 1.0) / 2.0) + grid.affine[:3, 3]
    moved = float(np.linalg.norm(transform.apply(middle) - middle))
    return {"rotation_deg": float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))), "displacement_mm": moved}
