r"""iLSQR: least squares whose streaks are estimated inside the cone of the dipole and removed.

1. Least squares, left early: :math:`\min_\chi \lVert W_I (D\chi - f) \rVert_2^2`, with W_I lower where the field is
   rough; outside the mask the field counts as zero.
2. A quick estimate that shows where the edges are: the field with the sign of the dipole, smoothed near the cone and
   scaled to thresholded k-space division.
3. Streaks: what lies in the cone and makes gradients where the quick estimate has none,
   :math:`\min_s \lVert W_G \nabla (\chi - s) \rVert_2^2` over all s with :math:`\hat s(k) = 0` where :math:`|D| \ge t`.
4. χ − s.

Source: Li W et al., NeuroImage 2015;108:111 (doi 10.1016/j.neuroimage.2014.12.043).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient, dot
from napari_msqsm.qsm.dipole import convolve
from napari_msqsm.qsm.inversion.boxed import boxed_field
from napari_msqsm.qsm.inversion.variation import gradient_power
from napari_msqsm.qsm.robust import mean_inside, quantile
from napari_msqsm.qsm.spherical_mean import sphere_kernel
from napari_msqsm.qsm.stencils import gradient, gradient_adjoint, pairs_inside
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.boxed import BoxedField
    from napari_msqsm.qsm.inversion.result import Inversion

_ROUGH = (0.6, 0.999)
"""Quantiles of the field's Laplacian between which the data weights fall from 1 to 0 (the paper's equation 7)."""
_EDGE = (0.5, 0.7)
"""Quantiles of the quick estimate's gradient between which the edge weights fall from 1 to 0 (equation 15)."""
_NEAR_CONE = (0.01, 0.3)
"""Quantiles of ln |D| between which the quick estimate passes from its smoothed to its own k-space (equation 10)."""
_SMOOTHING_MM = 3.0
_DIVISION_THRESHOLD = 1.0 / 8.0
_SMALLEST_DIPOLE = 1e-6


class IlsqrSettings(Settings):
    """Least squares with its streaks removed (iLSQR)."""

    method: Literal["ilsqr"] = "ilsqr"
    cone: float = quantity(
        0.1,
        gt=0,
        lt=1.0 / 3.0,
        top=True,
        help="Largest |D| of the part of k-space in which streaks are looked for.",
        source="doi 10.1016/j.neuroimage.2014.12.043",
    )
    cg_rtol: float = quantity(
        0.01,
        gt=0,
        lt=1,
        help="Relative residual at which both linear systems are left; smaller lets more noise in.",
        source="doi 10.1016/j.neuroimage.2014.12.043",
    )
    cg_max_iter: int = quantity(100, ge=1, help="Most iterations of each linear system.")
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Empty margin around the mask that keeps periodic copies of the head apart."
    )


