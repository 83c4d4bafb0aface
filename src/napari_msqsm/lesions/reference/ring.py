"""The ring of normal-appearing white matter about a lesion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_msqsm.lesions.reference.midplane import Midplane
    from napari_msqsm.model.grid import Grid

    Covered = Callable[[NDArray[np.int64]], NDArray[np.bool_]]

How = Literal["painted", "ring", "grown", "mirrored", "missing"]
Side = Literal["left", "right", "both"]
_STRADDLES = 0.25
"""A lesion of which this part lies beyond the midplane has no side; both count."""
_NONE: NDArray[np.int64] = np.empty(0, dtype=np.int64)
_NONE.setflags(write=False)


class RingSettings(Settings):
    """Where the reference of a lesion is looked for."""

    inner_mm: float = quantity(
        2.0, ge=0, unit="mm", top=True, help="The ring begins at this distance from the lesions of all time points."
    )
    outer_mm: float = quantity(6.0, gt=0, unit="mm", top=True, help="The ring ends at this distance.")
    least_mm3: float = quantity(
        250.0,
        gt=0,
        unit="mm³",
        help="A ring that holds less white matter grows: about 150 voxels of 0.75×0.75×3 mm, whose mean has a standard "
        "error of about 1 ppb at 6 ppb noise that is correlated over a voxel or two.",
    )
    step_mm: float = quantity(2.0, gt=0, unit="mm", help="It grows outward in steps of this width …")
    most_mm: float = quantity(
        14.0, gt=0, unit="mm", help="… up to this distance; the lesion has no reference when that is not enough."
    )
    mirror: bool = quantity(
        False,
        help="Whether the same place in the other hemisphere is taken where the own side has not enough; fibres run "
        "another way there, so that the reference no longer cancels their effect on susceptibility.",
    )


@dataclass(frozen=True, eq=False)
class Ring:
    """Reference voxels of one lesion.

    Parameters
    ----------
    index
        (n,) flat index of its voxels, C order over the grid, ascending; empty where there is no reference.
    how
        ``ring``, ``grown``, ``mirrored`` or ``missing``.
    side
        Side of the brain that it lies on.
    outer_mm
        How far from the lesion it was looked for.
    """

    index: NDArray[np.int64]
    how: How
    side: Side
    outer_mm: float


def ring_of(
    label: int,
    lesions: Mapping[int, NDArray[np.int64]],
    white: NDArray[np.bool_],
    grid: Grid,
    midplane: Midplane,
    *,
    covered: Covered | None = None,
    settings: RingSettings | None = None,
) -> Ring:
    """Find the white matter about a lesion.

    A voxel belongs to the ring of a lesion when it is white matter, no lesion lies within ``inner_mm``, this one lies
    nearest and at most ``outer_mm`` away, and it is on the lesion's side of the brain.

    Parameters
    ----------
    label
        The lesion.
    lesions
        For every lesion of the patient, the (n,) flat index of all voxels that belong to it at any time.
    white
        (X, Y, Z) white matter that may be taken: no partial volume, no veins.
    grid
        Grid of all of these.
    midplane
        Of the brain.
    covered
        Tells of (n,) flat indexes which of them can be measured at all time points; all when not given.
    settings
        See `RingSettings`.

    Raises
    ------
    ParameterError
        When the lesion has no voxel, or the ring ends before it begins.

    Notes
    -----
    Distances are in mm between centres of voxels. Neighbours share no voxel: each belongs to the nearest lesion (of
    equally near ones, to that of the smallest number). Only a box about the lesion is looked at, large enough for the
    nearest lesion to be known, so that the cost does not grow with the image.

    The side of a lesion is where its centroid lies. One of which a quarter or more lies beyond the midplane (in the
    corpus callosum) has both.
    """
    settings = settings or RingSettings()
    if white.shape != grid.shape:
        raise ShapeMismatchError(f"the white matter has shape {white.shape} but its grid has {grid.shape}")
    if settings.outer_mm <= settings.inner_mm:
        raise ParameterError(
            f"the ring ends at {settings.outer_mm:g} mm but begins at {settings.inner_mm:g} mm; give a larger end"
        )
    own = lesions.get(label, _NONE)
    if own.size == 0:
        raise ParameterError(f"lesion {label} has no voxel at any time point; draw it first")
    side, sign = _side_of(own, grid, midplane)
    lower = _joined(index for number, index in lesions.items() if number < label)
    higher = _joined(index for number, index in lesions.items() if number > label)
    least = max(1, math.ceil(settings.least_mm3 / grid.voxel_volume_mm3))

    def grown(about: NDArray[np.int64], towards: int) -> tuple[NDArray[np.int64], float]:
        found, outer = _NONE, settings.outer_mm
        for outer in _ends(settings):
            found = _between(about, lower, higher, white, grid, settings.inner_mm, outer)
            if towards:
                found = found[midplane.signed_mm(found, grid) * towards > 0]
            if covered is not None:
                found = found[covered(found)]
            if found.size >= least:
                return found, outer
        return _NONE, outer

    found, outer = grown(own, sign)
    if found.size:
        return Ring(found, "ring" if outer == settings.outer_mm else "grown", side, outer)
    if settings.mirror and sign:
        image = midplane.mirrored(own, grid)
        found, outer = grown(image, -sign) if image.size else (_NONE, outer)
        if found.size:
            return Ring(found, "mirrored", "right" if side == "left" else "left", outer)
    return Ring(_NONE, "missing", side, outer)


def _side_of(own: NDArray[np.int64], grid: Grid, midplane: Midplane) -> tuple[Side, int]:
    """Side of a lesion, and the sign of the distances from the midplane there; 0 for both."""
    signed = midplane.signed_mm(own, grid)
    right = float(np.mean(signed > 0))
    if min(right, 1.0 - right) >= _STRADDLES:
        return "both", 0
    return ("right", 1) if float(signed.mean()) > 0 else ("left", -1)


def _ends(settings: RingSettings) -> Iterator[float]:
    """Where the ring ends, wider and wider."""
    outer = settings.outer_mm
    yield outer
    while outer < settings.most_mm - 1e-6:
        outer = min(outer + settings.step_mm, settings.most_mm)
        yield outer


def _between(
    own: NDArray[np.int64],
    lower: NDArray[np.int64],
    higher: NDArray[np.int64],
    white: NDArray[np.bool_],
    grid: Grid,
    inner_mm: float,
    outer_mm: float,
) -> NDArray[np.int64]:
    """White matter between two distances from a lesion that is nearer to it than to those of lower and higher number.

    A lesion that is nearer to a voxel lies within twice ``outer_mm`` of this one.
    """
    at = np.unravel_index(own, grid.shape)
    reach = [math.ceil(outer_mm / step) for step in grid.voxel_size_mm]
    taken = tuple(
        slice(max(0, int(axis.min()) - n), int(axis.max()) + n + 1) for axis, n in zip(at, reach, strict=True)
    )
    seen = tuple(
        slice(max(0, int(axis.min()) - 2 * n), min(size, int(axis.max()) + 2 * n + 1))
        for axis, n, size in zip(at, reach, grid.shape, strict=True)
    )
    inner = tuple(
        slice(part.start - whole.start, part.stop - whole.start) for part, whole in zip(taken, seen, strict=True)
    )
    own_mm, lower_mm, higher_mm = (_distance_mm(index, seen, grid)[inner] for index in (own, lower, higher))
    ring = white[taken] & (own_mm > inner_mm) & (own_mm <= outer_mm)
    ring &= (lower_mm > np.maximum(own_mm, inner_mm)) & (higher_mm > inner_mm) & (higher_mm >= own_mm)
    found = np.nonzero(ring)
    index = np.ravel_multi_index(tuple(i + part.start for i, part in zip(found, taken, strict=True)), grid.shape)
    return np.asarray(index, dtype=np.int64)


def _distance_mm(index: NDArray[np.int64], box: tuple[slice, ...], grid: Grid) -> NDArray[np.float64]:
    """Distance of the voxels of a box to the nearest of some voxels that lie in it; infinite where none does."""
    at = np.unravel_index(index, grid.shape)
    inside = np.ones(index.shape, dtype=np.bool_)
    for axis, part in zip(at, box, strict=True):
        inside &= (axis >= part.start) & (axis < part.stop)
    free = np.ones(tuple(part.stop - part.start for part in box), dtype=np.bool_)
    if not inside.any():
        return np.full(free.shape, np.inf)
    free[tuple(axis[inside] - part.start for axis, part in zip(at, box, strict=True))] = False
    return np.asarray(ndimage.distance_transform_edt(free, sampling=grid.voxel_size_mm))


def _joined(indexes: Iterator[NDArray[np.int64]]) -> NDArray[np.int64]:
    found = list(indexes)
    return np.concatenate(found) if found else _NONE
