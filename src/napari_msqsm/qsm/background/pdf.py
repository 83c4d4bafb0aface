r"""PDF: projection onto dipole fields.

.. math::

   \min_{\chi_B} \lVert W M (f - D \chi_B) \rVert_2^2 + \mu \lVert \chi_B \rVert_2^2,
   \quad \chi_B = 0 \text{ inside the mask } M

The local field is f − Dχ_B. W has mean 1 in the mask, so that μ has no unit.

Source: Liu T et al., NMR Biomed 2011;24:1129 (doi 10.1002/nbm.1670).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.robust import mean_inside
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array


class PdfSettings(Settings):
    """Projection onto dipole fields."""

    method: Literal["pdf"] = "pdf"
    cg_max_iter: int = quantity(100, ge=1, help="Most conjugate-gradient iterations.")
    cg_rtol: float = quantity(1e-3, gt=0, help="Relative residual at which the linear system is left.")
    ridge: float = quantity(
        1e-4,
        ge=0,
        help="Weight μ of the size of the background sources: without it the system is ill-posed, and rounding decides "
        "where an iteration ends.",
    )
    margin_mm: float = quantity(
        40.0, ge=0, unit="mm", help="Room added around the image in which background sources may lie."
    )


def pdf(
    total_field_hz: Array,
    *,
    noise_sd_hz: Array,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    settings: PdfSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> LocalField:
    """Take the field of sources outside the mask away.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z) unwrapped field; ignored outside the mask.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, of any common scale; where it is 0 the voxel has no say.
    mask
        (X, Y, Z) bool.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    settings
        Iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Notes
    -----
    Differs from the paper: the paper stops an ill-posed system early; with μ it has one solution, the same for every
    orientation of the image.
    """
    settings = settings or PdfSettings()
    xp = namespace_of(total_field_hz, mask)
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm, stay_inside=True)
    inside = box.crop(mask)
    field = box.crop(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)))
    kernel = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    noise = box.crop(noise_sd_hz)
    usable = inside & (noise > 0)
    weights = xp.where(usable, 1.0 / xp.where(usable, noise, xp.ones_like(noise)), xp.zeros_like(noise))
    squared = (weights / mean_inside(weights, inside)) ** 2
    outside = xp.astype(~inside, field.dtype)

    def normal(sources: Array) -> Array:
        return outside * convolve(squared * convolve(sources, kernel), kernel) + settings.ridge * sources

    solution = conjugate_gradient(
        normal,
        outside * convolve(squared * field, kernel),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=(lambda i, _: on_progress(i / settings.cg_max_iter)) if on_progress else None,
    )
    local = field - convolve(solution.x, kernel)
    local = xp.where(inside, local, xp.zeros_like(local))
    return LocalField(box.embed(local), mask, solution.converged, solution.iterations)
