r"""MEDI and MEDI+0: morphology-enabled dipole inversion with a uniform cerebrospinal fluid.

.. math::

   \min_\chi\; \lambda \lVert W (e^{i D\chi} - e^{i f}) \rVert_2^2 + \lVert M_G \nabla \chi \rVert_1
   + \tfrac{1}{2}\lambda_{CSF} \lVert M_{CSF} (\chi - \overline{\chi}_{CSF}) \rVert_2^2

with χ and the local field f in radians per echo spacing, D the unit dipole, W the noise weights (mean 1 in the mask),
M_G zero on the strongest edges of the magnitude.

Source: Liu J et al., NeuroImage 2012;59:2560 (doi 10.1016/j.neuroimage.2011.08.082); Liu T et al., MRM 2013;69:467
(doi 10.1002/mrm.24272; non-linear data term and MERIT); Liu Z et al., MRM 2018;79:2795 (doi 10.1002/mrm.26946; MEDI+0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient, dot
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.qsm.robust import mean_inside, quantile
from napari_msqsm.qsm.spherical_mean import inside_spheres, sphere_kernel
from napari_msqsm.qsm.stencils import gradient, gradient_adjoint
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.box import Box

_L1_SMOOTHING = 1e-6
"""ε in √(|∇χ|² + ε), (radians per echo spacing per mm)²."""


class MediSettings(Settings):
    """MEDI+0 with the published defaults."""

    method: Literal["medi"] = "medi"
    lambda_data: float = quantity(
        1000.0,
        gt=0,
        top=True,
        help="Weight λ of the data term, for phase in radians per echo spacing.",
        source="doi 10.1002/mrm.26946",
    )
    lambda_csf: float = quantity(
        100.0, ge=0, top=True, help="Weight of the uniform-CSF term; 0 is plain MEDI.", source="doi 10.1002/mrm.26946"
    )
    edge_fraction: float = quantity(
        0.9,
        gt=0,
        lt=1,
        help="Edges left unregularised: components of the magnitude's gradient in all three directions, "
        "as a fraction of the number of mask voxels.",
        source="doi 10.1016/j.neuroimage.2011.08.082",
    )
    merit: bool = quantity(
        True, help="Lower the weight of voxels whose residual is an outlier (MERIT).", source="doi 10.1002/mrm.24272"
    )
    max_outer: int = quantity(10, ge=1, help="Most Gauss–Newton steps.", source="doi 10.1002/mrm.24272")
    outer_rtol: float = quantity(0.1, gt=0, help="Stop when a step changes χ by less than this part of its norm.")
    cg_max_iter: int = quantity(100, ge=1, help="Most conjugate-gradient iterations in each step.")
    cg_rtol: float = quantity(0.01, gt=0, help="Relative residual at which each linear system is left.")
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Empty margin around the mask that keeps periodic copies of the head apart."
    )


def medi(
    local_field_hz: Array,
    *,
    magnitude: Array,
    noise_sd_hz: Array,
    mask: Array,
    csf_mask: Array | None,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    echo_spacing_s: float,
    smv_radius_mm: float = 0.0,
    settings: MediSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Inversion:
    """Susceptibility from the local field.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z); ignored outside the mask.
    magnitude
        (X, Y, Z); its edges say where χ may jump.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, of any common scale.
    mask
        (X, Y, Z) bool.
    csf_mask
        (X, Y, Z) bool, voxels of uniform χ; ``None`` or empty leaves that term out.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    echo_spacing_s
        ΔTE that turns the field into radians; the unit in which λ is defined.
    smv_radius_mm
        Radius of the spherical-mean-value filter that takes what is left of the background field out of the field, the
        dipole and the noise alike; the mask loses a rim of this width. 0 is off.
    settings
        The published ones when not given.
    on_progress
        Called with the fraction done; may raise to stop.

    Notes
    -----
    Differs from the toolbox: the image is cut to the mask plus a margin, odd sizes and oblique B0 use a symmetric
    kernel, the objective is reported.
    """
    settings = settings or MediSettings()
    xp = namespace_of(local_field_hz, mask)
    radians_per_ppm = 2.0 * math.pi * echo_spacing_s * hz_per_ppm
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm)
    inside = box.crop(mask)
    field = box.crop(local_field_hz * (2.0 * math.pi * echo_spacing_s))
    kernel = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    noise = box.crop(noise_sd_hz)
    if smv_radius_mm > 0:
        sphere = sphere_kernel(box.shape, voxel_size_mm, smv_radius_mm, like=field)
        field = xp.where(inside, field, xp.zeros_like(field))
        field = field - convolve(field, sphere)
        inside = inside_spheres(inside, sphere)
        if not bool(xp.any(inside)):
            raise InputError(
                f"no voxel lies {smv_radius_mm:g} mm inside the mask; lower residual_background.smv_radius_mm"
            )
        kernel = kernel * (1.0 - sphere)
        spread = convolve(noise * noise, sphere)
        noise = xp.sqrt(xp.where(spread > 0, spread, xp.zeros_like(spread)) + noise * noise)
    problem = MediProblem(
        field=xp.where(inside, field, xp.zeros_like(field)),
        kernel=kernel,
        noise=noise,
        mask=inside,
        edges_kept=edge_weights(
            box.crop(magnitude), inside, voxel_size_mm=voxel_size_mm, edge_fraction=settings.edge_fraction
        ),
        csf=_usable_csf(csf_mask, box, inside) if settings.lambda_csf > 0 else None,
        voxel_size_mm=voxel_size_mm,
        lambda_data=settings.lambda_data,
        lambda_csf=settings.lambda_csf,
    )
    chi, history = _gauss_newton(problem, settings, on_progress)
    chi = xp.where(inside, chi, xp.zeros_like(chi)) / radians_per_ppm
    return Inversion(box.embed(chi), box.embed(inside), *history)


def _usable_csf(csf_mask: Array | None, box: Box, inside: Array) -> Array | None:
    xp = namespace_of(inside)
    if csf_mask is None:
        return None
    csf = box.crop(csf_mask) & inside
    return csf if bool(xp.any(csf)) else None


def edge_weights(
    magnitude: Array, mask: Array, *, voxel_size_mm: tuple[float, float, float], edge_fraction: float
) -> list[Array]:
    """Weights of the three gradient components: 0 on the strongest edges of the magnitude, 1 elsewhere.

    Counted as the toolbox counts: so many components of all three directions are edges as ``edge_fraction`` times
    the number of mask voxels, about 30 % of the components at 0.9.
    """
    xp = namespace_of(magnitude, mask)
    strength = [xp.abs(part) for part in gradient(xp.where(mask, magnitude, xp.zeros_like(magnitude)), voxel_size_mm)]
    flat = xp.concat([xp.reshape(part, (-1,)) for part in strength])
    share = edge_fraction * float(xp.sum(xp.astype(mask, magnitude.dtype))) / flat.shape[0]
    threshold = quantile(flat, 1.0 - share)
    return [xp.astype(part <= threshold, magnitude.dtype) for part in strength]


@dataclass
class MediProblem:
    """The objective, its gradient and its Gauss–Newton operator; χ in radians per echo spacing."""

    field: Array
    kernel: Array
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

    def objective(self, chi: Array) -> float:
        """Value of the objective."""
        xp = namespace_of(chi)
        phase_error = convolve(chi, self.kernel) - self.field
        data = (2.0 * self.weights * xp.sin(0.5 * phase_error)) ** 2
        edges = sum(
            float(xp.sum(xp.sqrt((kept * part) ** 2 + _L1_SMOOTHING) - math.sqrt(_L1_SMOOTHING)))
            for kept, part in zip(self.edges_kept, gradient(chi, self.voxel_size_mm), strict=True)
        )
        value = self.lambda_data * float(xp.sum(data)) + edges
        if self.csf is not None:
            spread = self._csf_spread(chi)
            value += 0.5 * self.lambda_csf * dot(spread, spread)
        return value

    def linearised(self, chi: Array) -> tuple[Callable[[Array], Array], Array]:
        """Gauss–Newton operator at χ and minus the gradient of the objective there."""
        xp = namespace_of(chi)
        curvature = [
            kept * kept / xp.sqrt((kept * part) ** 2 + _L1_SMOOTHING)
            for kept, part in zip(self.edges_kept, gradient(chi, self.voxel_size_mm), strict=True)
        ]
        twice_weights = (2.0 * self.lambda_data) * self.weights**2

        def regularisation(x: Array) -> Array:
            parts = gradient(x, self.voxel_size_mm)
            for part, weight in zip(parts, curvature, strict=True):
                part *= weight
            out = gradient_adjoint(parts, self.voxel_size_mm)
            if self.csf is not None:
                out += self.lambda_csf * self._csf_spread(x)
            return out

        def normal(x: Array) -> Array:
            return convolve(twice_weights * convolve(x, self.kernel), self.kernel) + regularisation(x)

        phase_error = convolve(chi, self.kernel) - self.field
        downhill = -regularisation(chi) - convolve(twice_weights * xp.sin(phase_error), self.kernel)
        return normal, downhill

    def discount_outliers(self, chi: Array) -> None:
        """MERIT: raise the noise of voxels whose residual exceeds six standard deviations."""
        xp = namespace_of(chi)
        model = convolve(chi, self.kernel)
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

    def _csf_spread(self, x: Array) -> Array:
        xp = namespace_of(x)
        assert self.csf is not None
        return xp.where(self.csf, x - mean_inside(x, self.csf), xp.zeros_like(x))


History = tuple[bool, tuple[float, ...], tuple[int, ...], tuple[float, ...]]


def _gauss_newton(
    problem: MediProblem, settings: MediSettings, on_progress: Callable[[float], None] | None
) -> tuple[Array, History]:
    xp = namespace_of(problem.field)
    chi = xp.zeros_like(problem.field)
    changes: list[float] = []
    iterations: list[int] = []
    objective = [problem.objective(chi)]
    for outer in range(settings.max_outer):
        normal, downhill = problem.linearised(chi)
        step = conjugate_gradient(
            normal,
            downhill,
            rtol=settings.cg_rtol,
            max_iter=settings.cg_max_iter,
            on_iteration=_progress(on_progress, outer, settings),
        )
        size = math.sqrt(dot(chi, chi))
        chi = chi + step.x
        iterations.append(step.iterations)
        changes.append(math.sqrt(dot(step.x, step.x)) / size if size > 0 else math.inf)
        objective.append(problem.objective(chi))
        if changes[-1] < settings.outer_rtol:
            break
        if settings.merit:
            problem.discount_outliers(chi)
    return chi, (changes[-1] < settings.outer_rtol, tuple(changes), tuple(iterations), tuple(objective))


def _progress(
    on_progress: Callable[[float], None] | None, outer: int, settings: MediSettings
) -> Callable[[int, float], None] | None:
    """Fraction done: steps so far of the most allowed, slowed within a step by its linear iterations."""
    if on_progress is None:
        return None

    def report(iteration: int, _: float) -> None:
        on_progress((outer + min(1.0, iteration / settings.cg_max_iter)) / settings.max_outer)

    return report
