r"""Laplacian unwrapping: the field whose differences are the wrapped differences, in the least-squares sense.

.. math:: \min_f \sum_{(i,j) \text{ in the mask}} (f_j - f_i - \mathcal W(\hat f_j - \hat f_i))^2
   \quad\Leftrightarrow\quad \nabla^2 f = \nabla \cdot \mathcal W(\nabla \hat f)

Source: Schofield MA, Zhu Y, Opt Lett 2003;28:1194 (doi 10.1364/OL.28.001194); with a mask: Ghiglia DC, Romero LA,
J Opt Soc Am A 1994;11:107 (doi 10.1364/JOSAA.11.000107).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from array_api_compat import device

from napari_msqsm._backend import fft_for, like, namespace_of, to_numpy
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.host.whole_periods import congruent
from napari_msqsm.qsm.stencils import gradient, gradient_adjoint, pairs_inside
from napari_msqsm.qsm.unwrapping.result import Unwrapped
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array

_UNIT = (1.0, 1.0, 1.0)
_UNFINISHED = (
    "Laplacian unwrapping did not converge in {} iterations: whole periods may be wrong; raise "
    "unwrapping.cg_max_iter or choose unwrapping.method=path"
)


class LaplacianSettings(Settings):
    """Laplacian unwrapping, brought back to whole periods."""

    method: Literal["laplacian"] = "laplacian"
    cg_max_iter: int = quantity(200, ge=1, help="Most conjugate-gradient iterations.")
    cg_rtol: float = quantity(
        1e-4, gt=0, help="Relative residual at which the linear system is left: errors far below half a period."
    )


def laplacian(
    wrapped_field_hz: Array,
    *,
    period_hz: float,
    mask: Array,
    settings: LaplacianSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Unwrapped:
    """Unwrap all voxels at once.

    Parameters
    ----------
    wrapped_field_hz
        (X, Y, Z), known up to multiples of ``period_hz``; where it is not finite is outside the mask.
    period_hz
        The field that turns the phase by 2π.
    mask
        (X, Y, Z) bool.
    settings
        Iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Unwrapped
        The field, zero outside the mask, and a warning where conjugate gradients did not converge.

    Notes
    -----
    Differs from the paper: differences are wrapped instead of their sine being taken, and only those inside the mask
    count, so that a field without noise is exact up to its edge; the Fourier solution preconditions conjugate
    gradients; the solution is not used itself but only to choose the whole periods to add to what was measured.
    """
    settings = settings or LaplacianSettings()
    xp = namespace_of(wrapped_field_hz, mask)
    mask = mask & xp.isfinite(wrapped_field_hz)
    field = xp.where(mask, wrapped_field_hz, xp.zeros_like(wrapped_field_hz))
    if not bool(xp.any(mask)):
        return Unwrapped(field)
    box = box_around(mask, _UNIT, margin_mm=1.0)
    pairs = [xp.astype(part, field.dtype) for part in pairs_inside(box.crop(mask))]
    differences = [
        pair * (part - period_hz * xp.round(part / period_hz))
        for pair, part in zip(pairs, gradient(box.crop(field), _UNIT), strict=True)
    ]

    def minus_laplacian(image: Array) -> Array:
        return gradient_adjoint([pair * part for pair, part in zip(pairs, gradient(image, _UNIT), strict=True)], _UNIT)

    solution = conjugate_gradient(
        minus_laplacian,
        gradient_adjoint(differences, _UNIT),
        rtol=settings.cg_rtol,
        max_iter=settings.cg_max_iter,
        precondition=_inverse_laplacian(field, box.shape),
        on_iteration=(lambda i, _: on_progress(i / settings.cg_max_iter)) if on_progress else None,
    )
    smooth = to_numpy(box.embed(solution.x))
    whole = congruent(to_numpy(field), smooth, period_hz=period_hz, mask=to_numpy(mask))
    return Unwrapped(like(whole, field), () if solution.converged else (_UNFINISHED.format(solution.iterations),))


def _inverse_laplacian(template: Array, shape: tuple[int, int, int]) -> Callable[[Array], Array]:
    """Inverse of minus the seven-point Laplacian of a periodic box; its mean, which has none, is left as it is."""
    xp = namespace_of(template)
    fft = fft_for(xp)
    eigenvalue = xp.zeros((1, 1, 1), dtype=template.dtype, device=device(template))
    for axis, n in enumerate(shape):
        count = n // 2 + 1 if axis == 2 else n
        step = xp.arange(count, dtype=template.dtype, device=device(template)) * (2.0 * math.pi / n)
        part = 2.0 - 2.0 * xp.cos(step)
        eigenvalue = eigenvalue + xp.reshape(part, tuple(count if a == axis else 1 for a in range(3)))
    eigenvalue[0, 0, 0] = 1.0

    def apply(image: Array) -> Array:
        return fft.irfftn(fft.rfftn(image) / eigenvalue, s=shape, axes=(0, 1, 2))

    return apply
