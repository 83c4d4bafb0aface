"""Mean susceptibility of a region, on the grid of the session and on the map that was carried to the baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.lesions.carry import DrawnRoi
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.lesions.carry import CarriedRoi
    from napari_msqsm.model.grid import Grid

LEAST_COVERED = 0.9
"""Below this part of its volume a region is missing."""
MOST_APART_PPB = 2.0
"""Native and registered value further apart than this are flagged."""


@dataclass(frozen=True)
class RoiMean:
    """χ of one region in one map.

    Parameters
    ----------
    mean_ppb, median_ppb, sd_ppb
        Weighted by the square of the part of each voxel that the region fills; None where too little of the region is
        covered.
    covered_fraction
        Part of the region's volume that lies in the mask of the map.
    n_voxels
        Voxels that count: the sum of their parts.
    """

    mean_ppb: float | None
    median_ppb: float | None
    sd_ppb: float | None
    covered_fraction: float
    n_voxels: float

    @property
    def missing(self) -> bool:
        """Whether too little of the region is covered for a number."""
        return self.mean_ppb is None


@dataclass(frozen=True)
class RoiMeasurement:
    """χ of one region at one session, measured twice.

    Parameters
    ----------
    native
        In the map as it was reconstructed, the region carried to its grid. This is the value.
    registered
        In the map carried to the baseline grid; to look at, and as a check. None when there is none.
    """

    native: RoiMean
    registered: RoiMean | None

    @property
    def apart_ppb(self) -> float | None:
        """How far the two values are apart; None when one is missing."""
        if self.registered is None or self.native.mean_ppb is None or self.registered.mean_ppb is None:
            return None
        return abs(self.native.mean_ppb - self.registered.mean_ppb)

    @property
    def differ(self) -> bool:
        """Whether they are further apart than interpolation explains; look at the registration."""
        return self.apart_ppb is not None and self.apart_ppb > MOST_APART_PPB


def roi_mean(chi_ppm: NDArray[Any], mask: NDArray[np.bool_], roi: CarriedRoi) -> RoiMean:
    """Weighted mean ``Σ f² χ / Σ f²`` over the voxels of a region that the mask of the map holds.

    ``f`` is the part of a voxel that the region fills. Its square, since a voxel of which f is lesion shows f of the
    lesion's contrast: this is how voxels of equal noise tell most about the lesion, and voxels at its edge little.

    Parameters
    ----------
    chi_ppm, mask
        (X, Y, Z) the map, and where it has a value; what stands outside the mask never counts.
    roi
        The region, carried to the grid of the map.

    Raises
    ------
    ShapeMismatchError
        When map, mask and region do not lie on one grid.

    Notes
    -----
    Against weights of f, lesions of 3.5 … 6 mm at 0.75×0.75×3 mm lose 1.1 ppb less of their contrast to partial volume,
    and of a lesion that does not change the mean stays the same within 0.3 ppb on average at a turned follow-up (0.4).
    Sums are rounded once (`math.fsum`): whoever adds the same voxels in another order gets the same number.
    """
    for name, image in (("the map", chi_ppm), ("its mask", mask)):
        if image.shape != roi.grid.shape:
            raise ShapeMismatchError(
                f"{name} has shape {image.shape} but the region {roi.grid.shape}; carry the region to the map's grid"
            )
    here = chi_ppm[roi.block]
    counts = mask[roi.block] & (roi.filled > 0) & np.isfinite(here)
    parts = roi.filled[counts].astype(np.float64)
    total = math.fsum(parts)
    whole = roi.whole_mm3 / roi.grid.voxel_volume_mm3
    covered = min(1.0, total / whole) if whole > 0 else 0.0
    if covered < LEAST_COVERED:
        return RoiMean(None, None, None, covered, total)
    values = here[counts].astype(np.float64) * PPB_PER_PPM
    weights = parts * parts
    of_all = math.fsum(weights)
    mean = math.fsum(weights * values) / of_all
    variance = math.fsum(weights * (values - mean) ** 2) / of_all
    return RoiMean(mean, _median(values, weights), math.sqrt(variance), covered, total)


def measure_roi(
    roi: NDArray[np.bool_],
    grid: Grid,
    *,
    chi_ppm: NDArray[Any],
    mask: NDArray[np.bool_],
    chi_grid: Grid,
    transform: AffineTransform,
    registered_chi_ppm: NDArray[Any] | None = None,
    registered_mask: NDArray[np.bool_] | None = None,
    cut: NDArray[np.bool_] | None = None,
) -> RoiMeasurement:
    """Measure a region of the baseline in the map of a session, native and registered.

    Parameters
    ----------
    roi, grid, cut
        Region on the baseline grid, as in `carry_roi`.
    chi_ppm, mask, chi_grid
        Map of the session on its own grid, and where it has a value.
    transform
        Scanner positions at the baseline → those at the session, mm; the identity for the baseline itself.
    registered_chi_ppm, registered_mask
        The map and its mask carried to the baseline grid.
    """
    drawn = DrawnRoi.of(roi, grid, cut=cut)
    native = roi_mean(chi_ppm, mask, drawn.carried(chi_grid, transform))
    if registered_chi_ppm is None or registered_mask is None:
        return RoiMeasurement(native, None)
    there = drawn.carried(grid, AffineTransform.identity())
    return RoiMeasurement(native, roi_mean(registered_chi_ppm, registered_mask, there))


def _median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(0.5 * weights.sum(), middle, values[order]))
