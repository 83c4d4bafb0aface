"""A second opinion on a transform, from local correlations: it shares neither measure nor points with the registration.

Blocks of about a centimetre (`napari_msqsm.registration.blocks`) say how they want the transform to change; the rigid
change that most of them agree on is applied, again and again, at 4 mm and then at 2 mm. Where that leads is compared
with the transform under test. How much the blocks correlate there is compared with how much they do after a wrong shift
(chance), and after small ones (a well-defined optimum falls off to all sides).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm._backend import to_numpy
from napari_msqsm.errors import InputError
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.blocks import Blocks, block_correlation, block_forms, blocks_of
from napari_msqsm.registration.host.block_layout import eroded, inner_head, on_lattice
from napari_msqsm.registration.host.robust_motion import robust_motion
from napari_msqsm.registration.host.steps import part_of, shifts, small_steps
from napari_msqsm.registration.prepared import HEAD_LEVEL, prepared
from napari_msqsm.registration.pyramid import LevelImage, at_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid

_COARSE_MM, _FINE_MM = 4.0, 2.0
_COARSE_EDGE_MM, _FINE_EDGE_MM = 20.0, 11.0
_DEPTH_MM = 12.0
_AWAY_FROM_EDGE_MM = 4.0
_SYSTEMATIC = 5e-4
"""Error of a stretch, at voxels of 2 mm, that more blocks do not lessen: measured on scans of one phantom."""
_MOST_ROUNDS = 10
_SETTLED_MM = 0.01
_LONGEST_STEP_MM = 3.0
_SMALL_MM = 2.0
_WRONG_MM = 15.0
_LEAST_BLOCKS = 20
_BELIEVED = 0.5


@dataclass(frozen=True)
class SecondOpinion:
    """What local correlations say about a transform.

    Parameters
    ----------
    transform
        Where they lead: fixed → moving.
    disagreement_mm, largest_disagreement_mm
        Mean and largest distance between the two transforms, over the blocks' positions.
    correlation
        Median of the blocks' correlation under the transform under test.
    best_correlation
        The same under ``transform``.
    nearby_correlation
        The largest among twelve transforms that differ by 2 mm.
    chance_correlation
        The median among six transforms that are wrong by 15 mm.
    agreeing
        0…1, part of the blocks that agree on ``transform``.
    overlap
        0…1, part of the blocks that lie in the moving image.
    stretch, stretch_sd
        Relative stretch fixed → moving along the scanner's x, y and z that blocks ask for, and its standard deviation.
    n_blocks
        How many there are.
    """

    transform: AffineTransform
    disagreement_mm: float
    largest_disagreement_mm: float
    correlation: float
    best_correlation: float
    nearby_correlation: float
    chance_correlation: float
    agreeing: float
    overlap: float
    stretch: tuple[float, float, float]
    stretch_sd: tuple[float, float, float]
    n_blocks: int


@dataclass(frozen=True, eq=False)
class _Lattice:
    """Blocks of the fixed image and the moving image, about as smooth."""

    blocks: Blocks
    moving: LevelImage
    same_contrast: bool

    def correlation(self, matrix: NDArray[np.float64]) -> float:
        """Median over the blocks that lie in the moving image; 0 where there are none."""
        found, inside = block_correlation(self.blocks, self.moving, matrix, same_contrast=self.same_contrast)
        return float(np.median(found[inside])) if inside.any() else 0.0


def second_opinion(
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    transform: AffineTransform,
    *,
    same_contrast: bool,
    brain_mask: Array | None = None,
) -> SecondOpinion:
    """Judge a transform by local correlations.

    Parameters
    ----------
    fixed, moving
        (X, Y, Z) images.
    fixed_grid, moving_grid
        Where their voxels are.
    transform
        Under test: fixed → moving.
    same_contrast
        Whether what is bright in one is bright in the other.
    brain_mask
        (X, Y, Z) on the fixed grid; the inner part of the head when not given.

    Raises
    ------
    InputError
        When an image has no contrast, or there is too little brain.
    """
    coarse, fine, deep = _lattices(fixed, fixed_grid, moving, moving_grid, brain_mask, same_contrast)
    tested = transform.matrix
    correlation = fine.correlation(tested)
    found = _followed(coarse, fine, tested)
    forms = block_forms(fine.blocks, fine.moving, found, same_contrast=same_contrast)
    at = fine.blocks.centre_mm
    result, best = AffineTransform(found), fine.correlation(found)
    apart = result.distance_mm(transform, at)
    agreeing, stretch, stretch_sd = 0.0, np.zeros(3), np.full(3, np.inf)
    if np.count_nonzero(forms.inside) >= _LEAST_BLOCKS:
        motion = robust_motion(at, forms.curvature, forms.slope, forms.inside)
        agreeing = float(np.mean(motion.weight[forms.inside] > _BELIEVED))
    if brain_mask is not None:
        stretch, stretch_sd = _stretch(deep, found)
    middle = at.mean(axis=0)
    return SecondOpinion(
        transform=result,
        disagreement_mm=float(apart.mean()),
        largest_disagreement_mm=float(apart.max()),
        correlation=correlation,
        best_correlation=best,
        nearby_correlation=max(fine.correlation(tested @ step) for step in small_steps(at, middle, _SMALL_MM)),
        chance_correlation=float(np.median([fine.correlation(tested @ step) for step in shifts(_WRONG_MM)])),
        agreeing=agreeing,
        overlap=float(np.mean(block_correlation(fine.blocks, fine.moving, tested, same_contrast=same_contrast)[1])),
        stretch=_three(stretch),
        stretch_sd=_three(stretch_sd),
        n_blocks=len(at),
    )


def local_alignment(
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    transform: AffineTransform,
    *,
    same_contrast: bool,
    brain_mask: Array | None = None,
) -> AffineTransform:
    """Where local correlations lead from a rigid transform that is near; see `second_opinion` for the parameters.

    Blocks that changed (a lesion that grew, a vessel that moved) do not agree with the others and lose their say.

    Raises
    ------
    InputError
        When an image has no contrast, or there is too little brain.
    """
    coarse, fine, _ = _lattices(fixed, fixed_grid, moving, moving_grid, brain_mask, same_contrast)
    return AffineTransform(_followed(coarse, fine, transform.matrix))


def _lattices(
    fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, brain_mask: Array | None, same_contrast: bool
) -> list[_Lattice]:
    """Make the coarse one, the fine one, and the fine one away from the edge of the brain."""
    head = prepared(fixed, fixed_grid, mask=None, weight=None, what="the fixed image").image
    other = prepared(moving, moving_grid, mask=None, weight=None, what="the moving image").image
    fine, coarse = at_level(head, _FINE_MM), at_level(head, _COARSE_MM)
    if brain_mask is None:
        inner = inner_head(to_numpy(coarse.array), HEAD_LEVEL, coarse.voxel_size_mm, _DEPTH_MM)
        region, affine = inner, coarse.affine
    else:
        region, affine = to_numpy(brain_mask) > 0, fixed_grid.affine
    lattices = []
    moving_levels = {level_mm: at_level(other, level_mm) for level_mm in (_COARSE_MM, _FINE_MM)}
    for image, level_mm, edge_mm, depth_mm in (
        (coarse, _COARSE_MM, _COARSE_EDGE_MM, 0.0),
        (fine, _FINE_MM, _FINE_EDGE_MM, 0.0),
        (fine, _FINE_MM, _FINE_EDGE_MM, _AWAY_FROM_EDGE_MM),
    ):
        part = on_lattice(region, affine, image.shape, image.affine)
        if depth_mm:
            part = eroded(part, image.voxel_size_mm, depth_mm)
        lattices.append(_Lattice(blocks_of(image, part, edge_mm=edge_mm), moving_levels[level_mm], same_contrast))
    count = len(lattices[1].blocks.centre_mm)
    if count < _LEAST_BLOCKS:
        raise InputError(
            f"only {count} blocks of {_FINE_EDGE_MM:.0f} mm lie in the brain; a transform needs {_LEAST_BLOCKS} to be "
            "judged"
        )
    return lattices


def _stretch(deep: _Lattice, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stretch that blocks ask for, and its standard deviation.

    At the edge of the brain, partial volume with what lies outside differs between scanners and looks like one.
    """
    forms = block_forms(deep.blocks, deep.moving, matrix, same_contrast=deep.same_contrast)
    if np.count_nonzero(forms.inside) < _LEAST_BLOCKS:
        return np.zeros(3), np.full(3, np.inf)
    motion = robust_motion(deep.blocks.centre_mm, forms.curvature, forms.slope, forms.inside, stretch=True)
    edge = float(np.prod(deep.moving.voxel_size_mm)) ** (1.0 / 3.0)
    systematic = _SYSTEMATIC * max(1.0, edge / _FINE_MM) ** 2
    return motion.stretch, np.hypot(motion.stretch_sd, systematic)


def _followed(coarse: _Lattice, fine: _Lattice, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Follow what blocks want, first coarsely; that part is left out where it leads away."""
    start = _led(coarse, matrix)
    return _led(fine, matrix if fine.correlation(start) < fine.correlation(matrix) else start)


def _led(lattice: _Lattice, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Follow what most blocks want, until it no longer moves them."""
    at = lattice.blocks.centre_mm
    for _ in range(_MOST_ROUNDS):
        forms = block_forms(lattice.blocks, lattice.moving, matrix, same_contrast=lattice.same_contrast)
        if np.count_nonzero(forms.inside) < min(_LEAST_BLOCKS, len(at)) or len(at) < 4:
            return matrix
        step = robust_motion(at, forms.curvature, forms.slope, forms.inside).matrix
        moved = float(np.linalg.norm(at @ (step[:3, :3] - np.eye(3)).T + step[:3, 3], axis=1).mean())
        if moved > _LONGEST_STEP_MM:
            step = part_of(step, _LONGEST_STEP_MM / moved, at.mean(axis=0))
        matrix = matrix @ step
        if moved < _SETTLED_MM:
            break
    return matrix


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
