"""Time points of one patient: a common position in their middle, and whether transforms agree round a loop.

Aligning every follow-up to the baseline treats the baseline differently: it alone is never interpolated. In a
mid-space no time point is favoured. It is found in rounds: all images are carried to the middle, each is registered to
the average of the others and goes its part of the way, and the middle is taken anew as the mean of their positions.
Where a time point differs from the others (a lesion that grew, a vessel that moved) its voxels lose their weight, so
that change does not pull at the alignment.

Source: Reuter M et al., NeuroImage 2012;61:1402 (doi 10.1016/j.neuroimage.2012.02.084). Differs: normalised mutual
information in place of a robust intensity difference; an image is left out of the average that it is registered to,
which would hold it where it is; the weights are of the voxels, renewed in every round; positions are averaged as
motions (`napari_msqsm.registration.host.rigid_mean`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import ParameterError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.host.frames import rows
from napari_msqsm.registration.host.rigid_mean import generator, motion_of, rigid_mean
from napari_msqsm.registration.interpolation import mapped, trilinear
from napari_msqsm.registration.prepared import HEAD_LEVEL, prepared
from napari_msqsm.registration.pyramid import LevelImage, at_level
from napari_msqsm.registration.register import register
from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.registration.shading import without_shading

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from napari_msqsm._backend import Array

    OnProgress = Callable[[str, float], None]

_FINEST_MM = 1.0
_COARSE_MM = 4.0
_SHADING_MM = 22.0
_CORNER_MARGIN_MM = 5.0
_TUKEY = 4.685
_MAD_TO_SD = 1.4826
_SETTLED_MM = 0.02
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class MidSpace:
    """A position in the middle of several time points.

    Parameters
    ----------
    transforms
        Middle → each time point, mm RAS+; their mean is the identity.
    rounds
        Rounds that were needed.
    converged
        Whether the last round moved no head by more than 0.02 mm.
    """

    transforms: tuple[AffineTransform, ...]
    rounds: int
    converged: bool

    def between(self, one: int, other: int) -> AffineTransform:
        """Transform from one time point to another."""
        return self.transforms[other].after(self.transforms[one].inverse())


def mid_space(
    images: Sequence[Array],
    grids: Sequence[Grid],
    *,
    initial: Sequence[AffineTransform],
    settings: RegistrationSettings | None = None,
    max_rounds: int = 4,
    seed: int = 0,
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
        Transform of the first time point to each, the first one the identity.
    settings
        Of the registrations; rigid only.
    max_rounds
        At most so many.
    seed, on_progress, cancel
        See `napari_msqsm.registration.register.register`.

    Raises
    ------
    ParameterError
        When there are fewer than two time points, or the model is not rigid.
    """
    settings = settings or RegistrationSettings()
    if len(images) < 2 or not len(images) == len(grids) == len(initial):
        raise ParameterError(f"a mid-space needs two or more images, each with grid and transform; got {len(images)}")
    if settings.model != "rigid":
        raise ParameterError(f"a mid-space needs the model rigid, got {settings.model}")
    flat = [_even(image, grid) for image, grid in zip(images, grids, strict=True)]
    transforms = _centred(initial)
    grid = _middle_grid(flat[0], transforms[0])
    corners = _corners(grid)
    moved, rounds = np.inf, 0
    while moved > _SETTLED_MM and rounds < max_rounds:
        carried = [_carried(image, transform, grid) for image, transform in zip(flat, transforms, strict=True)]
        believed = _believed([array for array, _ in carried], [inside for _, inside in carried])
        found = []
        for number, (image, own_grid, transform) in enumerate(zip(images, grids, transforms, strict=True)):
            share = _share(on_progress, (rounds * len(images) + number) / (max_rounds * len(images)))
            others = [n for n in range(len(images)) if n != number]
            result = register(
                _mean([carried[n][0] for n in others], [believed[n] for n in others]),
                grid,
                image,
                own_grid,
                settings=settings,
                fixed_weight=believed[number],
                initial=transform,
                seed=seed,
                on_progress=share,
                cancel=cancel,
            )
            found.append(_towards(transform, result.transform, (len(images) - 1) / len(images)))
        before, transforms = transforms, _centred(found)
        moved = max(float(np.max(new.distance_mm(old, corners))) for new, old in zip(transforms, before, strict=True))
        rounds += 1
    return MidSpace(tuple(transforms), rounds, moved <= _SETTLED_MM)


