"""The objective of MEDI+0, its gradient and its Gauss–Newton operator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.conjugate_gradient import dot
from napari_msqsm.qsm.inversion.variation import gradient_power
from napari_msqsm.qsm.robust import mean_inside, quantile
from napari_msqsm.qsm.stencils import gradient, pairs_inside, weighted_laplacian

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.harmonic_filter import FilteredDipole

_LEAST_POWER_PER_MM2 = 1e-3
"""A wave of 200 mm: keeps the preconditioner finite for the mean of χ, which neither data nor differences determine."""
L1_SMOOTHING = 1e-6
"""ε in √(|∇χ|² + ε), (radians per mm)²."""


def published_edges(
    magnitude: Array, mask: Array, *, voxel_size_mm: tuple[float, float, float], edge_fraction: float
) -> list[Array]:
    """Weights of the three gradient components: 0 on the strongest edges of the masked magnitude, 1 elsewhere.

    Counted as the toolbox counts: so many components of all three directions are edges as ``edge_fraction`` times
    the number of mask voxels, about 30 % of the components at 0.9. The rim of the mask is an edge, too.
    """
    xp = namespace_of(magnitude, mask)
    strength = [
        xp.abs(part)
        for part in gradient(xp.where(mask, magnitude, xp.zeros_like(magnitude)), voxel_size_mm, periodic=True)
    ]
    flat = xp.concat([xp.reshape(part, (-1,)) for part in strength])
    share = edge_fraction * float(xp.sum(xp.astype(mask, magnitude.dtype))) / flat.shape[0]
    threshold = quantile(flat, 1.0 - share)
    return [xp.astype(part <= threshold, magnitude.dtype) for part in strength]


def inner_edges(
    magnitude: Array,
    mask: Array,
    *,
    voxel_size_mm: tuple[float, float, float],
    edge_fraction: float,
    measured: Array | None = None,
) -> list[Array]:
    """Like `published_edges`, counted among the pairs of voxels inside the mask.

    Across the rim of the mask χ may jump where the voxel inside has a field of its own (``measured``, all when not
    given); where it has none, it is tied to its neighbours on either side.
    """
    xp = namespace_of(magnitude, mask)
    strength = [
        xp.abs(part)
        for part in gradient(xp.where(mask, magnitude, xp.zeros_like(magnitude)), voxel_size_mm, periodic=True)
    ]
    inside = pairs_inside(mask)
    flat = xp.concat([part[pair] for part, pair in zip(strength, inside, strict=True)])
    threshold = quantile(flat, 1.0 - edge_fraction / 3.0)
    known = mask if measured is None else mask & measured
    kept = []
    for axis, (part, pair) in enumerate(zip(strength, inside, strict=True)):
        ahead, known_ahead = (xp.roll(image, -1, axis=axis) for image in (mask, known))
        free_rim = (known & ~ahead) | (known_ahead & ~mask)
        kept.append(xp.astype(((part <= threshold) | ~pair) & ~free_rim, magnitude.dtype))
    return kept


@dataclass
class MediProblem:
    """The objective, its gradient and its Gauss–Newton operator; χ and field in radians.

    ``mask`` are the voxels whose field is used; ``edges_kept`` weight the gradient's components. Like the dipole, the
    differences are periodic in the box, so that it does not matter where in the box the head lies.
    """

    field: Array
    model: FilteredDipole
    noise: Array
    mask: Array
    edges_kept: list[Array]
    csf: Array | None
    voxel_size_mm: tuple[float, float, float]
    lambda_data: float
    lambda_csf: float

    def __post_init__(self) -> None:
        self._set_weights()

    def _set_weights(self) -> None:
        xp = namespace_of(self.field)
        usable = self.mask & (self.noise > 0)
        inverse = xp.where(usable, 1.0 / xp.where(usable, self.noise, xp.ones_like(self.noise)), 0.0)
        inverse = xp.astype(inverse, self.field.dtype)
        self.weights = inverse / mean_inside(inverse, self.mask)

    def size(self, chi: Array) -> float:
        """Norm over the voxels whose field is used: outside them χ goes on drifting without any meaning."""
        xp = namespace_of(chi)
        used = xp.where(self.mask, chi, xp.zeros_like(chi))
        return math.sqrt(dot(used, used))

    def objective(self, chi: Array) -> float:
        """Value of the objective."""
        xp = namespace_of(chi)
        phase_error = self.model.forward(chi) - self.field
        data = (2.0 * self.weights * xp.sin(0.5 * phase_error)) ** 2
        edges = sum(
            float(xp.sum(xp.sqrt((kept * part) ** 2 + L1_SMOOTHING) - math.sqrt(L1_SMOOTHING)))
            for kept, part in zip(self.edges_kept, gradient(chi, self.voxel_size_mm, periodic=True), strict=True)
        )
        value = self.lambda_data * float(xp.sum(data)) + edges
        if self.csf is not None:
            spread = self._csf_spread(chi)
            value += 0.5 * self.lambda_csf * dot(spread, spread)
        return value

    def linearised(self, chi: Array) -> tuple[Callable[[Array], Array], Array]:
        """Gauss–Newton operator at χ and minus the gradient of the objective there."""
        xp = namespace_of(chi)
        curvature = self._curvature(chi)
        twice_weights = (2.0 * self.lambda_data) * self.weights**2

        def regularisation(x: Array) -> Array:
            out = weighted_laplacian(x, curvature, self.voxel_size_mm, periodic=True)
            if self.csf is not None:
                fluid = x[self.csf]
                out[self.csf] = out[self.csf] + self.lambda_csf * (fluid - xp.mean(fluid))
            return out

        def normal(x: Array) -> Array:
            field = self.model.forward(x)
            field *= twice_weights
            out = self.model.adjoint(field)
            out += regularisation(x)
            return out

        phase_error = self.model.forward(chi) - self.field
        downhill = -regularisation(chi) - self.model.adjoint(twice_weights * xp.sin(phase_error))
        return normal, downhill

    def preconditioner(self, chi: Array) -> Callable[[Array], Array]:
        """Approximate inverse of the Gauss–Newton operator at χ: a filter, since every weight is replaced by its mean.

        It takes two FFTs.
        """
        xp = namespace_of(chi)
        fft = fft_for(xp)
        squared = self.weights**2
        stiffness = sum(mean_inside(part, self.mask) for part in self._curvature(chi)) / 3.0
        power = gradient_power(chi.shape, self.voxel_size_mm, like=chi)
        data = (2.0 * self.lambda_data * mean_inside(squared, self.mask)) * self.model.mean_power(squared)
        inverse = 1.0 / (data + stiffness * (power + _LEAST_POWER_PER_MM2))

        def precondition(residual: Array) -> Array:
            return fft.irfftn(fft.rfftn(residual, axes=(0, 1, 2)) * inverse, s=residual.shape, axes=(0, 1, 2))

        return precondition

    def discount_outliers(self, chi: Array) -> None:
        """MERIT: raise the noise of voxels whose residual exceeds six standard deviations."""
        xp = namespace_of(chi)
        model = self.model.forward(chi)
        real = self.weights * (xp.cos(model) - xp.cos(self.field))
        imaginary = self.weights * (xp.sin(model) - xp.sin(self.field))
        real = real - mean_inside(real, self.mask)
        imaginary = imaginary - mean_inside(imaginary, self.mask)
        size = xp.sqrt(real**2 + imaginary**2)
        centred = size - mean_inside(size, self.mask)
        limit = 6.0 * math.sqrt(mean_inside(centred**2, self.mask))
        if limit > 0:
            excess = xp.where(size > limit, size / limit, xp.ones_like(size))
            self.noise = xp.where(self.mask, self.noise * excess**2, self.noise)
            self._set_weights()

    def _curvature(self, chi: Array) -> list[Array]:
        """Weights of the squared differences that have the gradient of the smoothed absolute values at χ."""
        xp = namespace_of(chi)
        return [
            kept * kept / xp.sqrt((kept * part) ** 2 + L1_SMOOTHING)
            for kept, part in zip(self.edges_kept, gradient(chi, self.voxel_size_mm, periodic=True), strict=True)
        ]

    def _csf_spread(self, x: Array) -> Array:
        xp = namespace_of(x)
        assert self.csf is not None
        return xp.where(self.csf, x - mean_inside(x, self.csf), xp.zeros_like(x))
