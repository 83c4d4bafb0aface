r"""Total variation with a non-linear data term, by the alternating direction method of multipliers (FANSI).

.. math::

   \min_\chi\; \frac{1}{2 s^2} \lVert W (e^{i s D\chi} - e^{i s f}) \rVert_2^2 + \alpha \lVert \nabla\chi \rVert_1

with D the unit dipole, f the local field in ppm, s radians per ppm, W the noise weights (mean 1 in the mask, 0 outside)
and ∇ the periodic forward differences per mm.

Source: Milovic C et al., MRM 2018;80:814 (doi 10.1002/mrm.27073).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import fft_for, namespace_of
from napari_msqsm.qsm.inversion.boxed import boxed_field
from napari_msqsm.qsm.inversion.variation import (
    OVER_RELAXATION,
    SplitGradient,
    gradient_power,
    relative_change,
    total_variation,
)
from napari_msqsm.qsm.stencils import gradient
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.result import Inversion

_AXES = (0, 1, 2)
_NEWTON_STEPS = 3
_TURNS_EVERY = 5
_TURNS_UNTIL = 50
"""Iterations between two looks at whole turns, and the last one, so that they settle. The first ones take the field as
it is, so that χ first comes near."""
_FIELD_CONSISTENCY = 0.1
"""Weight μ₂ of the copy of the field; about the mean of D², so that data (1) and χ are equally near to it."""


class TvSettings(Settings):
    """Total variation by ADMM (FANSI)."""

    method: Literal["tv"] = "tv"
    alpha: float = quantity(
        1e-4,
        gt=0,
        top=True,
        weighs="smoothness",
        unit="ppm mm",
        help="Weight α of the total variation against half the squared misfit in ppm; larger is smoother.",
        source="doi 10.1002/mrm.27073",
    )
    radians_per_ppm: float = quantity(
        3.3,
        gt=0,
        unit="rad/ppm",
        help="Phase of 1 ppm in the data term: misfits of half a turn and more lose their say, whole turns are none. "
        "3.3 is that of an echo spacing of 4.1 ms at 3 T.",
    )
    shrinkage: float = quantity(
        5e-4,
        gt=0,
        unit="ppm/mm",
        help="Gradient that one iteration takes away, α/μ₁: sets how fast it converges, not where to.",
        source="doi 10.1002/mrm.27073",
    )
    max_iter: int = quantity(300, ge=1, help="Most iterations.")
    rtol: float = quantity(5e-4, gt=0, help="Stop when an iteration changes χ by less than this part of its norm.")
    margin_mm: float = quantity(
        24.0, ge=0, unit="mm", help="Empty margin around the mask that keeps periodic copies of the head apart."
    )


def tv_admm(
    local_field_hz: Array,
    *,
    mask: Array,
    noise_sd_hz: Array | None = None,
    voxel_size_mm: tuple[float, float, float],
    b0_direction: tuple[float, float, float],
    hz_per_ppm: float,
    settings: TvSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Inversion:
    r"""Susceptibility from the local field, piecewise constant where the data allow it.

    Parameters
    ----------
    local_field_hz
        (X, Y, Z); ignored outside the mask.
    mask
        (X, Y, Z) bool.
    noise_sd_hz
        (X, Y, Z); standard deviation of the field, of any common scale, zero where it was not measured; ``None``: the
        same everywhere.
    voxel_size_mm, b0_direction
        Grid; B0 in voxel axes.
    hz_per_ppm
        Field in Hz of 1 ppm.
    settings
        Weights and stopping rules.
    on_progress
        Called with the fraction done; may raise to stop.

    Raises
    ------
    InputError
        When the mask is empty or no voxel in it was measured.

    Notes
    -----
    With copies :math:`z_1 = \nabla\chi` and :math:`z_2 = D\chi` every step is closed: χ in k-space, z₁ by soft
    thresholding, z₂ voxel by voxel with a few Newton steps from the linear solution.

    In the first 50 iterations, every five, the field is moved by the whole turns (2π/s) that bring it nearest to the
    model, so that a wrap does no lasting harm. A large s makes the term less convex: with 20 rad/ppm (25 ms at 3 T, as
    in the paper) sources beyond 2 ppm are partly taken for turns, and with much background left it may not converge.

    The data term is divided by s², so that α is a weight in ppm whatever the field strength and the echo times: α in
    the paper's radians is ``alpha * radians_per_ppm``. MEDI with its published λ of 1000 at 3 T and 4.1 ms weighs the
    gradient by 1.5e-4 ppm mm against the same data term; the authors' examples of this method (3e-4 rad at 25 ms with
    magnitude weights of at most 1) lie in the same range.

    Differs from the paper: weights from the field's noise, a phase scale that is not that of an echo time, μ₁ and μ₂
    chosen for the ppm scale, over-relaxation; the change that stops it is measured in the mask.
    """
    settings = settings or TvSettings()
    boxed = boxed_field(
        local_field_hz,
        mask=mask,
        voxel_size_mm=voxel_size_mm,
        b0_direction=b0_direction,
        hz_per_ppm=hz_per_ppm,
        margin_mm=settings.margin_mm,
    )
    data = _PhaseData(boxed.field_ppm, boxed.weights(noise_sd_hz) ** 2, settings.radians_per_ppm)
    xp = namespace_of(data.field_ppm)
    fft = fft_for(xp)
    shape, dipole = boxed.box.shape, boxed.dipole
    mu1, mu2 = settings.alpha / settings.shrinkage, _FIELD_CONSISTENCY
    system = mu1 * gradient_power(shape, voxel_size_mm, like=dipole) + mu2 * dipole**2
    system = xp.where(system > 0, system, xp.ones_like(system))
    split = SplitGradient.zeros(data.field_ppm)
    chi, field_dual = xp.zeros_like(data.field_ppm), xp.zeros_like(data.field_ppm)
    field_copy = data.nearest(field_dual)
    changes: list[float] = []
    objective = [data.misfit(chi)]
    while len(changes) < settings.max_iter and not (changes and changes[-1] < settings.rtol):
        before = chi
        spectrum = mu1 * fft.rfftn(split.pull(voxel_size_mm), axes=_AXES)
        spectrum = (spectrum + (mu2 * dipole) * fft.rfftn(field_copy - field_dual, axes=_AXES)) / system
        chi = fft.irfftn(spectrum, s=shape, axes=_AXES)
        model = fft.irfftn(spectrum * dipole, s=shape, axes=_AXES)
        slopes = gradient(chi, voxel_size_mm, periodic=True)
        split.update(slopes, settings.shrinkage)
        field_dual += OVER_RELAXATION * model + (1.0 - OVER_RELAXATION) * field_copy
        if 0 < len(changes) <= _TURNS_UNTIL and len(changes) % _TURNS_EVERY == 0:
            data = data.turned_to(model)
        field_copy = data.nearest(field_dual)
        field_dual -= field_copy
        changes.append(relative_change(chi, before, boxed.inside))
        objective.append(data.misfit(model) + settings.alpha * total_variation(slopes))
        if on_progress:
            on_progress(len(changes) / settings.max_iter)
    return boxed.inversion(
        chi, converged=changes[-1] < settings.rtol, outer_changes=tuple(changes), objective=tuple(objective)
    )


@dataclass(frozen=True)
class _PhaseData:
    """The non-linear data term of a field in ppm."""

    field_ppm: Array
    squared_weights: Array
    radians_per_ppm: float

    def misfit(self, model_ppm: Array) -> float:
        """Half of ‖W (e^{is·model} − e^{is·field})‖² / s²."""
        xp = namespace_of(model_ppm)
        half_turns = xp.sin((0.5 * self.radians_per_ppm) * (model_ppm - self.field_ppm))
        return 2.0 / self.radians_per_ppm**2 * float(xp.sum(self.squared_weights * half_turns**2))

    def turned_to(self, model_ppm: Array) -> _PhaseData:
        """Give the same data with the whole turns added that bring the field nearest to the model."""
        xp = namespace_of(model_ppm)
        turn_ppm = 2.0 * math.pi / self.radians_per_ppm
        turns = xp.round((model_ppm - self.field_ppm) / turn_ppm)
        return replace(self, field_ppm=self.field_ppm + turn_ppm * turns)

    def nearest(self, wanted_ppm: Array) -> Array:
        """Proximal map: the field within half a turn of the data that fits them and lies near ``wanted_ppm``."""
        xp = namespace_of(wanted_ppm)
        s, mu, weights = self.radians_per_ppm, _FIELD_CONSISTENCY, self.squared_weights
        found = (weights * self.field_ppm + mu * wanted_ppm) / (weights + mu)
        for _ in range(_NEWTON_STEPS):
            phase = s * (found - self.field_ppm)
            downhill = (weights / s) * xp.sin(phase) + mu * (found - wanted_ppm)
            found = found - downhill / (weights * xp.clip(xp.cos(phase), 0.0, 1.0) + mu)
        return found
