r"""V-SHARP: the mean over a sphere taken away, with spheres that shrink towards the mask's edge.

.. math::

   g(r) = f(r) - \overline{f}_{R(r)}(r), \qquad
   f_L = \mathcal{F}^{-1}\left[ \frac{\mathcal{F} g}{1 - s_{R_{max}}} \right]_{|1 - s_{R_{max}}| > t}

A background field equals its own mean over every sphere that lies in the mask, so that g holds local field alone; what
the mean took from the local field is given back by the deconvolution with the largest sphere, in k-space s.

Source: Li W et al., NeuroImage 2011;55:1645 (doi 10.1016/j.neuroimage.2010.11.088); Wu B et al., Magn Reson Med
2012;67:137 (doi 10.1002/mrm.23000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.result import LocalField
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.spherical_mean import WHOLE, deconvolved, inside_spheres, radii_between, sphere_kernel
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array


class VsharpSettings(Settings):
    """V-SHARP."""

    method: Literal["vsharp"] = "vsharp"
    max_radius_mm: float = quantity(
        12.0,
        gt=0,
        le=50,
        unit="mm",
        top=True,
        help="Radius of the largest sphere; towards the edge they shrink to about one voxel.",
        source="doi 10.1002/nbm.3550 (10–15 mm)",
    )
    truncation: float = quantity(
        0.05,
        gt=0,
        lt=1,
        top=True,
        help="Frequencies that the largest sphere leaves less than this part of are set to zero.",
        source="doi 10.1016/j.neuroimage.2010.11.088",
    )


def vsharp(
    total_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array | None = None,
    voxel_size_mm: tuple[float, float, float],
    settings: VsharpSettings | None = None,
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
        Largest sphere, truncation.
    on_progress
        Called with the fraction done after each sphere; may raise to stop.

    Raises
    ------
    InputError
        When not even the smallest sphere lies in the mask.

    Notes
    -----
    Differs from the paper: spheres are sampled finer than the voxels, so that they are spheres in mm on any grid. The
    voxels that no sphere serves are given up.
    """
    settings = settings or VsharpSettings()
    xp = namespace_of(total_field_hz, mask)
    if noise_sd_hz is not None:
        mask = mask & (noise_sd_hz > 0)
    box = box_around(mask, voxel_size_mm, margin_mm=2.0 * settings.max_radius_mm)
    inside = box.crop(mask)
    field = box.crop(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)))
    radii = radii_between(settings.max_radius_mm, voxel_size_mm)
    largest = sphere_kernel(box.shape, voxel_size_mm, radii[0], like=field)
    filtered = xp.zeros_like(field)
    served = xp.zeros_like(inside)
    for number, radius in enumerate(radii, start=1):
        kernel = largest if number == 1 else sphere_kernel(box.shape, voxel_size_mm, radius, like=field)
        here = inside & inside_spheres(inside, kernel, least_share=WHOLE) & ~served
        filtered = xp.where(here, field - convolve(field, kernel), filtered)
        served = served | here
        if on_progress:
            on_progress(number / len(radii))
    if not bool(xp.any(served)):
        raise InputError(
            f"no sphere of {radii[-1]:g} mm lies in the mask; give a thicker mask or a smaller background.max_radius_mm"
        )
    local = deconvolved(filtered, largest, truncation=settings.truncation)
    local = xp.where(served, local, xp.zeros_like(local))
    return LocalField(box.embed(local), box.embed(served), converged=True, iterations=len(radii))
