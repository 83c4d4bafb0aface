"""The figure of the growth curves, for files and for the window."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from napari_msqsm.growth.cleaning import NO_RIM, RIM
from napari_msqsm.growth.curves import DIFFERENCE
from napari_msqsm.io.atomic import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_msqsm.growth.model import ModelChoice
    from napari_msqsm.workflow.growth.fitting import GrowthResult

COLOURS = {RIM: "#c0392b", NO_RIM: "#2471a3", DIFFERENCE: "#808080"}
_SIZE_INCHES = (9.0, 4.2)
_DPI = 150
_UNITS = {"chi_ppb": "χ above normal-appearing white matter (ppb)", "volume_mm3": "lesion volume (mm³)"}


def axis_words(choice: ModelChoice) -> str:
    """Label of the axis of what is explained."""
    words = _UNITS.get(choice.outcome, choice.outcome)
    return f"log of {words}" if choice.log else words


def draw_curves(axes: Axes, result: GrowthResult, *, lesions: bool = True) -> None:
    """Draw lesions as thin lines, group curves with their pointwise interval and simultaneous band."""
    model = result.model
    if lesions:
        for _, rows in model.table.rows.groupby(["patient_id", "lesion_id"], sort=False):
            ordered = rows.sort_values("lesion_age_y")
            axes.plot(
                ordered["lesion_age_y"],
                model.fit.response[ordered.index.to_numpy()],
                color=COLOURS[str(ordered["rim"].iloc[0])],
                linewidth=0.6,
                alpha=0.35,
                marker="." if len(ordered) == 1 else None,
            )
    n = model.table.rows.groupby(["patient_id", "lesion_id"])["rim"].first().value_counts()
    for curve in result.curves:
        if curve.name == DIFFERENCE:
            continue
        colour = COLOURS[curve.name]
        points = "o-" if model.design.basis.bin_of is not None else "-"
        axes.fill_between(curve.age_y, curve.band_lower, curve.band_upper, color=colour, alpha=0.10, linewidth=0)
        axes.fill_between(curve.age_y, curve.lower, curve.upper, color=colour, alpha=0.22, linewidth=0)
        axes.plot(
            curve.age_y, curve.mean, points, color=colour, linewidth=2, label=f"{curve.name} (n = {n[curve.name]})"
        )
    axes.set_xlabel("lesion age (years)")
    axes.set_ylabel(axis_words(model.choice))
    axes.legend(frameon=False)


def draw_difference(axes: Axes, result: GrowthResult) -> None:
    """Draw rim+ − rim- with its interval and band; says so where there is one group."""
    curve = next((each for each in result.curves if each.name == DIFFERENCE), None)
    axes.set_xlabel("lesion age (years)")
    if curve is None:
        axes.text(0.5, 0.5, "one group: no difference", ha="center", va="center", transform=axes.transAxes)
        return
    colour = COLOURS[DIFFERENCE]
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.fill_between(curve.age_y, curve.band_lower, curve.band_upper, color=colour, alpha=0.12, linewidth=0)
    axes.fill_between(curve.age_y, curve.lower, curve.upper, color=colour, alpha=0.25, linewidth=0)
    axes.plot(curve.age_y, curve.mean, color=colour, linewidth=2)
    axes.set_ylabel("rim+ − rim-")


def paint_growth(figure: Figure, result: GrowthResult) -> Axes:
    """Draw curves and difference side by side into an empty figure; returns the axes of the curves."""
    left: Axes
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
    draw_curves(left, result)
    draw_difference(right, result)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return left


def growth_figure(result: GrowthResult) -> Figure:
    """Draw curves and difference into a figure of their own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    paint_growth(figure, result)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure atomically; the format is that of the file's name, text stays text in SVG."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "msqsm"}), atomic_path(path) as temporary:
        figure.savefig(
            temporary, dpi=_DPI, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None
        )
    return path


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG text, to stand inside a page."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "msqsm"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
