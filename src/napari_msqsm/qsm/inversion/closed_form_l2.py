r"""Closed-form inversion with a squared gradient penalty.

.. math:: \min_\chi\; \lVert D\chi - f \rVert_2^2 + \lambda \lVert \nabla\chi \rVert_2^2 \quad\Rightarrow\quad
   \hat\chi(k) = \frac{D(k) \hat f(k)}{D(k)^2 + \lambda |G(k)|^2}

with D the unit dipole, f the local field and G the periodic forward differences.

Source: Bilgic B et al., J Magn Reson Imaging 2014;40:181 (doi 10.1002/jmri.24365).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.inversion.boxed import boxed_field
from napari_msqsm.qsm.inversion.variation import gradient_power
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.result import Inversion


class ClosedFormL2Settings(Settings):
    """Closed-form L2."""

    method: Literal["l2"] = "l2"
    lambda_gradient: float = quantity(
        0.01,
        gt=0,
        top=True,
        weighs="smoothness",
        unit="mm²",
        help="Weight λ of the squared gradient against the squared misfit; larger is smoother. It is the ratio of "
        "their variances: 0.01 mm² for a field known to 2 ppb and a χ that changes by 20 ppb per mm.",
    )
    margin_mm: float = quantity(
        200.0,
        ge=0,
        unit="mm",
        help="Empty margin around the mask; as wide as the head, because the filter reaches across all of it.",
    )


def closed_form_l2(
    local_field_hz: Array,
    *,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: ClosedFormL2Settings | None = None,
) -> Inversion:
    """Susceptibility by one division in k-space, smooth where the dipole says little.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z); ignored outside the mask.
    mask
        (X, Y, Z) bool.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    settings
        Weight of the gradient.

    Raises
    ------
    InputError
        When the mask is empty.

    Notes
    -----
    λ has the unit mm² (data and gradient are both quadratic in χ), so that neither field strength nor the unit of the
    field changes its meaning; because the differences are per mm, nor does the voxel size.

    Where the dipole vanishes the penalty alone holds χ, and that fades towards long waves: the filter has a long reach,
    and on a narrow grid single samples of k-space near the cone dominate the map. A wide margin samples it finely.

    Differs from the paper: no magnitude weights (they have no closed form), λ is given; `qsm.weight_choice` can
    read it off an L-curve.
    """
    settings = settings or ClosedFormL2Settings()
    boxed = boxed_field(
        local_field_hz,
        mask=mask,
        voxel_size_mm=voxel_size_mm,
        b0_direction=b0_direction,
        hz_per_ppm=hz_per_ppm,
        margin_mm=settings.margin_mm,
    )
    xp = namespace_of(boxed.field_ppm)
    power = gradient_power(boxed.box.shape, voxel_size_mm, like=boxed.field_ppm)
    denominator = boxed.dipole**2 + settings.lambda_gradient * power
    inverse = boxed.dipole / xp.where(denominator > 0, denominator, xp.ones_like(denominator))
    return boxed.inversion(convolve(boxed.field_ppm, inverse))
