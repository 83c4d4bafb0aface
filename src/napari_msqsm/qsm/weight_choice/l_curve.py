"""The weight at the shoulder or at the inflection of the L-curve.

From the smoothest map on, log variation over log misfit first rises steeply, as tissue appears, then bends at a
shoulder into a slow rise, as the misfit falls to the noise, and steepens again, as the map follows the noise. The
shoulder is where the curvature is largest, the inflection where it has come down to zero; it regularises less.

Source: L-curve: Hansen PC, SIAM Rev 1992;34:561 (doi 10.1137/1034115); in QSM, with this sign of the curvature: Bilgic
B et al., MRM 2014;72:1444 (doi 10.1002/mrm.25029); zero curvature: Milovic C et al., MRM 2021;85:480
(doi 10.1002/mrm.28435).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm.qsm.weight_choice.curve import Choice
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm.qsm.weight_choice.curve import Curve

_LEAST_RUNS = 7


class LCurveSettings(Settings):
    """L-curve."""

    method: Literal["l-curve"] = "l-curve"
    point: Literal["zero-curvature", "largest-curvature"] = quantity(
        "zero-curvature",
        help="Point of the curve that is taken: its inflection beyond the shoulder (zero-curvature), or the shoulder "
        "itself (largest-curvature), which smooths more.",
        source="doi 10.1002/mrm.28435",
    )
    runs: int = quantity(
        9, ge=_LEAST_RUNS, le=50, help="Weights that are tried; the inversion takes one more time than so many."
    )
    decades: float = quantity(
        4.0, gt=0, le=10, help="Powers of ten that they span, with the inversion's own weight in the middle."
    )


def l_curve(curve: Curve, *, settings: LCurveSettings) -> Choice:
    """Find the point.

    Parameters
    ----------
    curve
        Misfit and variation of each weight.
    settings
        Which point.

    Notes
    -----
    Differs from the papers: curvature by central differences on the ladder, not on a spline; misfit and variation are
    those of `misfit.Judge`, the same for every inversion, not the terms of its objective. Where the curvature stays
    positive up to the end of the ladder the shoulder is taken instead, and said so.
    """
    curvature = curve.curvature()
    top = max(range(len(curvature)), key=lambda i: curvature[i])
    if curvature[top] <= 0:
        return Choice(None, ("the L-curve has no shoulder: the inversion's own weight was kept",))
    if settings.point == "largest-curvature":
        return Choice(_summit(curvature, top) + 1.0)
    for i in range(top, len(curvature) - 1):
        if curvature[i + 1] <= 0:
            return Choice(i + 1.0 + curvature[i] / (curvature[i] - curvature[i + 1]))
    return Choice(
        _summit(curvature, top) + 1.0,
        (
            "the L-curve has no inflection among the weights tried: the point of largest curvature was taken, which "
            "may be too smooth; raise weight_choice.decades or use weight_choice.method=discrepancy",
        ),
    )


def _summit(values: tuple[float, ...], top: int) -> float:
    """Place of the maximum, on a parabola through it and its two neighbours."""
    if not 0 < top < len(values) - 1:
        return float(top)
    before, here, after = values[top - 1 : top + 2]
    return top + 0.5 * (before - after) / (before - 2.0 * here + after) if before + after < 2.0 * here else float(top)
