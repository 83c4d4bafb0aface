"""What can be shown of a session: which images, under which name, in which unit and window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.io.nifti import load_raw
from napari_msqsm.units import PPB_PER_PPM
from napari_msqsm.widgets.display import to_display

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session
    from napari_msqsm.widgets.display import Placed

CHI_WINDOW_PPB = (-150.0, 250.0)
_BRIGHT = 0.995


@dataclass(frozen=True, eq=False)
class DisplayImage:
    """One image ready for the screen.

    Parameters
    ----------
    name
        Of the layer.
    label
        Session that it belongs to; empty for a file on its own.
    kind
        What it is, see `_KINDS`.
    placed
        Data in display order.
    grid
        Its grid in the file; the true affine.
    path
        Its file.
    window
        Contrast limits.
    visible
        Whether it is shown at first.
    unit
        Of the values on screen; empty when they have none.
    layer_type
        ``image`` or ``labels``.
    """

    name: str
    label: str
    kind: str
    placed: Placed
    grid: Grid
    path: Path
    window: tuple[float, float]
    visible: bool
    unit: str
    layer_type: Literal["image", "labels"] = "image"


@dataclass(frozen=True)
class _Kind:
    title: str
    unit: str = ""
    factor: float = 1.0
    window: tuple[float, float] | None = None
    layer_type: Literal["image", "labels"] = "image"


_KINDS: dict[str, _Kind] = {
    "magnitude": _Kind("magnitude"),
    "FLAIR": _Kind("FLAIR"),
    "T1w": _Kind("T1"),
    "ce-gadolinium_T1w": _Kind("T1 + Gd"),
    "T2w": _Kind("T2"),
    "totalfield": _Kind("total field", "Hz"),
    "localfield": _Kind("local field", "Hz"),
    "R2starmap": _Kind("R2*", "1/s", window=(0.0, 60.0)),
    "Chimap": _Kind("χ", "ppb", PPB_PER_PPM, CHI_WINDOW_PPB),
    "T2starmap": _Kind("T2*", "ms", 1000.0, window=(0.0, 100.0)),
    "swi": _Kind("SWI"),
    "confidence": _Kind("confidence", window=(0.0, 1.0)),
    "brain_mask": _Kind("brain mask", layer_type="labels"),
    "csf_mask": _Kind("CSF mask", layer_type="labels"),
    "image": _Kind(""),
}
_ORDER = (
    "T2w",
    "ce-gadolinium_T1w",
    "T1w",
    "FLAIR",
    "confidence",
    "totalfield",
    "localfield",
    "T2starmap",
    "R2starmap",
    "swi",
    "brain_mask",
    "csf_mask",
)
"""From the bottom; magnitude and χ come last, χ on top."""


def images_of(session: Session) -> list[DisplayImage]:
    """Read all images of a session, from the bottom layer to the top; only magnitude and χ are shown at first.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    paths: dict[str, Path] = dict(session.derivatives)
    paths.update({str(contrast): path for contrast, path in session.contrasts.items()})
    out = [read_image(paths[kind], kind, label=session.label, visible=False) for kind in _ORDER if kind in paths]
    first_echo = next((echo.path for echo in session.gre if echo.part == "mag"), None)
    if first_echo is not None:
        out.append(read_image(first_echo, "magnitude", label=session.label, visible=True))
    if "Chimap" in paths:
        out.append(read_image(paths["Chimap"], "Chimap", label=session.label, visible=True))
    return out


def read_image(path: Path, kind: str = "image", *, label: str = "", visible: bool = True) -> DisplayImage:
    """Read one file for display; of a 4-D stack, all volumes.

    Parameters
    ----------
    path
        NIfTI file.
    kind
        What it is; χ is shown in ppb.
    label
        Session, the first part of the layer's name.
    visible
        Whether it is shown at first.
    """
    what = _KINDS[kind]
    raw = load_raw(path)
    values = np.abs(raw.array) if np.iscomplexobj(raw.array) else raw.array
    if values.ndim == 4:
        values = np.moveaxis(values, -1, 0)
    if what.layer_type == "labels":
        values = np.round(values).astype(np.int32)
    elif what.factor != 1.0:
        values = values * np.float32(what.factor)
    title = what.title or path.name.removesuffix(".gz").removesuffix(".nii")
    unit = f" ({what.unit})" if what.unit else ""
    return DisplayImage(
        name=f"{label} {title}{unit}".strip(),
        label=label,
        kind=kind,
        placed=to_display(values, raw.grid),
        grid=raw.grid,
        path=path,
        window=what.window or _window(values),
        visible=visible,
        unit=what.unit,
        layer_type=what.layer_type,
    )


def kind_of(path: Path) -> str:
    """Tell what a file is by its name: ``…_Chimap.nii.gz`` is χ."""
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    return next((kind for kind in ("Chimap", "R2starmap") if stem.endswith(kind)), "image")


def _window(values: NDArray[Any]) -> tuple[float, float]:
    """Limits that hold all but the extreme values; symmetric where there are negative ones."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    sample = finite.ravel()[:: max(1, finite.size // 200_000)]
    top = float(np.quantile(np.abs(sample), _BRIGHT)) or 1.0
    return (-top, top) if float(sample.min()) < 0 else (0.0, top)
