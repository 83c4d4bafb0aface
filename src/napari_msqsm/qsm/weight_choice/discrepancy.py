"""The weight at which the residual field is as large as its noise.

Source: Morozov VA, Soviet Math Dokl 1966;7:414; Hansen PC, Rank-deficient and discrete ill-posed problems, SIAM 1998,
section 7.2 (doi 10.1137/1.9780898719697).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_msqsm.qsm.weight_choice.curve import Choice
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm.qsm.weight_choice.curve import Curve


class DiscrepancySettings(Settings):
    """Discrepancy principle."""

    method: Literal["discrepancy"] = "discrepancy"
    target: float = quantity(
        1.0,
        gt=0,
        help="Root mean square of the residual field over its noise that is asked for; more than 1 smooths more.",
    )
    runs: int = quantity(9, ge=3, le=50, help="Weights that are tried; the inversion takes one more time than so many.")
    decades: float = quantity(
        4.0, gt=0, le=10, help="Powers of ten that they span, with the inversion's own weight in the middle."
    )


def discrepancy(curve: Curve, *, settings: DiscrepancySettings) -> Choice:
    """Find the smoothest map whose misfit is down to the target.

    Parameters
    ----------
    curve
        Misfit and variation of each weight; the misfit must be in units of an absolute noise.
    settings
        The target.

    Notes
    -----
    Between two weights the logarithm of the misfit is taken as linear in that of the weight. Where no weight reaches
    the target, the field holds more than noise (or its noise is larger than said): the inversion's own weight stands.
    """
    above = [misfit - settings.target for misfit in curve.misfits]
    first = next((i for i, excess in enumerate(above) if excess <= 0), None)
    if first is None:
        return Choice(
            None,
            (
                f"every weight tried left a residual field of more than {settings.target:g} times its noise, at least "
                f"{min(curve.misfits):.2g}: the inversion's own weight was kept; the field holds more than noise, or "
                "its noise was given too small",
            ),
        )
    if first == 0:
        return Choice(
            0.0,
            (
                f"already the smoothest map tried has a residual field of {curve.misfits[0]:.2g} times its noise: its "
                "weight was taken; raise weight_choice.decades to go further",
            ),
        )
    before, after = (math.log(max(curve.misfits[i], 1e-30) / settings.target) for i in (first - 1, first))
    return Choice(first - 1 + before / (before - after))