def loop_closure_mm(
    first: AffineTransform, second: AffineTransform, whole: AffineTransform, points_mm: ArrayLike
) -> float:
    """Mean distance by which going from A to B to C misses C, over points of A.

    Parameters
    ----------
    first, second, whole
        A → B, B → C and A → C.
    points_mm
        (n, 3) points of A's brain.
    """
    return float(np.mean(second.after(first).distance_mm(whole, points_mm)))


def _centred(transforms: Sequence[AffineTransform]) -> list[AffineTransform]:
    """Change the common end of transforms so that their mean is the identity."""
    home = AffineTransform(rigid_mean([transform.matrix for transform in transforms])).inverse()
    return [transform.after(home) for transform in transforms]


def _even(image: Array, grid: Grid) -> LevelImage:
    """Grey levels 0…1 without the coils' shading."""
    level = prepared(image, grid, mask=None, weight=None, what="an image").image
    return without_shading(level, at_level(level, _COARSE_MM), shading_mm=_SHADING_MM)


def _middle_grid(first: LevelImage, to_first: AffineTransform) -> Grid:
    """Cubic voxels along the scanner's axes, so that every time point is interpolated alike."""
    edge = max(_FINEST_MM, min(first.voxel_size_mm))
    corners = _corners(Grid(first.shape, to_first.inverse().matrix @ first.affine))
    low, high = corners.min(axis=0) - _CORNER_MARGIN_MM, corners.max(axis=0) + _CORNER_MARGIN_MM
    affine = np.diag([edge, edge, edge, 1.0])
    affine[:3, 3] = low
    nx, ny, nz = (int(n) for n in np.ceil((high - low) / edge))
    return Grid((nx, ny, nz), affine)


def _corners(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape], indexing="ij")).reshape(3, -1).T
    return np.asarray(corners @ grid.affine[:3, :3].T + grid.affine[:3, 3])


def _carried(image: LevelImage, transform: AffineTransform, grid: Grid) -> tuple[Array, Array]:
    """Image on the middle's grid, and 1 where it has a value there."""
    xp = namespace_of(image.array)
    axes = [xp.arange(n, dtype=xp.float32, device=device(image.array)) for n in grid.shape]
    i, j, k = (xp.reshape(axis, (-1,)) for axis in xp.meshgrid(*axes, indexing="ij"))
    to_voxel = np.linalg.inv(image.affine) @ transform.matrix @ grid.affine
    found = trilinear(image.flat, image.shape, mapped(rows(to_voxel), (i, j, k)))
    return xp.reshape(found.value * found.inside, grid.shape), xp.reshape(found.inside, grid.shape)


def _towards(old: AffineTransform, new: AffineTransform, part: float) -> AffineTransform:
    """Go a part of the way: the others come to meet an image, each by its own part."""
    step = motion_of(part * generator(old.inverse().after(new).matrix))
    return AffineTransform(old.matrix @ step)


def _believed(images: Sequence[Array], inside: Sequence[Array]) -> list[Array]:
    """How much each voxel of each image is believed: Tukey's biweight of its difference from the robust average."""
    xp = namespace_of(images[0])
    weights = list(inside)
    for _ in range(3):
        average = _mean(images, weights)
        head = xp.astype(average > HEAD_LEVEL, average.dtype)
        renewed = []
        for image, there in zip(images, inside, strict=True):
            left = xp.abs(image - average)
            scale = _TUKEY * (_MAD_TO_SD * _median(left, head * there) + 1e-6)
            renewed.append(there * xp.clip(1.0 - (left / scale) ** 2, 0.0, None) ** 2)
        weights = renewed
    return weights


def _mean(images: Sequence[Array], weights: Sequence[Array]) -> Array:
    """Weighted mean; where nothing has a weight, the plain one."""
    xp = namespace_of(images[0])
    total, weight, plain = (xp.zeros_like(images[0]) for _ in range(3))
    for image, part in zip(images, weights, strict=True):
        total += image * part
        weight += part
        plain += image * (1.0 / len(images))
    return xp.where(weight > _LEAST_WEIGHT, total / xp.clip(weight, _LEAST_WEIGHT, None), plain)


def _median(values: Array, region: Array) -> float:
    """Median of a part of the voxels of a region."""
    xp = namespace_of(values)
    ordered = xp.sort(values[region > 0])
    n = int(ordered.shape[0])
    return float(ordered[n // 2]) if n else 0.0


def _share(on_progress: OnProgress | None, start: float) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda message, _: on_progress(f"mid-space: {message}", start)
