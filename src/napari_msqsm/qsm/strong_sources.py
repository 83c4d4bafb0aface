r"""Two passes against the streaks of strong sources: veins, haemorrhage, calcification.

A small error in percent of a source of 1 ppm is a large one in ppb, and dipole inversion spreads it along streaks over
the tissue around. The first pass finds the strong sources S: voxels whose χ is beyond a threshold, and their six
neighbours, which hold part of them. Their susceptibility alone is then fitted to the field, which takes no
regularisation, since a source of known place is well determined by the field around it:

.. math:: \min_{x \text{ on } S} \lVert W (f - D x) \rVert_2^2 + \lVert x / p \rVert_2^2, \quad
   W^{-2} = \sigma^2 + \tau^2

σ is the field's noise, τ the typical size of the field of everything else (robust standard deviation of f), p the
expected size of a strong source, which only matters where S is too wide to be determined. The second pass inverts
f − D x, in which nothing is strong; in S, where the field turns within a voxel and no model of voxels fits, it counts
as explained (f − D x = 0). The two maps are added. Where nothing is strong the first pass is the result, as it is.
MEDI, whose edges and weights keep streaks small, gains the right size of the source; filters and closed forms lose most
of their streaks.

Source: strong sources fitted and superposed: Sun H et al., Magn Reson Med 2016;76:781 (haemorrhage); strong and weak
sources one after the other: Wei H et al., NMR Biomed 2015;28:1294 (doi 10.1002/nbm.3383); two passes with different
masks: Stewart AW et al., Magn Reson Med 2022;87:1289 (doi 10.1002/mrm.29048).
Differs from the papers: S comes from a threshold on χ in ppm, its fit has no other unknowns, both passes use the
same inversion and mask.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.robust import any_of, count, median_inside, robust_sd
from napari_msqsm.qsm.stencils import at_least_faces
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.result import Inversion

_FIRST_PASS, _FIT = 0.45, 0.1
"""Their parts of the time."""


class NoStrongSourcesSettings(Settings):
    """One pass."""

    method: Literal["none"] = "none"


class TwoPassSettings(Settings):
    """Strong sources are found by a first pass, fitted separately, and taken out of the second."""

    method: Literal["two-pass"] = "two-pass"
    threshold_ppm: float = quantity(
        0.4,
        gt=0,
        unit="ppm",
        top=True,
        help="A voxel is a strong source where χ differs from the map's median by more than this.",
        source="above the iron of deep grey nuclei (0.2 ppm) and venous blood (0.3 ppm)",
    )
    expected_sd_ppm: float = quantity(1.0, gt=0, unit="ppm", help="Expected size of a strong source.")
    cg_max_iter: int = quantity(300, ge=1, help="Most conjugate-gradient iterations of the fit.")
    cg_rtol: float = quantity(1e-3, gt=0, help="Relative residual at which the fit is left.")
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Empty margin around the mask that keeps periodic copies of the head apart."
    )


StrongSourcesSettings = Annotated[NoStrongSourcesSettings | TwoPassSettings, Field(discriminator="method")]


def two_pass(
    invert: Callable[[Array, Callable[[float], None]], Inversion],
    field_hz: Array,
    *,
    noise_sd_hz: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: TwoPassSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Inversion:
    """Invert with strong sources fitted separately.

    Parameters
    ----------
    invert
        Any inversion, as ``invert(field_hz, on_progress)``.
    field_hz
        (X, Y, Z); local field, or the total field where ``invert`` separates the background itself.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, 0 where it was not measured.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    settings
        Threshold, limits of the fit.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Inversion
        Of the first pass where no voxel is strong; otherwise the sum, the iterations of both passes, and the objective
        of the second.
    """
    settings = settings or TwoPassSettings()
    report = on_progress or (lambda _: None)
    first = invert(field_hz, lambda done: report(_FIRST_PASS * done))
    strong = strong_sources(first.chi_ppm, first.mask, threshold_ppm=settings.threshold_ppm)
    if not any_of(strong):
        return first
    local = field_hz if first.local_field_hz is None else first.local_field_hz
    fitted, field_of_fitted, fit_converged = _fit(
        local,
        strong,
        mask=first.mask,
        noise_sd_hz=noise_sd_hz,
        voxel_size_mm=voxel_size_mm,
        b0_direction=b0_direction,
        hz_per_ppm=hz_per_ppm,
        settings=settings,
        report=lambda done: report(_FIRST_PASS + _FIT * done),
    )
    begun = _FIRST_PASS + _FIT
    rest = namespace_of(field_hz, strong).where(strong, field_hz - local, field_hz - field_of_fitted)
    second = invert(rest, lambda done: report(begun + (1.0 - begun) * done))
    volume_mm3 = count(strong) * math.prod(voxel_size_mm)
    warnings = [
        *dict.fromkeys((*first.warnings, *second.warnings)),
        f"{count(strong)} voxels ({volume_mm3:.0f} mm³) in and beside sources beyond "
        f"±{settings.threshold_ppm:g} ppm were fitted separately",
    ]
    if not fit_converged:
        warnings.append("the fit of strong sources was left before its tolerance (strong_sources.cg_max_iter)")
    return replace(
        second,
        chi_ppm=second.chi_ppm + fitted,
        converged=first.converged and second.converged and fit_converged,
        cg_converged=first.cg_converged and second.cg_converged,
        outer_changes=first.outer_changes + second.outer_changes,
        cg_iterations=first.cg_iterations + second.cg_iterations,
        warnings=tuple(warnings),
        local_field_hz=None if second.local_field_hz is None else second.local_field_hz + field_of_fitted,
    )


def strong_sources(chi_ppm: Array, mask: Array, *, threshold_ppm: float) -> Array:
    """Voxels of the mask whose χ differs from its median there by more than a threshold, and their six neighbours.

    Parameters
    ----------
    chi_ppm
        (X, Y, Z).
    mask
        (X, Y, Z) bool.
    threshold_ppm
        Least difference.
    """
    xp = namespace_of(chi_ppm, mask)
    strong = mask & (xp.abs(chi_ppm - median_inside(chi_ppm, mask)) > threshold_ppm)
    return strong | (mask & at_least_faces(strong, 1))


def _fit(
    local_field_hz: Array,
    strong: Array,
    *,
    mask: Array,
    noise_sd_hz: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: TwoPassSettings,
    report: Callable[[float], None],
) -> tuple[Array, Array, bool]:
    """Least-squares χ of the strong voxels in ppm, its field in Hz around the mask, and whether it converged."""
    xp = namespace_of(local_field_hz, strong)
    measured = mask & (noise_sd_hz > 0)
    if not any_of(measured):
        measured = mask
    other_hz = robust_sd(local_field_hz[measured])
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm)
    support, measured = box.crop(strong), box.crop(measured)
    field = box.crop(local_field_hz) * (1.0 / hz_per_ppm)
    nothing = xp.zeros_like(field)
    field = xp.where(measured, field, nothing)
    variance = (box.crop(noise_sd_hz) ** 2 + other_hz**2) * (1.0 / hz_per_ppm) ** 2
    weights = xp.where(measured, 1.0 / xp.where(measured, variance, nothing + 1.0), nothing)
    dipole = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)

    def seen(residual: Array) -> Array:
        return xp.where(support, convolve(weights * residual, dipole), nothing)

    solution = conjugate_gradient(
        lambda x: seen(convolve(x, dipole)) + x * (1.0 / settings.expected_sd_ppm**2),
        seen(field),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=lambda i, _: report(i / settings.cg_max_iter),
    )
    made = convolve(solution.x, dipole) * hz_per_ppm
    return box.embed(solution.x), box.embed(made), solution.converged
