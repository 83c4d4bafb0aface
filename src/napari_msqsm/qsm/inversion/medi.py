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
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.residual import with_rim
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.conjugate_gradient import conjugate_gradient
from napari_msqsm.qsm.dipole import dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole, harmonic_filter
from napari_msqsm.qsm.inversion.medi_problem import MediProblem, inner_edges, published_edges
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.background.residual import ResidualBackgroundSettings
    from napari_msqsm.qsm.box import Box

_SCALE_S = 0.0041
_SCALE_HZ_PER_PPM = 127.73
"""What makes λ on the ppm scale equal to the published one at 3 T and an echo spacing of 4.1 ms."""


_USABLE_RESIDUAL = 0.1
"""A linear system left farther from its solution makes a step whose size says nothing about convergence."""
_WITHOUT_CSF = "no ventricular CSF was found: MEDI ran without the uniform-CSF term (+0)"


class MediSettings(Settings):
    """MEDI+0 with the published defaults."""

    method: Literal["medi"] = "medi"
    lambda_data: float = quantity(
        1000.0,
        gt=0,
        top=True,
        weighs="data",
        help="Weight λ of the data term, see phase_scale.",
        source="doi 10.1002/mrm.26946",
    )
    lambda_csf: float = quantity(
        100.0, ge=0, top=True, help="Weight of the uniform-CSF term; 0 is plain MEDI.", source="doi 10.1002/mrm.26946"
    )
    edge_fraction: float = quantity(
        0.9,
        gt=0,
        lt=3,
        help="Edges left unregularised: components of the magnitude's gradient in all three directions, "
        "as a fraction of the number of mask voxels.",
        source="doi 10.1016/j.neuroimage.2011.08.082",
    )
    merit: bool = quantity(
        True, help="Lower the weight of voxels whose residual is an outlier (MERIT).", source="doi 10.1002/mrm.24272"
    )
    edges: Literal["published", "inside"] = quantity(
        "published",
        help="Where edges are counted: of the masked magnitude, so that the mask's rim is one (published), or among "
        "pairs of voxels inside the mask, with the rim regularised where it has no field (inside).",
    )
    phase_scale: Literal["echo-spacing", "ppm"] = quantity(
        "echo-spacing",
        help="Unit in which λ is defined: radians per echo spacing (published), which weights echo trains of 4.1 and "
        "4.8 ms differently, or ppm, which does not depend on the scanner (equal at 3 T and 4.1 ms).",
    )
    max_outer: int = quantity(10, ge=1, help="Most Gauss–Newton steps.", source="doi 10.1002/mrm.24272")
    outer_rtol: float = quantity(
        0.1, gt=0, help="Stop when a step changes χ, where there is a field, by less than this part of its norm."
    )
    cg_max_iter: int = quantity(100, ge=1, help="Most conjugate-gradient iterations in each step.")
    cg_rtol: float = quantity(0.01, gt=0, help="Relative residual at which each linear system is left.")
    precondition: bool = quantity(
        False,
        help="Precondition the linear systems by the operator with uniform weights: fewer iterations, same objective.",
    )
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
    residual_background: ResidualBackgroundSettings | None = None,
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
    residual_background
        How what is left of the background field is filtered out of field, dipole and noise alike; not at all when not
        given. The mask may lose voxels of its rim that the filter
        leaves without a field.
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
    radians_per_hz = 2.0 * math.pi * (echo_spacing_s if settings.phase_scale == "echo-spacing" else _SCALE_S)
    if settings.phase_scale == "ppm":
        radians_per_hz *= _SCALE_HZ_PER_PPM / hz_per_ppm
    radii = residual_background.smv_radii_mm if residual_background is not None else ()
    box = box_around(mask, voxel_size_mm, margin_mm=max(settings.margin_mm, *radii, 0.0))
    inside = box.crop(mask)
    field = box.crop(xp.where(mask, local_field_hz, xp.zeros_like(local_field_hz)) * radians_per_hz)
    noise = box.crop(noise_sd_hz)
    measured, kept, harmonic = inside & (noise > 0), inside, None
    if residual_background is not None and radii:
        harmonic = harmonic_filter(
            inside if residual_background.rim == "drop" else measured,
            voxel_size_mm,
            radii_mm=residual_background.smv_radii_mm,
            neighbours_at_edge=residual_background.neighbours_at_edge,
            like=field,
        )
        if not harmonic.kernels:
            raise InputError(
                f"no sphere of residual_background.smv_radii_mm = {residual_background.smv_radii_mm} fits into the "
                "mask; lower the radii or give a larger mask"
            )
        field, noise, covered = harmonic.apply(field), harmonic.noise(noise), harmonic.covered
        measured = measured & covered
        kept = with_rim(covered, inside, residual_background.rim)
        inside = covered if residual_background.rim == "drop" else inside
    dipole = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    image, fraction = box.crop(magnitude), settings.edge_fraction
    if settings.edges == "published":
        edges_kept = published_edges(image, inside, voxel_size_mm=voxel_size_mm, edge_fraction=fraction)
    else:
        edges_kept = inner_edges(image, inside, voxel_size_mm=voxel_size_mm, edge_fraction=fraction, measured=measured)
    problem = MediProblem(
        field=xp.where(measured, field, xp.zeros_like(field)),
        model=FilteredDipole(dipole, harmonic),
        noise=noise,
        mask=measured,
        edges_kept=edges_kept,
        csf=_usable_csf(csf_mask, box, inside) if settings.lambda_csf > 0 else None,
        voxel_size_mm=voxel_size_mm,
        lambda_data=settings.lambda_data,
        lambda_csf=settings.lambda_csf,
    )
    chi, history = _gauss_newton(problem, settings, on_progress)
    chi = xp.where(kept, chi, xp.zeros_like(chi)) / (radians_per_hz * hz_per_ppm)
    without_csf = settings.lambda_csf > 0 and problem.csf is None
    return Inversion(box.embed(chi), box.embed(kept), *history, warnings=(_WITHOUT_CSF,) if without_csf else ())


def _usable_csf(csf_mask: Array | None, box: Box, inside: Array) -> Array | None:
    xp = namespace_of(inside)
    if csf_mask is None:
        return None
    csf = box.crop(csf_mask) & inside
    return csf if bool(xp.any(csf)) else None


History = tuple[bool, tuple[float, ...], tuple[int, ...], tuple[float, ...], bool]


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
            precondition=problem.preconditioner(chi) if settings.precondition else None,
            on_iteration=_progress(on_progress, outer, settings),
        )
        size = problem.size(chi)
        chi = chi + step.x
        iterations.append(step.iterations)
        moved = problem.size(step.x)
        changes.append(moved / size if size > 0 else math.inf if moved > 0 else 0.0)
        objective.append(problem.objective(chi))
        if changes[-1] < settings.outer_rtol:
            break
        if settings.merit:
            problem.discount_outliers(chi)
    done = changes[-1] < settings.outer_rtol and step.residuals[-1] <= max(settings.cg_rtol, _USABLE_RESIDUAL)
    return chi, (done, tuple(changes), tuple(iterations), tuple(objective), step.converged)


def _progress(
    on_progress: Callable[[float], None] | None, outer: int, settings: MediSettings
) -> Callable[[int, float], None] | None:
    """Fraction done: steps so far of the most allowed, slowed within a step by its linear iterations."""
    if on_progress is None:
        return None

    def report(iteration: int, _: float) -> None:
        on_progress((outer + min(1.0, iteration / settings.cg_max_iter)) / settings.max_outer)

    return report
