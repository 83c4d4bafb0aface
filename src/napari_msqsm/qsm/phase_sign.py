"""Checking the sign of the phase on the data.

Iron and deoxygenated blood raise both R2* and χ. A quick map (spherical mean value against the background, thresholded
division) changes its sign, and nothing else, with the sign of the phase: the χ of voxels whose R2* stands out from that
of white matter (deep grey nuclei, veins) against the rest of the deep brain therefore tells which sign is right. Over
all voxels χ and R2* do not go together (myelin raises R2* and lowers χ), and beside air R2* is not the tissue's: both
are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.host.distance import depth_mm
from napari_msqsm.qsm.host.unwrap_path import unwrap_field
from napari_msqsm.qsm.inversion.tkd import tkd
from napari_msqsm.qsm.r2star.arlo import arlo
from napari_msqsm.qsm.robust import quantile, robust_sd
from napari_msqsm.qsm.spherical_mean import inside_spheres, sphere_kernel
from napari_msqsm.qsm.stencils import gradient

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.model.series import MultiEchoSeries

_SMV_RADIUS_MM = 6.0
_LEAST_DEPTH_MM = 10.0
_MIDDLE_DEPTH_MM = 20.0
_MOST_TURNS_PER_VOXEL = 0.1
_BULK_QUANTILE = 0.8
_STANDS_OUT = 1.2
_LEAST_VOXELS = 30
_CONCLUSIVE = 1.0


@dataclass(frozen=True)
class SignVerdict:
    """What the data say about the sign of the phase.

    Parameters
    ----------
    sign
        +1: as loaded; −1: the opposite; 0: inconclusive.
    contrast
        Median quick χ of voxels of outstanding R2* minus that of the others, in robust standard deviations of the
        latter; NaN where it could not be formed.
    sentence
        The same in words.
    """

    sign: int
    contrast: float
    sentence: str


def phase_sign_from_data(series: MultiEchoSeries, *, mask: Array) -> SignVerdict:
    """Compare a quick χ with R2* in the deep brain.

    Parameters
    ----------
    series
        With phase, at least three echoes.
    mask
        (X, Y, Z) bool, brain.
    """
    if series.phase_rad is None or series.n_echoes < 3:
        return SignVerdict(0, math.nan, "the sign of the phase cannot be checked with fewer than three echoes of phase")
    xp = namespace_of(series.magnitude)
    voxel_size_mm = series.grid.voxel_size_mm
    fit = fit_field(series.magnitude, series.phase_rad, echo_times_s=series.echo_times_s, mask=mask)
    field = like(unwrap_field(to_numpy(fit.field_hz), period_hz=fit.period_hz, mask=to_numpy(mask)), fit.field_hz)
    steep = xp.zeros_like(mask)
    for part, step in zip(gradient(field, voxel_size_mm), voxel_size_mm, strict=True):
        steep |= xp.abs(part) * (step * series.echo_times_s[-1]) > _MOST_TURNS_PER_VOXEL
    local, inner = _high_pass(field, mask, voxel_size_mm)
    deep = inner & ~steep & like(depth_mm(to_numpy(mask), voxel_size_mm) > _LEAST_DEPTH_MM, mask)
    r2star = arlo(series.magnitude, echo_times_s=series.echo_times_s, mask=mask)
    chi = tkd(
        local,
        mask=inner,
        voxel_size_mm=voxel_size_mm,
        b0_direction=series.b0_direction,
        hz_per_ppm=series.hz_per_ppm,
    ).chi_ppm
    return _compared(chi[deep], r2star[deep], "quick χ", "phase")


def map_sign_from_data(
    chi_ppm: Array, *, r2star_hz: Array, mask: Array, voxel_size_mm: tuple[float, float, float]
) -> SignVerdict:
    """Compare a finished χ with R2* in the middle of the brain, where a field of unknown sign was given.

    Parameters
    ----------
    chi_ppm, r2star_hz
        (X, Y, Z).
    mask
        (X, Y, Z) bool, voxels that have a χ.
    voxel_size_mm
        Voxel edges.
    """
    deep = mask & like(depth_mm(to_numpy(mask), voxel_size_mm) > _MIDDLE_DEPTH_MM, mask)
    return _compared(chi_ppm[deep], r2star_hz[deep], "χ", "field")


def _compared(chi: Array, r2star: Array, what: str, source: str) -> SignVerdict:
    """Verdict from χ and R2* of deep voxels, one value each."""
    xp = namespace_of(chi, r2star)
    if r2star.shape[0] < _LEAST_VOXELS:
        return SignVerdict(
            0, math.nan, f"too little of the brain lies away from its surface to check the sign of the {source}"
        )
    bulk = quantile(r2star, _BULK_QUANTILE)
    outstanding = r2star > _STANDS_OUT * bulk
    if int(xp.count_nonzero(outstanding)) < _LEAST_VOXELS:
        return SignVerdict(
            0, math.nan, f"no iron-rich nuclei or veins stand out in R2* to check the sign of the {source} by"
        )
    rest = chi[r2star <= bulk]
    spread = robust_sd(rest)
    difference = quantile(chi[outstanding], 0.5) - quantile(rest, 0.5)
    return _verdict(difference / spread if spread > 0 else math.nan, what, source)


def _high_pass(field_hz: Array, mask: Array, voxel_size_mm: tuple[float, float, float]) -> tuple[Array, Array]:
    """Field minus its spherical mean, and where the sphere lies inside the mask."""
    xp = namespace_of(field_hz)
    box = box_around(mask, voxel_size_mm, margin_mm=2.0 * _SMV_RADIUS_MM)
    sphere = sphere_kernel(box.shape, voxel_size_mm, _SMV_RADIUS_MM, like=field_hz)
    boxed = box.crop(field_hz)
    inner = inside_spheres(box.crop(mask), sphere)
    local = xp.where(inner, boxed - convolve(boxed, sphere), xp.zeros_like(boxed))
    return box.embed(local), box.embed(inner)


def _verdict(contrast: float, what: str, source: str) -> SignVerdict:
    said = f"{what} of iron-rich nuclei and veins stands {contrast:+.1f} sd from the other deep brain"
    if not math.isfinite(contrast) or abs(contrast) < _CONCLUSIVE:
        return SignVerdict(0, contrast, f"{said}: the data do not settle the sign of the {source}")
    if contrast > 0:
        return SignVerdict(1, contrast, f"{said}: the sign of the {source} is confirmed")
    return SignVerdict(-1, contrast, f"{said}: the data contradict the sign of the {source}")
