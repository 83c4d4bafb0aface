r"""Wiener separation: the most probable split of the field into sources inside and outside the mask.

.. math::

   \min_{\chi, a} \lVert W (f' - D \chi) \rVert_2^2
   + \lVert (\chi - \textstyle\sum_k a_k \varphi_k) / p \rVert_2^2, \qquad f_L = f - f_H - D \chi_{outside}

First the field's harmonic extension f_H from the mask's edge is taken away (`lbv`, fourth order), f' = f − f_H: what is
left of the background is as weak as the local field, since only the local field on the edge has been mistaken for it.
Then f' is explained by sources everywhere at once: p is their expected size, smaller inside the mask than outside, W
the inverse standard deviation of the field. Unlike in LBV the local field on the edge is free, and unlike in PDF the
brain's own sources are part of the model, so that they are not pushed outside. The whole mask keeps a field.

A slowly varying local field looks like a background field. What tells them apart is the shape of the tissues: φ_k span
all continuous functions of the magnitude, so that χ may differ between bright and dark tissue by amounts a_k that the
field itself decides; no value of χ is assumed.

χ is eliminated for the residual, u = W(f' − Dχ), of a system without φ's columns Φ = W D φ:

.. math:: (1 + W D p^2 D W)\, u = W f' - \Phi a, \quad \Phi^T u = 0, \quad \chi = p^2 D W u + \sum_k a_k \varphi_k

Source: sources outside by one linear system: Liu T et al., NMR Biomed 2011;24:1129 (doi 10.1002/nbm.1670); inside and
outside, of different size: Liu Z et al., Magn Reson Med 2017;78:303 (doi 10.1002/mrm.26331); harmonic extension: Zhou D
et al., NMR Biomed 2014;27:312 (doi 10.1002/nbm.3064). Their combination and φ are this program's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.background.contrast import hat_functions, orthonormal, unshaded_log
from napari_msqsm.qsm.background.laplacian import has_neighbours
from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array

EXTENSION = LbvSettings(order=4, cg_rtol=1e-5, cg_max_iter=1000)
"""Of the harmonic extension that comes first."""
_SHARE_OF_EXTENSION = 0.2


class WienerSettings(Settings):
    """Wiener separation of local and background field."""

    method: Literal["wiener"] = "wiener"
    n_levels: int = quantity(
        8,
        ge=0,
        le=32,
        top=True,
        help="Levels of the magnitude between which χ may differ freely: tells slow local fields from the background. "
        "Fewer than 2 is off.",
    )
    brain_sd_ppm: float = quantity(
        0.03, gt=0, unit="ppm", help="Expected size of χ inside the mask, beyond what the magnitude explains."
    )
    outside_sd_ppm: float = quantity(
        0.1, gt=0, unit="ppm", help="Expected size of the sources outside that harmonic extension leaves."
    )
    least_noise_ppm: float = quantity(
        1e-3, gt=0, unit="ppm", help="Added to the noise (in squares): error of a model made of voxels."
    )
    shading_mm: float = quantity(
        20.0, gt=0, unit="mm", help="Slower changes of the magnitude (Gaussian standard deviation) are the coils'."
    )
    margin_mm: float = quantity(
        40.0, ge=0, unit="mm", help="Room around the mask, both sides together, in which sources may lie."
    )
    cg_max_iter: int = quantity(300, ge=1, help="Most conjugate-gradient iterations.")
    cg_rtol: float = quantity(3e-3, gt=0, help="Relative residual at which the linear system is left.")


def wiener(
    total_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array,
    magnitude: Array | None = None,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: WienerSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> LocalField:
    """Take the field of sources outside the mask away.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z) unwrapped field; ignored outside the mask.
    mask
        (X, Y, Z) bool; all of it keeps a field.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field. Where it is 0 the measured field is not used and the field of the
        sources found inside takes its place.
    magnitude
        (X, Y, Z); without it, χ is not tied to tissue.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    settings
        Expected sizes, levels, iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Raises
    ------
    InputError
        When no voxel has all its neighbours in the mask, or too few of the edge have a field.
    """
    settings = settings or WienerSettings()
    xp = namespace_of(total_field_hz, mask)
    report = on_progress or (lambda _: None)
    measured = mask & (noise_sd_hz > 0)
    total_ppm = xp.where(measured, total_field_hz, xp.zeros_like(total_field_hz)) * (1.0 / hz_per_ppm)
    extension = lbv(
        total_ppm,
        mask=with_measured_edge(mask, measured),
        voxel_size_mm=voxel_size_mm,
        settings=EXTENSION,
        on_progress=lambda done: report(_SHARE_OF_EXTENSION * done),
    )
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm)
    inside, measured = box.crop(mask), box.crop(measured)
    field = box.crop(extension.field_hz)
    kernel = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    noise_ppm = box.crop(noise_sd_hz) * (1.0 / hz_per_ppm)
    weights = xp.where(measured, 1.0 / xp.sqrt(noise_ppm**2 + settings.least_noise_ppm**2), xp.zeros_like(field))
    variance = xp.where(
        inside, xp.zeros_like(field) + settings.brain_sd_ppm**2, xp.zeros_like(field) + settings.outside_sd_ppm**2
    )
    tissue: list[Array] = []
    if magnitude is not None and settings.n_levels > 1:
        contrast = unshaded_log(
            box.crop(magnitude), inside, voxel_size_mm=voxel_size_mm, shading_mm=settings.shading_mm
        )
        tissue = hat_functions(contrast, inside, n_levels=settings.n_levels)
    columns = [weights * convolve(image, kernel) for image in tissue]
    basis, triangle = orthonormal(columns) if columns else ([], [])

    def system(u: Array) -> Array:
        return weights * convolve(variance * convolve(weights * u, kernel), kernel) + u

    def projected(u: Array) -> Array:
        for unit in basis:
            u = u - float(xp.sum(unit * u)) * unit
        return u

    solution = conjugate_gradient(
        lambda u: projected(system(u)),
        projected(weights * field),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=lambda i, _: report(_SHARE_OF_EXTENSION + (1 - _SHARE_OF_EXTENSION) * i / settings.cg_max_iter),
    )
    chi = variance * convolve(weights * solution.x, kernel)
    nothing = xp.zeros_like(chi)
    local = field - convolve(xp.where(inside, nothing, chi), kernel)
    if not bool(xp.all(measured | ~inside)):
        rest = weights * field - system(solution.x)
        for amount, image in zip(_amounts(rest, basis, triangle), tissue, strict=True):
            chi = chi + amount * image
        local = xp.where(measured, local, convolve(xp.where(inside, chi, nothing), kernel))
    local = xp.where(inside, local, nothing) * hz_per_ppm
    return LocalField(
        box.embed(local), mask, solution.converged and extension.converged, solution.iterations + extension.iterations
    )


def with_measured_edge(mask: Array, measured: Array) -> Array:
    """Take unmeasured voxels off the edge until all of the edge is measured; holes inside stay."""
    xp = namespace_of(mask, measured)
    while True:
        lost = mask & ~measured & ~has_neighbours(mask, order=EXTENSION.order)
        if not bool(xp.any(lost)):
            return mask
        mask = mask & ~lost


def _amounts(rest: Array, basis: list[Array], triangle: list[list[float]]) -> list[float]:
    """Amounts of the columns whose sum is nearest to ``rest``; 0 for dropped ones."""
    xp = namespace_of(rest)
    wanted = [float(xp.sum(unit * rest)) for unit in basis]
    amounts = [0.0] * len(triangle)
    used = [number for number, entry in enumerate(triangle) if entry]
    for place in reversed(range(len(used))):
        entry = triangle[used[place]]
        amounts[used[place]] = wanted[place] / entry[-1]
        for earlier in range(place):
            wanted[earlier] -= entry[earlier] * amounts[used[place]]
    return amounts
