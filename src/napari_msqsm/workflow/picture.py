"""One picture per session to judge it by: three planes of magnitude, fields, R2* and χ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.qsm.reconstruct import Reconstruction

CHI_WINDOW_PPB = (-150.0, 250.0)
_PLANES = (("axial", 2, 0, 1), ("coronal", 1, 0, 2), ("sagittal", 0, 1, 2))
_MASK_COLOUR = "#ffb000"
_CSF_COLOUR = "#00c8ff"
_INCHES_PER_COLUMN = 2.6


@dataclass(frozen=True, eq=False)
class View:
    """One map of the picture.

    Parameters
    ----------
    name, unit
        Written below it.
    array
        (X, Y, Z).
    window
        Values shown as black and white.
    outlines
        Masks drawn as outlines, by colour.
    """

    name: str
    unit: str
    array: NDArray[Any]
    window: tuple[float, float]
    outlines: dict[str, NDArray[np.bool_]]


def views_of(result: Reconstruction, series: MultiEchoSeries) -> list[View]:
    """Make the views of a reconstruction that lies in host memory."""
    magnitude = root_sum_of_squares(series.magnitude)
    mask, outline = result.mask, {_MASK_COLOUR: result.mask}
    ventricles = {_CSF_COLOUR: result.csf_mask}
    views = [View("magnitude", "a.u.", magnitude, (0.0, _quantile(magnitude[magnitude > 0], 0.995)), outline)]
    if result.total_field_hz is not None:
        views.append(_field("total field", result.total_field_hz, mask))
    views += [
        _field("local field", result.local_field_hz, mask),
        View("R2*", "1/s", result.r2star_hz, (0.0, _quantile(result.r2star_hz[mask], 0.98)), ventricles),
        View("χ", "ppb", PPB_PER_PPM * result.chi_ppm, CHI_WINDOW_PPB, {}),
    ]
    return views


def save_picture(path: Path, views: list[View], grid: Grid, *, title: str) -> Path:
    """Draw the views in true proportions, patient right on screen left.

    Parameters
    ----------
    path
        PNG file, written atomically.
    views
        One column each.
    grid
        Of all their arrays.
    title
        Above the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    upright = [_upright(view, grid) for view in views]
    canonical = reoriented(views[0].array, grid, "RAS")[1]
    size_mm = np.multiply(canonical.shape, canonical.voxel_size_mm)
    centre = _centre(upright)
    heights = [size_mm[up] / size_mm[across] for _, _, across, up in _PLANES]
    figure = Figure(
        figsize=(_INCHES_PER_COLUMN * len(views), _INCHES_PER_COLUMN * sum(heights) + 1.1),
        dpi=110,
        layout="constrained",
        facecolor="black",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(_PLANES), len(views), squeeze=False, height_ratios=heights)
    figure.suptitle(f"{title}    (patient right on screen left)", color="white", fontsize=11)
    for column, view in enumerate(upright):
        image = None
        for row, plane in enumerate(_PLANES):
            image = _draw(axes[row, column], view, plane, centre, canonical)
        assert image is not None
        bar = figure.colorbar(image, ax=axes[:, column], location="bottom", shrink=0.85, aspect=25, pad=0.01)
        bar.set_label(f"{view.name} ({view.unit})", color="white", fontsize=9)
        bar.ax.tick_params(colors="white", labelsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=figure.get_facecolor())
    return path


def _draw(axes: Axes, view: View, plane: tuple[str, int, int, int], centre: NDArray[np.intp], grid: Grid) -> Any:
    name, through, across, up = plane
    spacing = grid.voxel_size_mm
    image = axes.imshow(
        _cut(view.array, through, centre),
        cmap="gray",
        vmin=view.window[0],
        vmax=view.window[1],
        origin="lower",
        aspect=spacing[up] / spacing[across],
        interpolation="nearest",
    )
    for colour, mask in view.outlines.items():
        cut = _cut(mask, through, centre)
        if cut.any() and not cut.all():
            axes.contour(cut.astype(float), levels=[0.5], colors=[colour], linewidths=0.7)
    left, right = ("A", "P") if name == "sagittal" else ("R", "L")
    for text, place, align in ((left, 0.02, "left"), (right, 0.98, "right")):
        axes.text(place, 0.5, text, color="white", fontsize=8, ha=align, va="center", transform=axes.transAxes)
    axes.set_axis_off()
    return image


def _cut(array: NDArray[Any], through: int, centre: NDArray[np.intp]) -> NDArray[Any]:
    """Plane of an RAS array for the screen: rows go up; right or anterior is on the left."""
    cut: NDArray[Any] = np.take(array, int(centre[through]), axis=through).T[:, ::-1]
    return cut


def _upright(view: View, grid: Grid) -> View:
    outlines = {colour: reoriented(mask, grid, "RAS")[0] for colour, mask in view.outlines.items()}
    return View(view.name, view.unit, reoriented(view.array, grid, "RAS")[0], view.window, outlines)


def _centre(views: list[View]) -> NDArray[np.intp]:
    """Middle of the outlined brain."""
    mask = next((mask for view in views for mask in view.outlines.values() if mask.any()), None)
    if mask is None:
        return np.array(views[0].array.shape) // 2
    return np.array([int(np.median(indices)) for indices in np.nonzero(mask)])


def _field(name: str, array: NDArray[Any], mask: NDArray[np.bool_]) -> View:
    limit = _quantile(np.abs(array[mask]), 0.98)
    return View(name, "Hz", array, (-limit, limit), {_MASK_COLOUR: mask})


def _quantile(values: NDArray[Any], q: float) -> float:
    if values.size == 0:
        return 1.0
    return float(np.quantile(values, q)) or 1.0
