r"""TFI: preconditioned total-field inversion, sources inside and outside the brain at once.

.. math::

   \min_{\chi, \beta}\; \lambda \lVert W (e^{i D(\chi + \beta)} - e^{i f'}) \rVert_2^2 + \lVert M_G \nabla \chi \rVert_1
   + \tfrac{1}{2}\lambda_{CSF} \lVert M_{CSF} (\chi - \overline{\chi}_{CSF}) \rVert_2^2
   + \lambda \sigma^2 \lVert \beta / p \rVert_2^2 + \lambda \sigma^2 \lVert M_R \chi / q \rVert_2^2, \qquad f' = f - f_H

with χ in the mask, β around it, D the unit dipole, W the noise weights (mean 1 in the mask), σ a constant, the usual
noise, p and q the expected sizes of β and χ; M_G is zero on the strongest edges of the magnitude and between mask
and surrounding; M_R is the outermost layer of the mask, whose field that of β beside it resembles, so that only their
sizes tell them apart. f_H is the harmonic extension of the total field from the mask's edge (`lbv`, fourth order): no
source inside is in it, and β is then as weak as what the local field at the edge makes of it, whatever air and bone lie
beyond the box. The local field is f' − D β: on the edge it is free, and the whole mask keeps a χ. χ, β and the fields
are in radians at 3 T and 4.1 ms, in which λ has its published size on any scanner (see ``phase_scale`` of `medi`).

The linear systems are preconditioned: χ by MEDI's filter, β by one factor.

Source: Liu Z et al., Magn Reson Med 2017;78:303 (doi 10.1002/mrm.26331; one inversion of the total field,
preconditioned); Liu Z et al., Magn Reson Med 2018;79:2795 (doi 10.1002/mrm.26946; +0).
Differs from the paper: f_H is taken away first; the size of β is a term of the objective instead of the point at which
the iteration stops, so that the converged solution is the wanted one; β has no edges; M_R is this program's own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.laplacian import has_neighbours
from napari_msqsm.qsm.background.lbv import lbv
from napari_msqsm.qsm.background.wiener import EXTENSION, with_measured_edge
from napari_msqsm.qsm.box import box_around
from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.harmonic_filter import FilteredDipole
from napari_msqsm.qsm.inversion.medi_problem import MediProblem, inner_edges
from napari_msqsm.qsm.inversion.result import Inversion
from napari_msqsm.qsm.inversion.tfi_problem import TotalFieldProblem, gauss_newton
from napari_msqsm.qsm.robust import any_of
from napari_msqsm.qsm.stencils import pairs_inside
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array

_RADIANS_PER_PPM = 2.0 * math.pi * 0.0041 * 127.73
"""Phase of 1 ppm at 3 T and 4.1 ms: the unit in which λ is defined."""

_SHARE_OF_EXTENSION = 0.1
_UNFINISHED_EXTENSION = "the harmonic extension of the field was left before its tolerance"
_WITHOUT_CSF = "no ventricular CSF was found: TFI ran without the uniform-CSF term (+0)"


class TfiSettings(Settings):
    """Total-field inversion; needs background.method none."""

    method: Literal["tfi"] = "tfi"
    lambda_data: float = quantity(
        1000.0,
        gt=0,
        top=True,
        help="Weight λ of the data term, of phases at 3 T and 4.1 ms.",
        source="doi 10.1002/mrm.26946",
    )
    lambda_csf: float = quantity(
        100.0, ge=0, top=True, help="Weight of the uniform-CSF term; 0 leaves it out.", source="doi 10.1002/mrm.26946"
    )
    outside_sd_ppm: float = quantity(
        0.3,
        gt=0,
        unit="ppm",
        top=True,
        help="Expected size p of the sources around the mask that harmonic extension leaves. Smaller leaves background "
        "in the map, larger takes slow parts of the map away.",
        source="venous blood of the sinuses, which lie right outside",
    )
    brain_sd_ppm: float = quantity(
        0.03, gt=0, unit="ppm", help="Expected size q of χ, for the outermost layer of the mask."
    )
    noise_ppm: float = quantity(
        1e-3,
        gt=0,
        unit="ppm",
        help="Misfit σ that counts as much as a source of the expected size; a constant as λ is, so that only the "
        "pattern of the noise map matters.",
        source="typical noise of the field at 3 T",
    )
    edge_fraction: float = quantity(
        0.9,
        gt=0,
        lt=3,
        help="Edges left unregularised, as a fraction of the number of mask voxels; see inversion medi.",
        source="doi 10.1016/j.neuroimage.2011.08.082",
    )
    merit: bool = quantity(
        True, help="Lower the weight of voxels whose residual is an outlier (MERIT).", source="doi 10.1002/mrm.24272"
    )
    max_outer: int = quantity(10, ge=1, help="Most Gauss–Newton steps.", source="doi 10.1002/mrm.24272")
    outer_rtol: float = quantity(0.05, gt=0, help="Stop when a step changes χ by less than this part of its norm.")
    cg_max_iter: int = quantity(300, ge=1, help="Most conjugate-gradient iterations in each step.")
    cg_rtol: float = quantity(
        0.1, gt=0, help="Relative residual at which each linear system is left; the next one has better weights."
    )
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Room around the mask, both sides together, in which sources may lie."
    )


def tfi(
    total_field_hz: Array,
    *,
    magnitude: Array,
    noise_sd_hz: Array,
    mask: Array,
    csf_mask: Array | None,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    background_removed: bool = False,
    settings: TfiSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Inversion:
    """Susceptibility from the total field.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z); ignored outside the mask.
    magnitude
        (X, Y, Z); its edges say where χ may jump.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, of any common scale; 0 where it was not measured.
    mask
        (X, Y, Z) bool; all of it gets a χ.
    csf_mask
        (X, Y, Z) bool, voxels of uniform χ; ``None`` or empty leaves that term out.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    background_removed
        The field is a local one: nothing is taken away and there are no sources outside, as in `medi` with
        ``edges="inside"`` and ``phase_scale="ppm"``.
    settings
        Weights, sizes, iteration limits.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Inversion
        With ``local_field_hz``, the field less that of the sources found outside; where none was measured, the field
        of χ.

    Raises
    ------
    InputError
        When no voxel of the mask was measured, or the mask has no interior.
    """
    settings = settings or TfiSettings()
    xp = namespace_of(total_field_hz, mask)
    report = on_progress or (lambda _: None)
    measured = mask & (noise_sd_hz > 0)
    if not any_of(measured):
        raise InputError("noise_sd_hz is zero in the whole mask; give the field's standard deviation in Hz there")
    field_ppm = xp.where(measured, total_field_hz, xp.zeros_like(total_field_hz)) * (1.0 / hz_per_ppm)
    warnings: tuple[str, ...] = ()
    extended = True
    if not background_removed:
        extension = lbv(
            field_ppm,
            mask=with_measured_edge(mask, measured),
            voxel_size_mm=voxel_size_mm,
            settings=EXTENSION,
            on_progress=lambda done: report(_SHARE_OF_EXTENSION * done),
        )
        field_ppm, extended = extension.field_hz, extension.converged
        warnings += () if extended else (_UNFINISHED_EXTENSION,)
    box = box_around(mask, voxel_size_mm, margin_mm=settings.margin_mm)
    inside, measured = box.crop(mask), box.crop(measured)
    nothing = xp.zeros_like(box.crop(field_ppm))
    field = xp.where(measured, box.crop(field_ppm), nothing) * _RADIANS_PER_PPM
    dipole = dipole_kernel(box.shape, voxel_size_mm, b0_direction, like=field)
    edges = inner_edges(box.crop(magnitude), inside, voxel_size_mm=voxel_size_mm, edge_fraction=settings.edge_fraction)
    if not background_removed:
        edges = [xp.where(pair, kept, nothing) for kept, pair in zip(edges, pairs_inside(inside), strict=True)]
    csf = None if csf_mask is None or settings.lambda_csf == 0 else box.crop(csf_mask) & inside
    if settings.lambda_csf > 0 and (csf is None or not any_of(csf)):
        csf, warnings = None, (*warnings, _WITHOUT_CSF)
    medi = MediProblem(
        field=field,
        model=FilteredDipole(dipole, None),
        noise=box.crop(noise_sd_hz),
        mask=measured,
        edges_kept=edges,
        csf=csf,
        voxel_size_mm=voxel_size_mm,
        lambda_data=settings.lambda_data,
        lambda_csf=settings.lambda_csf,
    )
    problem = TotalFieldProblem(
        medi,
        inside,
        ridge=nothing if background_removed else _ridge(inside, nothing, settings),
        sources_outside=not background_removed,
    )
    begun = 0.0 if background_removed else _SHARE_OF_EXTENSION
    sources, history = gauss_newton(
        problem,
        max_outer=settings.max_outer,
        outer_rtol=settings.outer_rtol,
        cg_max_iter=settings.cg_max_iter,
        cg_rtol=settings.cg_rtol,
        merit=settings.merit,
        report=lambda done: report(begun + (1.0 - begun) * done),
    )
    chi = xp.where(inside, sources, nothing)
    local = field if background_removed else field - convolve(sources - chi, dipole)
    local = xp.where(measured, local, xp.where(inside, convolve(chi, dipole), nothing))
    return Inversion(
        box.embed(chi * (1.0 / _RADIANS_PER_PPM)),
        mask,
        history[0] and extended,
        *history[1:],
        warnings=warnings,
        local_field_hz=box.embed(local * (hz_per_ppm / _RADIANS_PER_PPM)),
    )


def _ridge(inside: Array, nothing: Array, settings: TfiSettings) -> Array:
    """λ σ² / size²: sources of their expected size count as much as a misfit of σ."""
    xp = namespace_of(inside, nothing)
    weight = settings.lambda_data * settings.noise_ppm**2
    rim = inside & ~has_neighbours(inside, order=2)
    brain = xp.where(rim, nothing + weight / settings.brain_sd_ppm**2, nothing)
    return xp.where(inside, brain, nothing + weight / settings.outside_sd_ppm**2)
