"""Time points of one patient: a common position in their middle.

Aligning every follow-up to the baseline treats the baseline differently. In a mid-space no time point is favoured:
every time point is aligned to every other, in both directions, and the positions are those that agree best with all of
these transforms; the middle is their mean. Blocks in which two time points differ (a lesion that grew, a vessel that
moved) have no say in an alignment. Every image is interpolated alike, and there is no average whose blur could hold an
image where it is.

Source: unbiased within-patient alignment, Reuter M et al., NeuroImage 2012;61:1402
(doi 10.1016/j.neuroimage.2012.02.084); averaging of relative motions, Govindu VM, Proc CVPR 2004. Differs: local
correlations (`napari_msqsm.registration.blocks`) between all pairs in place of a robust intensity difference to a
median image.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import CancelledError, ParameterError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.host.frames import inverse
from napari_msqsm.registration.host.rigid_mean import rigid_mean
from napari_msqsm.registration.second_opinion import local_alignment

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid

    OnProgress = Callable[[str, float], None]

_MOST_ROUNDS = 200
_SETTLED_MM = 1e-4


@dataclass(frozen=True, eq=False)
class MidSpace:
    """A position in the middle of several time points.

    Parameters
    ----------
    transforms
        Middle → each time point, mm RAS+; their mean is the identity.
    disagreement_mm
        Largest distance, over the middle of the first image's eight octants, between a transform from one time point
        to another and what all of them together make of it.
    """

    transforms: tuple[AffineTransform, ...]
    disagreement_mm: float

    def between(self, one: int, other: int) -> AffineTransform:
        """Transform from one time point to another."""
        return self.transforms[other].after(self.transforms[one].inverse())


def mid_space(
    images: Sequence[Array],
    grids: Sequence[Grid],
    *,
    initial: Sequence[AffineTransform],
    brain_masks: Sequence[Array | None] | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> MidSpace:
    """Find the middle of several time points.

    Parameters
    ----------
    images
        (X, Y, Z) each, of one contrast.
    grids
        Where their voxels are.
    initial
        Rigid transform of the first time point to each, the first one the identity.
    brain_masks
        (X, Y, Z) each; the inner part of the head where there is none.
    on_progress
        Called with what is being done and the fraction that is done.
    cancel
        When set, the work stops soon.

    Raises
    ------
    ParameterError
        When there are fewer than two time points, or a transform is not rigid.
    InputError
        When an image cannot be used.
    CancelledError
        When cancelled.
    """
    count = len(images)
    if count < 2 or not count == len(grids) == len(initial):
        raise ParameterError(f"a mid-space needs two or more images, each with grid and transform; got {count}")
    masks = brain_masks or [None] * count
    rigid_mean([transform.matrix for transform in initial])  # refuses what is not rigid
    ways = list(itertools.permutations(range(count), 2))
    found: dict[tuple[int, int], NDArray[np.float64]] = {}
    for number, (one, other) in enumerate(ways):
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress:
            on_progress("every time point to every other", number / len(ways))
        found[one, other] = local_alignment(
            images[one],
            grids[one],
            images[other],
            grids[other],
            initial[other].after(initial[one].inverse()),
            same_contrast=True,
            brain_mask=masks[one],
        ).matrix
    points = _points(grids[0])
    between = {(a, b): rigid_mean([found[a, b], inverse(found[b, a])]) for a, b in ways if a < b}
    transforms = _agreeing(between, initial, points)
    apart = [
        AffineTransform(matrix).distance_mm(transforms[b].after(transforms[a].inverse()), points).max()
        for (a, b), matrix in between.items()
    ]
    return MidSpace(tuple(transforms), float(max(apart)))


def _agreeing(
    between: Mapping[tuple[int, int], NDArray[np.float64]],
    initial: Sequence[AffineTransform],
    points: NDArray[np.float64],
) -> list[AffineTransform]:
    """Positions that agree best with the transforms between them: each the mean of what all the others say."""
    transforms = _centred(initial)
    for _ in range(_MOST_ROUNDS):
        renewed = []
        for number, own in enumerate(transforms):
            said = [own.matrix]
            for (a, b), matrix in between.items():
                if a == number:
                    said.append(inverse(matrix) @ transforms[b].matrix)
                elif b == number:
                    said.append(matrix @ transforms[a].matrix)
            renewed.append(AffineTransform(rigid_mean(said)))
        before, transforms = transforms, _centred(renewed)
        if max(float(new.distance_mm(old, points).max()) for new, old in zip(transforms, before, strict=True)) < (
            _SETTLED_MM
        ):
            break
    return transforms


def _centred(transforms: Sequence[AffineTransform]) -> list[AffineTransform]:
    """Change the common end of transforms so that their mean is the identity."""
    home = AffineTransform(rigid_mean([transform.matrix for transform in transforms])).inverse()
    return [transform.after(home) for transform in transforms]


def _points(grid: Grid) -> NDArray[np.float64]:
    """Middles of the eight octants of an image."""
    quarters = [((n - 1) * 0.25, (n - 1) * 0.75) for n in grid.shape]
    at = np.array(np.meshgrid(*quarters, indexing="ij")).reshape(3, -1).T
    return np.asarray(at @ grid.affine[:3, :3].T + grid.affine[:3, 3])