def ilsqr(
    local_field_hz: Array,
    *,
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: IlsqrSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Inversion:
    """Susceptibility by least squares from the local field, less the streaks found in the cone.

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
        Width of the cone and stopping rules.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Inversion
        ``cg_iterations`` of the two linear systems; ``converged`` when both reached their tolerance;
        ``outer_changes`` is the one number ‖streaks‖ / ‖χ‖ in the mask.

    Raises
    ------
    InputError
        When the mask is empty.

    Notes
    -----
    The weights depend on ranks only, so that the map is linear in the scale of the field.

    Differs from the paper: conjugate gradients on the weighted normal equations; the limit n → 0 of its weights |D|ⁿ;
    χ of the first step is not masked before streaks are looked for (cut at the mask they would no longer lie in the
    cone), with the outside counting as free of edges; the second system is preconditioned by 1 / |G(k)|².
    """
    settings = settings or IlsqrSettings()
    boxed = boxed_field(
        local_field_hz,
        mask=mask,
        voxel_size_mm=voxel_size_mm,
        b0_direction=b0_direction,
        hz_per_ppm=hz_per_ppm,
        margin_mm=settings.margin_mm,
    )
    xp = namespace_of(boxed.field_ppm)
    dipole = boxed.dipole
    weights = _data_weights(boxed, voxel_size_mm)
    first = conjugate_gradient(
        lambda x: convolve(weights * convolve(x, dipole), dipole),
        convolve(weights * boxed.field_ppm, dipole),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        on_iteration=_half(on_progress, 0.0, settings),
    )
    kept = _edge_weights(_quick_estimate(boxed, voxel_size_mm), boxed.inside, voxel_size_mm)
    cone = xp.astype(xp.abs(dipole) < settings.cone, dipole.dtype)
    power = gradient_power(boxed.box.shape, voxel_size_mm, like=dipole)
    rough = cone / xp.where(power > 0, power, xp.ones_like(power))

    def in_cone(x: Array) -> Array:
        slopes = gradient(x, voxel_size_mm, periodic=True)
        weighted = [weight**2 * slope for weight, slope in zip(kept, slopes, strict=True)]
        return convolve(gradient_adjoint(weighted, voxel_size_mm, periodic=True), cone)

    streaks = conjugate_gradient(
        in_cone,
        in_cone(first.x),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        precondition=lambda x: convolve(x, rough),
        on_iteration=_half(on_progress, 0.5, settings),
    )
    chi = first.x - streaks.x
    zero = xp.zeros_like(chi)
    removed, left = xp.where(boxed.inside, streaks.x, zero), xp.where(boxed.inside, chi, zero)
    size = dot(left, left)
    done = first.converged and streaks.converged
    return boxed.inversion(
        chi,
        converged=done,
        cg_converged=done,
        cg_iterations=(first.iterations, streaks.iterations),
        outer_changes=(math.sqrt(dot(removed, removed) / size) if size > 0 else 0.0,),
    )


def _data_weights(boxed: BoxedField, voxel_size_mm: tuple[float, float, float]) -> Array:
    """1 where the field is smooth or unknown, falling to 0 where its Laplacian (of pairs inside the mask) is large."""
    xp = namespace_of(boxed.field_ppm)
    slopes = gradient(boxed.field_ppm, voxel_size_mm, periodic=True)
    inner = [xp.where(pair, slope, 0.0) for pair, slope in zip(pairs_inside(boxed.inside), slopes, strict=True)]
    laplacian = xp.abs(gradient_adjoint(inner, voxel_size_mm, periodic=True))
    falling = _falling(laplacian, laplacian[boxed.inside], _ROUGH)
    return xp.where(boxed.inside, falling, xp.ones_like(falling))


def _quick_estimate(boxed: BoxedField, voxel_size_mm: tuple[float, float, float]) -> Array:
    """χ with the field's own k-space and the dipole's sign (equations 8 to 14); zero outside the mask."""
    xp = namespace_of(boxed.field_ppm)
    inside, zero = boxed.inside, xp.zeros_like(boxed.field_ppm)
    size, sign = xp.abs(boxed.dipole), xp.sign(boxed.dipole)
    level = xp.log(xp.where(size > _SMALLEST_DIPOLE, size, xp.full_like(size, _SMALLEST_DIPOLE)))
    mirrored = level[:, :, 1 : (boxed.box.shape[2] + 1) // 2]  # the half of the spectrum that is not stored
    spectrum = xp.concat([xp.reshape(part, (-1,)) for part in (level, mirrored)])
    own = 1.0 - _falling(level, spectrum, _NEAR_CONE)
    smooth = own + (1.0 - own) * sphere_kernel(boxed.box.shape, voxel_size_mm, _SMOOTHING_MM, like=zero)
    quick = xp.where(inside, convolve(boxed.field_ppm, sign * smooth), zero)
    quick = xp.where(inside, convolve(quick, smooth), zero)
    floor = xp.where(size < _DIVISION_THRESHOLD, xp.full_like(size, _DIVISION_THRESHOLD), size)
    divided = xp.where(inside, convolve(boxed.field_ppm, sign / floor), zero)
    centred = xp.where(inside, quick - mean_inside(quick, inside), zero)
    spread = dot(centred, centred)
    slope = dot(centred, divided) / spread if spread > 0 else 1.0
    return xp.where(inside, slope * centred + mean_inside(divided, inside), zero)


def _edge_weights(estimate: Array, mask: Array, voxel_size_mm: tuple[float, float, float]) -> list[Array]:
    """1 where the estimate is flat, falling to 0 at its edges, the rim of the mask among them; a component each."""
    xp = namespace_of(estimate, mask)
    strengths = [xp.abs(slope) for slope in gradient(estimate, voxel_size_mm, periodic=True)]
    return [_falling(part, part[pair], _EDGE) for part, pair in zip(strengths, pairs_inside(mask), strict=True)]


def _falling(values: Array, sample: Array, quantiles: tuple[float, float]) -> Array:
    """1 up to the first quantile of ``sample``, 0 from the second on, linear in between."""
    xp = namespace_of(values)
    low, high = (quantile(sample, q) for q in quantiles) if sample.shape[0] else (0.0, 0.0)
    if not high > low:
        return xp.astype(values <= low, values.dtype)
    return xp.clip((high - values) / (high - low), 0.0, 1.0)


def _half(
    on_progress: Callable[[float], None] | None, start: float, settings: IlsqrSettings
) -> Callable[[int, float], None] | None:
    """Progress within one of the two linear systems."""
    if on_progress is None:
        return None
    return lambda iteration, _: on_progress(start + 0.5 * min(1.0, iteration / settings.cg_max_iter))
