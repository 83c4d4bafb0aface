"""Pictures that show whether a model fits: residuals, their quantiles, random effects, influence of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from napari_msqsm.growth.random_effects import predicted
from napari_msqsm.workflow.growth.figure import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from napari_msqsm.growth.influence import Influence
    from napari_msqsm.growth.model import GrowthModel

_SIZE_INCHES = (9.0, 6.4)


def diagnostic_figure(model: GrowthModel, influences: Sequence[Influence]) -> Figure:
    """Draw the four pictures into a figure of their own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    paint_diagnostics(figure, model, influences)
    return figure


def paint_diagnostics(figure: Figure, model: GrowthModel, influences: Sequence[Influence]) -> None:
    """Draw the four pictures into an empty figure."""
    axes = figure.subplots(2, 2)
    found = predicted(model.fit)
    colours = [COLOURS[rim] for rim in model.table.rows["rim"]]
    axes[0, 0].scatter(found.fitted, found.residuals, s=10, c=colours, linewidths=0)
    axes[0, 0].axhline(0.0, color="black", linewidth=0.6)
    axes[0, 0].set(xlabel="fitted", ylabel="residual", title="Residuals")
    _quantiles(axes[0, 1], found.residuals, "Quantiles of residuals")
    _quantiles(axes[1, 0], found.patients[:, 0], "Patients", label="patients")
    if model.fit.groups.nested:
        _quantiles(axes[1, 0], found.lesions, "Random effects", label="lesions")
        axes[1, 0].legend(frameon=False)
    known = [each for each in influences if each.cook is not None][:15]
    axes[1, 1].barh(
        [each.patient_id for each in known][::-1], [each.cook or 0.0 for each in known][::-1], color="#777777"
    )
    axes[1, 1].set(xlabel="Cook's distance", title="Patients left out one by one")
    for each in axes.flat:
        each.spines[["top", "right"]].set_visible(False)


def _quantiles(axes: Axes, values: NDArray[np.float64], title: str, label: str | None = None) -> None:
    ordered = np.sort(values)
    expected = special.ndtri((np.arange(values.size) + 0.5) / values.size)
    (points,) = axes.plot(expected, ordered, ".", markersize=4, label=label)
    axes.plot(expected, values.mean() + values.std() * expected, color=points.get_color(), linewidth=0.8)
    axes.set(xlabel="normal quantile", ylabel="value", title=title)
