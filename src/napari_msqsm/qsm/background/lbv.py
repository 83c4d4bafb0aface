r"""LBV: the background field as the harmonic extension of the field at the mask's edge.

.. math:: \nabla^2 f_L = \nabla^2 f \text{ inside}, \quad f_L = 0 \text{ on the outermost layer of the mask}

A background field has no sources inside, so it is harmonic there and its values on the edge determine it. On the edge
itself the local field is taken as zero, and that layer is given up. With coarse voxels beside strong sources the error
of the six-neighbour Laplacian counts, too; the fourth-order one (`laplacian`) removes it and gives up the voxels that
lack one of eighteen neighbours.

Source: Zhou D et al., NMR Biomed 2014;27:312 (doi 10.1002/nbm.3064).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.laplacian import has_neighbours, minus_laplacian
from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array


class LbvSettings(Settings):
    """Laplacian boundary value method."""

    method: Literal["lbv"] = "lbv"
    order: Literal[2, 4] = quantity(
        2, help="Order of the Laplacian: 2 has six neighbours; 4 is more exact and gives up more of the edge."
    )
    cg_max_iter: int = quantity(500, ge=1, help="Most conjugate-gradient iterations.")
    cg_rtol: float = quantity(1e-4, gt=0, help="Relative residual at which the linear system is left.")


def lbv(
    total_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array | None = None,
    voxel_size_mm: tuple[float, float, float],
    settings: LbvSettings | None = None,
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
        Iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Raises
    ------
    InputError
        When no voxel has all its neighbours in the mask.
    """
    settings = settings or LbvSettings()
    xp = namespace_of(total_field_hz, mask)
    if noise_sd_hz is not None:
        mask = mask & (noise_sd_hz > 0)
    box = box_around(mask, voxel_size_mm, margin_mm=2.0 * max(voxel_size_mm))
    inside = box.crop(mask)
    interior = has_neighbours(inside, order=settings.order)
    if not bool(xp.any(interior)):
        raise InputError("the mask has no interior (no voxel with all its neighbours inside); give a thicker mask")
    field = box.crop(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)))
    free = xp.astype(interior, field.dtype)

    def inner_laplacian(image: Array) -> Array:
        return free * minus_laplacian(image, voxel_size_mm, order=settings.order)

    solution = conjugate_gradient(
        inner_laplacian,
        inner_laplacian(field),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=(lambda i, _: on_progress(i / settings.cg_max_iter)) if on_progress else None,
    )
    return LocalField(box.embed(solution.x), box.embed(interior), solution.converged, solution.iterations)
