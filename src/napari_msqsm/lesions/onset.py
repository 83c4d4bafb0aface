"""Was a lesion that enhances there before? FLAIR of earlier sessions at its place, against FLAIR when it enhances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

REACH_MM = 16
STEP_MM = 1.0
_CORE_MM = 6.0
_RING_MM = (3.0, 12.0)
_LEAST_RING = 50
_HALF = 0.5
_LEAST_CLEAR = 5.0
"""The lesion must stand out of the white matter around it by this many of its standard deviations: half of its height
is then 2.5 of them, which one voxel in 160 of normal white matter exceeds."""
_MOST_NORMAL, _LEAST_THERE = 0.1, 0.3
"""Part of its place that was bright earlier: below the first it was not there, above the second it was."""
_MOST_NORMAL_RATIO, _LEAST_THERE_RATIO = 0.3, 0.5
_LEAST_COVERED = 0.5
_SD_OF_MAD = 1.4826

Earlier = Literal["normal", "there", "cannot tell", "not covered"]


@dataclass(frozen=True, eq=False)
class Place:
    """The surroundings of a lesion as FLAIR shows them when it enhances.

    Parameters
    ----------
    core
        (n, n, n) its place, on a lattice of 1 mm along the scanner axes of the baseline.
    white_matter
        (n, n, n) normal-appearing white matter around it.
    height
        How far it stands out of that, relative to it: ``(lesion − white matter)/white matter``, medians.
    spread
        Standard deviation of the white matter, relative to it.
    """

    core: NDArray[np.bool_]
    white_matter: NDArray[np.bool_]
    height: float
    spread: float

    @property
    def clear(self) -> bool:
        """Whether it stands out enough to be looked for at other sessions."""
        return bool(self.core.any()) and self.height > _LEAST_CLEAR * self.spread and self.height > 0


@dataclass(frozen=True)
class EarlierLook:
    """FLAIR of an earlier session at the place of a lesion.

    Parameters
    ----------
    verdict
        Whether it looked like normal-appearing white matter, or a hyperintensity was there.
    ratio
        Median height there as a part of that when it enhances; about 0 for white matter, 1 for the same lesion.
    bright_fraction
        Part of its place that was brighter than half of that height.
    """

    verdict: Earlier
    ratio: float = np.nan
    bright_fraction: float = np.nan


def lattice(point_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n, n, 3) points about a point, mm, on a lattice along the axes of its space."""
    along = np.arange(-REACH_MM, REACH_MM + 1) * STEP_MM
    return np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1) + point_mm


def sampled(
    image: NDArray[np.float32], grid: Grid, transform: AffineTransform, points_mm: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Image at (..., 3) points of the baseline, linearly interpolated; NaN beyond it."""
    to_voxel = np.linalg.inv(grid.affine)
    at = transform.apply(points_mm) @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    out = ndimage.map_coordinates(image, np.moveaxis(at, -1, 0), order=1, mode="constant", cval=np.nan)
    return np.asarray(out, dtype=np.float32)


def place_of(flair: NDArray[np.float32], drawn: NDArray[np.bool_] | None = None) -> Place:
    """Find a lesion and the white matter about it on FLAIR of the session at which it enhances.

    Parameters
    ----------
    flair
        (n, n, n) on the lattice about the point that was marked.
    drawn
        (n, n, n) where it is drawn; when not given, what touches the point within 6 mm and is brighter than half of
        its height.

    Notes
    -----
    White matter is the most frequent brightness 3 to 12 mm around it (half-sample mode), and what lies within two
    standard deviations of it. Beside the cortex that may be grey matter: then the lesion stands out less, and the same
    voxels are looked at in the earlier session.
    """
    distance = np.linalg.norm(lattice(np.zeros(3)), axis=-1)
    given = drawn if drawn is not None and drawn.any() else None
    away = distance if given is None else ndimage.distance_transform_edt(~given)
    ring = np.isfinite(flair) & (away > _RING_MM[0]) & (away <= _RING_MM[1])
    none = np.zeros(flair.shape, dtype=np.bool_)
    nothing = Place(none, none, np.nan, np.nan)
    at_point = distance <= 1.5 * STEP_MM
    if np.count_nonzero(ring) < _LEAST_RING or not np.all(np.isfinite(flair[at_point])):
        return nothing
    mode = _mode(flair[ring].astype(np.float64))
    spread = _SD_OF_MAD * float(np.median(mode - flair[ring & (flair <= mode)].astype(np.float64)))
    white = ring & (np.abs(flair - mode) <= 2 * spread)
    core = given
    if core is None:
        half = mode + _HALF * (float(flair[at_point].max()) - mode)
        parts, _ = ndimage.label((distance <= _CORE_MM) & (flair > half))
        core = (parts == parts[at_point].max()) & (parts > 0)
        white &= ndimage.distance_transform_edt(~core) > _RING_MM[0] if core.any() else True
    if not core.any() or not white.any() or mode <= 0:
        return nothing
    level = float(np.median(flair[white]))
    return Place(core, white, float(np.nanmedian(flair[core])) / level - 1.0, spread / level)


def look_back(place: Place, flair: NDArray[np.float32]) -> EarlierLook:
    """Tell whether a lesion was there at an earlier session.

    Parameters
    ----------
    place
        From `place_of`.
    flair
        (n, n, n) of the earlier session on the same lattice.

    Notes
    -----
    Brightness is taken relative to the same white matter in both sessions, so that scanners and shading do not matter,
    and height relative to that of the lesion when it enhances. Normal: at most a tenth of its place was brighter than
    half of its height, and the median below 0.3 of it. There: three tenths, or the median above a half. Between these
    it cannot be told, nor where the lesion stands out by less than five standard deviations of the white matter.
    """
    covered = np.isfinite(flair)
    if not place.core.any() or np.mean(covered[place.core]) < _LEAST_COVERED:
        return EarlierLook("not covered" if place.core.any() else "cannot tell")
    if not covered[place.white_matter].any():
        return EarlierLook("not covered")
    level = float(np.median(flair[place.white_matter & covered]))
    if not place.clear or level <= 0:
        return EarlierLook("cannot tell")
    spread = _SD_OF_MAD * float(np.median(np.abs(flair[place.white_matter & covered] - level))) / level
    height = (flair[place.core & covered].astype(np.float64) / level - 1.0) / place.height
    ratio, bright = float(np.median(height)), float(np.mean(height > _HALF))
    if _LEAST_CLEAR * spread > place.height:
        return EarlierLook("cannot tell", ratio, bright)
    if bright >= _LEAST_THERE or ratio > _LEAST_THERE_RATIO:
        return EarlierLook("there", ratio, bright)
    normal = bright <= _MOST_NORMAL and ratio < _MOST_NORMAL_RATIO
    return EarlierLook("normal" if normal else "cannot tell", ratio, bright)


def _mode(values: NDArray[np.float64]) -> float:
    """Most frequent value: the half with the smallest range, again and again."""
    left = np.sort(values)
    while left.size > 8:
        half = left.size // 2
        first = int(np.argmin(left[half:] - left[: left.size - half]))
        left = left[first : first + half + 1]
    return float(np.median(left))
