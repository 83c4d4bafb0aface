r"""Offset of the phase at TE = 0 and the even/odd difference of a bipolar readout, smooth in space (MCPC-3D-S).

.. math:: \phi_0 = \mathcal S\!\left[ \phi_1 - \frac{t_1}{\Delta t} \, \mathcal U(\Delta\phi) \right]

with Δφ the phase between neighbouring echoes, :math:`\mathcal U` spatial unwrapping and :math:`\mathcal S` smoothing.

Source: Eckstein K et al., MRM 2018;79:2996 (doi 10.1002/mrm.26963).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.complex_fit import period_hz, phase_difference_start
from napari_msqsm.qsm.echo_spacing import equally_spaced
from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.qsm.phase_offset.even_odd import even_odd_phase, size_rad
from napari_msqsm.qsm.phase_offset.result import PhaseOffset, without
from napari_msqsm.qsm.phase_offset.smooth_phase import smooth_phase
from napari_msqsm.qsm.unwrapping.quality import quality
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_TWO_PI = 2.0 * math.pi
_LEAST_ECHOES_BIPOLAR = 3


class Mcpc3dsSettings(Settings):
    """Smooth offset removed from all echoes, and from every second echo of a bipolar readout."""

    method: Literal["mcpc3ds"] = "mcpc3ds"
    readout: Literal["auto", "monopolar", "bipolar"] = quantity(
        "auto",
        help="auto: bipolar where, of four echoes or more, every second one disagrees with the others; otherwise the "
        "phase stays.",
    )
    smoothing_sd_mm: float = quantity(
        10.0, gt=0, unit="mm", help="Standard deviation of the Gaussian.", source="doi 10.1002/mrm.26963"
    )
    least_even_odd_rad: float = quantity(
        0.05, ge=0, unit="rad", help="Root mean square of the even/odd difference from which auto takes it for bipolar."
    )


def mcpc3ds(
    magnitude: Array,
    phase_rad: Array,
    *,
    echo_times_s: Sequence[float],
    mask: Array,
    voxel_size_mm: tuple[float, float, float],
    settings: Mcpc3dsSettings | None = None,
) -> PhaseOffset:
    """Estimate the smooth offset.

    Parameters
    ----------
    magnitude, phase_rad
        (echo, X, Y, Z).
    echo_times_s
        One per echo.
    mask
        (X, Y, Z) bool.
    voxel_size_mm
        Voxel edges.
    settings
        Readout and smoothing.

    Raises
    ------
    InputError
        When a bipolar readout is declared for fewer than three echoes or unequally spaced ones.

    Notes
    -----
    Differs from the paper: Δφ is of all neighbouring echoes, not of the first two; a polynomial takes slopes away
    before the Gaussian, which is otherwise biased at the mask's edge; the even/odd difference comes from triples of
    echoes, in which field and offset cancel, so that no tissue gets into it. What is estimated has no part that grows
    with TE, and the field fit has an offset of its own in every voxel: the smoothness of the common offset leaves no
    bias in the field.
    """
    settings = settings or Mcpc3dsSettings()
    times, warnings = list(echo_times_s), []
    can_tell = len(times) >= _LEAST_ECHOES_BIPOLAR and equally_spaced(times)
    if settings.readout == "bipolar" and not can_tell:
        raise InputError(
            f"a bipolar readout needs three or more equally spaced echoes to be corrected, got {len(times)} at "
            f"{', '.join(f'{1000 * time:g}' for time in times)} ms; set phase_offset.readout to monopolar"
        )
    even_odd = None
    smoothing = {"mask": mask, "voxel_size_mm": voxel_size_mm, "sd_mm": settings.smoothing_sd_mm}
    if settings.readout == "auto" and len(times) == _LEAST_ECHOES_BIPOLAR:
        can_tell = False  # one triple of echoes cannot tell an even/odd difference from a phase that bends with time
    if settings.readout != "monopolar" and can_tell:
        even_odd = even_odd_phase(magnitude, phase_rad, **smoothing)
        size = size_rad(even_odd, mask)
        if settings.readout == "auto":
            if size < settings.least_even_odd_rad:
                return PhaseOffset()
            warnings.append(
                f"every second echo differs by a smooth phase of {size:.2f} rad (root mean square), as in a bipolar "
                "readout: it was taken away"
            )
    elif settings.readout == "auto":
        return PhaseOffset()
    if len(times) < 2:
        return PhaseOffset(warnings=("with one echo the offset of the phase cannot be told from the field: it stays",))
    offset = _common_offset(magnitude, without(phase_rad, None, even_odd), times, smoothing)
    return PhaseOffset(offset, even_odd, tuple(warnings))


def _common_offset(magnitude: Array, phase_rad: Array, times: list[float], smoothing: dict[str, object]) -> Array:
    xp = namespace_of(magnitude, phase_rad)
    mask = smoothing["mask"]
    zero = xp.zeros_like(phase_rad[0, ...])
    change = xp.where(mask, phase_difference_start(magnitude, phase_rad, times), zero)
    change = quality(change, period_hz=period_hz(times), mask=mask, magnitude=root_sum_of_squares(magnitude)).field_hz
    at_zero = phase_rad[0, ...] - (_TWO_PI * times[0]) * change
    weight = magnitude[0, ...] ** 2
    return smooth_phase(weight * xp.cos(at_zero), weight * xp.sin(at_zero), **smoothing)  # type: ignore[arg-type]
