"""Images of a pair as the registration takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.echo_files import read_echoes
from napari_msqsm.io.nifti import load_raw
from napari_msqsm.qsm.echoes import root_sum_of_squares

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.workflow.coregistration.pairs import Pair

Image = tuple["NDArray[np.float32]", "Grid"]


def load_pair(study: Study, pair: Pair) -> tuple[NDArray[np.float32], Grid, NDArray[np.float32], Grid]:
    """Read fixed image, its grid, moving image, its grid.

    Gradient echoes come as the root sum of squares over their echoes, with their shading.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    fixed = load_magnitude(study.session(pair.fixed_session))
    moving = load_moving(study, pair)
    return (*fixed, *moving)


def load_moving(study: Study, pair: Pair) -> Image:
    """Read the moving image of a pair, and its grid.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    if pair.same_contrast:
        return load_magnitude(study.session(pair.session))
    return load_contrast(pair.moving[0], pair.contrast)


def load_magnitude(session: Session) -> Image:
    """Root sum of squares of the magnitude over echoes, and its grid.

    Raises
    ------
    InputError
        When an echo cannot be read, or the session has none.
    """
    sidecars = {echo.path: echo.sidecar for echo in session.gre}
    parts = {part: [echo.path for echo in session.gre if echo.part == part] for part in ("mag", "real", "imag")}
    if parts["mag"]:
        stacks = [read_echoes("magnitude", parts["mag"], sidecars)]
    elif parts["real"] and parts["imag"]:
        stacks = [
            read_echoes("real part", parts["real"], sidecars),
            read_echoes("imaginary part", parts["imag"], sidecars),
        ]
    else:
        raise InputError(f"{session.label} has no magnitude of a gradient echo; nothing can be aligned to it")
    total = sum(np.square(root_sum_of_squares(_finite(stack.echoes))) for stack in stacks)
    return np.sqrt(total).astype(np.float32), stacks[0].images[0].grid


def load_contrast(path: Path, contrast: str) -> Image:
    """Read an image of another contrast, and its grid; of a 4-D file, the first volume.

    Raises
    ------
    InputError
        When it cannot be read or is zero everywhere.
    """
    raw = load_raw(path, what=contrast)
    values = np.abs(raw.array) if np.iscomplexobj(raw.array) else raw.array
    values = _finite(values if values.ndim == 3 else values[..., 0]).astype(np.float32)
    if not values.any():
        raise InputError(f"{contrast} {path} is zero everywhere; convert it again")
    return values, raw.grid


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) if not np.all(np.isfinite(values)) else values
