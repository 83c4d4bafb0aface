r"""The field fit once more, without the echoes at which a voxel has dephased.

Where the field changes by g_k Hz over a voxel along axis k, its signal is multiplied by

.. math:: h(t) = \prod_k \operatorname{sinc}(g_k t), \quad \operatorname{sinc}(u) = \frac{\sin \pi u}{\pi u},

which changes sign at its zeros: from the first of them on, the phase is that of what is left of the voxel's rim, half a
turn away. Beside air this comes at early echoes and spoils a fit that takes them all. Here the weight of an echo is

.. math:: w_e = |s_e|^2 \; h(t_e)^2 \text{ before the first zero}, \quad \text{next to nothing after it,}

with g from the unwrapped field itself, again for each round. Voxels that have dephased before the second echo are
fitted to all echoes as before.

Source of h: Fernández-Seara MA, Wehrli FW, MRM 2000;44:358
(doi 10.1002/1522-2594(200009)44:3<358::AID-MRM3>3.0.CO;2-O).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.complex_fit import period_hz
from napari_msqsm.qsm.field_fit import FieldFitSettings, scatter
from napari_msqsm.qsm.outlier_echoes import refine_near
from napari_msqsm.qsm.r2star.dephasing import field_change_over_voxel_hz

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm._backend import Array

_LEAST = 0.01
"""Part of its amplitude that an echo keeps at least."""
_COHERENT = 0.1
"""Coherence of an echo that tells something; a field and an offset take two of them, with fewer all echoes are used."""
_FARTHEST = 0.25
"""Part of a period by which the field may change: what moves farther has no certain field and keeps the one it had."""


def refit_dephased(
    total_field_hz: Array,
    magnitude: Array,
    phase_rad: Array,
    *,
    echo_times_s: Sequence[float],
    mask: Array,
    settings: FieldFitSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Array:
    """Fit again, each echo weighted by the coherence that the change of the field over the voxel leaves it.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z), unwrapped; with unequal echoes also its multiple of the period is known.
    magnitude, phase_rad
        (echo, X, Y, Z).
    echo_times_s
        One per echo.
    mask
        (X, Y, Z) bool.
    settings
        Those of the field fit; ``dephasing_rounds`` refits are made.
    on_progress
        Called with the fraction done; may raise to stop.

    Returns
    -------
    Array
        (X, Y, Z) in Hz, zero outside the mask.
    """
    settings = settings or FieldFitSettings(dephasing_rounds=2)
    xp = namespace_of(total_field_hz, magnitude, phase_rad, mask)
    times = list(echo_times_s)
    amplitude = xp.stack([magnitude[echo, ...][mask] for echo in range(len(times))])
    phase = xp.stack([phase_rad[echo, ...][mask] for echo in range(len(times))])
    field = xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz))
    given, farthest = field[mask], _FARTHEST * period_hz(times)
    for index in range(settings.dephasing_rounds if len(times) > 2 else 0):
        changes = [change[mask] for change in field_change_over_voxel_hz(field, mask)]
        coherence = xp.stack([_coherence(changes, time) for time in times])
        mendable = xp.count_nonzero(coherence > _COHERENT, axis=0) >= 2
        found = refine_near(xp.where(mendable, amplitude * coherence, amplitude), phase, times, field[mask], settings)
        field = scatter(xp.where(xp.abs(found - given) < farthest, found, given), mask)
        if on_progress:
            on_progress((index + 1) / settings.dephasing_rounds)
    return field


def _coherence(changes_hz: Sequence[Array], time_s: float) -> Array:
    """Return h before its first zero, no less than a hundredth."""
    xp = namespace_of(*changes_hz)
    one = xp.ones_like(changes_hz[0])
    factor = one
    for change in changes_hz:
        angle = xp.minimum(xp.abs(change) * (math.pi * time_s), math.pi * one)
        near_zero = angle < 1e-3
        factor = factor * xp.where(near_zero, one, xp.sin(angle) / xp.where(near_zero, one, angle))
    return xp.maximum(factor, _LEAST * one)
