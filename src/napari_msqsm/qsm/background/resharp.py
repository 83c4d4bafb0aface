r"""RESHARP: the local field of least norm whose spherical mean filter is that of the total field.

.. math:: \min_{f_L} \lVert M_R S_R (f - f_L) \rVert_2^2 + \lambda \lVert f_L \rVert_2^2

S_R takes from each voxel the mean over the sphere of radius R around it; M_R are the voxels whose whole sphere lies in
the mask: there S_R takes the background away entirely.

Source: Sun H, Wilman AH, Magn Reson Med 2014;71:1151 (doi 10.1002/mrm.24765).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.spherical_mean import WHOLE, inside_spheres, sphere_kernel
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array


class ResharpSettings(Settings):
    """RESHARP."""

    method: Literal["resharp"] = "resharp"
    radius_mm: float = quantity(
        5.0, gt=0, le=50, unit="mm", top=True, help="Radius of the sphere; so much of the edge is given up."
    )
    ridge: float = quantity(
        5e-3,
        gt=0,
        top=True,
        help="Weight λ of the size of the local field.",
        source="doi 10.1002/mrm.24765 (10⁻³ … 10⁻²)",
    )
    cg_max_iter: int = quantity(200, ge=1, help="Most conjugate-gradient iterations.")
    cg_rtol: float = quantity(1e-4, gt=0, help="Relative residual at which the linear system is left.")


def resharp(
    total_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array | None = None,
    voxel_size_mm: tuple[float, float, float],
    settings: ResharpSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> LocalField:
    """Take the field of sources outside the mask away.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z) unwrapped field; ignored outside the mask.
    mask
        (X, Y, Z) bool.
    noise_sd_hz
        (X, Y, Z); voxels where it is 0 have no field and lie outside.
    voxel_size_mm
        Voxel edges.
    settings
        Sphere, ridge, iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Raises
    ------
    InputError
        When no sphere lies in the mask.

    Notes
    -----
    Differs from the paper: spheres are sampled finer than the voxels, so that they are spheres in mm on any grid.
    """
    settings = settings or ResharpSettings()
    xp = namespace_of(total_field_hz, mask)
    if noise_sd_hz is not None:
        mask = mask & (noise_sd_hz > 0)
    box = box_around(mask, voxel_size_mm, margin_mm=2.0 * settings.radius_mm)
    inside = box.crop(mask)
    field = box.crop(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)))
    mean = sphere_kernel(box.shape, voxel_size_mm, settings.radius_mm, like=field)
    served = inside_spheres(inside, mean, least_share=WHOLE) & inside
    if not bool(xp.any(served)):
        raise InputError(
            f"no sphere of {settings.radius_mm:g} mm lies in the mask; give a thicker mask or a smaller "
            "background.radius_mm"
        )
    filter_kernel = 1.0 - mean
    use = xp.astype(served, field.dtype)

    def twice_filtered(image: Array) -> Array:
        return convolve(use * convolve(image, filter_kernel), filter_kernel)

    solution = conjugate_gradient(
        lambda image: twice_filtered(image) + settings.ridge * image,
        twice_filtered(field),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=(lambda i, _: on_progress(i / settings.cg_max_iter)) if on_progress else None,
    )
    return LocalField(box.embed(use * solution.x), box.embed(served), solution.converged, solution.iterations)
