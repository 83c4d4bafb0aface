"""Rim and core of lesions on a grid, and how much of their contrast a map shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.model.grid import Grid
from napari_msqsm.phantom.shapes import tube
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_msqsm.phantom.lesions import Lesion

_STEP_MM = 0.25
_MOSTLY = 0.5
_PURE = 0.9
_VEIN_MARGIN_MM = 0.5
_LEAST_VOXELS = 3


@dataclass(frozen=True, eq=False)
class RimRegion:
    """Voxels of one lesion with a rim.

    Parameters
    ----------
    lesion_id, rim_mm
        Number of the lesion and thickness of its rim.
    rim, core
        (X, Y, Z) bool: voxels that lie inside the lesion (nine tenths at least), are more rim than core or the other
        way round, and that its central vein does not touch.
    contrast_ppb
        χ of the rim above that of the core, in the head itself: not averaged over voxels.
    """

    lesion_id: int
    rim_mm: float
    rim: NDArray[np.bool_]
    core: NDArray[np.bool_]
    contrast_ppb: float


@dataclass(frozen=True)
class RimRecovery:
    """Contrast of one lesion in a map, and how much of the truth that is.

    Parameters
    ----------
    lesion_id, rim_mm
        As in `RimRegion`.
    map_ppb, true_ppb
        Mean χ of the rim minus that of the core, in the map and in the true χ averaged over the same voxels.
    head_ppb
        The contrast in the head itself.
    """

    lesion_id: int
    rim_mm: float
    map_ppb: float
    true_ppb: float
    head_ppb: float

    @property
    def of_voxels(self) -> float:
        """Part of the contrast that an error-free map on this grid has."""
        return self.map_ppb / self.true_ppb

    @property
    def of_head(self) -> float:
        """Part of the contrast in the head; partial volume lowers it too."""
        return self.map_ppb / self.head_ppb


def rim_regions(
    lesions: Iterable[Lesion], *, grid: Grid, pose: NDArray[np.float64], time_y: float
) -> tuple[RimRegion, ...]:
    """Rim and core of every lesion that has a rim at a time, where the grid shows both.

    Parameters
    ----------
    lesions
        Of the patient.
    grid, pose, time_y
        As in `napari_msqsm.phantom.scan.gradient_echo`.
    """
    return tuple(_regions(lesions, grid, pose, time_y))


def rim_recovery(
    chi_ppm: NDArray[Any], true_chi_ppm: NDArray[Any], regions: Sequence[RimRegion], *, mask: NDArray[np.bool_]
) -> tuple[RimRecovery, ...]:
    """Contrast of rim and core in a map, lesion by lesion.

    Parameters
    ----------
    chi_ppm, true_chi_ppm
        (X, Y, Z) the map, and the true χ on its grid.
    regions
        From `rim_regions`.
    mask
        (X, Y, Z) where the map has a χ; lesions that it does not hold are left out.
    """
    found = []
    for region in regions:
        if np.all(mask[region.rim | region.core]):
            seen, true = (
                PPB_PER_PPM
                * float(image[region.rim].mean(dtype=np.float64) - image[region.core].mean(dtype=np.float64))
                for image in (chi_ppm, true_chi_ppm)
            )
            found.append(RimRecovery(region.lesion_id, region.rim_mm, seen, true, region.contrast_ppb))
    return tuple(found)


def _regions(lesions: Iterable[Lesion], grid: Grid, pose: NDArray[np.float64], time_y: float) -> Iterator[RimRegion]:
    for lesion in lesions:
        block = _block(lesion, grid, pose)
        contrast_ppb = lesion.rim_height_ppb(time_y)
        if block is None or contrast_ppb <= 0:
            continue
        corner = np.eye(4)
        corner[:3, 3] = [part.start for part in block]
        inner = Grid(tuple(part.stop - part.start for part in block), grid.affine @ corner)
        parts = parts_of(inner, _STEP_MM)
        points = fine_sampling(inner, pose, parts)[0].points()
        distance = lesion.distance(points, time_y)
        core_share = averaged((distance <= -lesion.rim_mm).astype(np.float32), parts)
        pure = averaged((distance < 0).astype(np.float32), parts) >= _PURE
        rim, core = pure & (core_share < _MOSTLY), pure & (core_share > _MOSTLY)
        if lesion.vein is not None:
            beside = tube(points, lesion.vein.path, lesion.vein.radii_mm) > np.float32(_VEIN_MARGIN_MM)
            apart = averaged(beside.astype(np.float32), parts) >= 1.0
            rim, core = rim & apart, core & apart
        if min(np.count_nonzero(rim), np.count_nonzero(core)) >= _LEAST_VOXELS:
            whole_rim, whole_core = (np.zeros(grid.shape, dtype=np.bool_) for _ in range(2))
            whole_rim[block], whole_core[block] = rim, core
            yield RimRegion(lesion.lesion_id, lesion.rim_mm, whole_rim, whole_core, contrast_ppb)


def _block(lesion: Lesion, grid: Grid, pose: NDArray[np.float64]) -> tuple[slice, slice, slice] | None:
    """Voxels around a lesion; None when it is not inside the grid."""
    centre = (np.linalg.inv(grid.affine) @ pose @ np.array([*lesion.centre, 1.0]))[:3]
    reach = max(lesion.radii_mm) * max(1.0, lesion.growth)
    x, y, z = (
        slice(int(np.floor(c - reach / step)), int(np.ceil(c + reach / step)) + 1)
        for c, step in zip(centre, grid.voxel_size_mm, strict=True)
    )
    inside = all(part.start >= 0 and part.stop <= n for part, n in zip((x, y, z), grid.shape, strict=True))
    return (x, y, z) if inside else None
