"""Putting a foreign image on a session's grid without interpolating: same grid, or the same voxels in another order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import Volume, load_raw
from napari_msqsm.model.grid import Grid, reoriented

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Session

GRE = "GRE"
_LEAST_LIKENESS = 0.9
_LEAST_LEAD = 0.05
_BRIGHT = 0.2


def images_of(session: Session) -> dict[str, Path]:
    """One file of each image of a session: ``GRE`` first, then its contrasts."""
    paths: dict[str, Path] = {}
    if session.gre:
        paths[GRE] = next((echo.path for echo in session.gre if echo.part == "mag"), session.gre[0].path)
    return paths | {str(contrast): path for contrast, path in session.contrasts.items()}


def on_grid(array: NDArray[Any], grid: Grid, wanted: Grid) -> tuple[NDArray[Any], str] | None:
    """Bring an array onto a grid whose voxels it shares, by exchanging and turning axes only.

    Parameters
    ----------
    array, grid
        (X, Y, Z) and where it lies.
    wanted
        The grid it should lie on.

    Returns
    -------
    tuple or None
        The array on that grid and a sentence that says what was done (empty for nothing); None where the voxels are
        others.
    """
    if grid.same_as(wanted):
        return array, ""
    turned, turned_grid = reoriented(array, grid, wanted.axis_codes)
    if turned_grid.same_as(wanted):
        return turned, f"voxel axes were turned from {grid.axis_codes} to {wanted.axis_codes}; nothing was interpolated"
    return None


def place(volume: Volume, images: Mapping[str, Path], *, what: str, prefer: str = GRE) -> tuple[str, Volume]:
    """Find the image of a session whose grid a foreign image lies on.

    Parameters
    ----------
    volume
        The foreign image.
    images
        From `images_of`; read one after the other until one fits.
    what
        What it is to the user, with its name.
    prefer
        Image to take where several lie on one grid.

    Returns
    -------
    tuple
        Name of the image, and the volume on its grid.

    Raises
    ------
    ShapeMismatchError
        When it lies on none of them.
    """
    shapes: dict[str, tuple[int, int, int]] = {}
    for name in sorted(images, key=lambda name: name != prefer):
        grid = load_raw(images[name], what=name).grid
        found = on_grid(volume.array, volume.grid, grid)
        if found is not None:
            array, note = found
            return name, Volume(array, grid, volume.assumptions + ((note,) if note else ()))
        shapes[name] = grid.shape
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "it has none"
    raise ShapeMismatchError(
        f"{what} has shape {volume.grid.shape} and lies on the grid of no image of the session ({listed}); resample it "
        f"first: msqsm resample --moving FILE --fixed {next(iter(shapes), 'IMAGE')} --transform T --out R.nii.gz"
    )


def place_by_likeness(
    array: NDArray[Any], likeness: NDArray[Any], reference: NDArray[Any], *, what: str
) -> tuple[NDArray[Any], str]:
    """Order the axes of an array without a position so that an image saved beside it matches the session's.

    Parameters
    ----------
    array
        (X, Y, Z) in an unknown order and direction of axes.
    likeness
        Same shape: the magnitude saved beside it.
    reference
        The session's own magnitude, in its order.
    what
        What it is to the user, with its name.

    Returns
    -------
    tuple
        The array in the reference's order, and a sentence that says what was found.

    Raises
    ------
    MetadataError
        When no order fits clearly better than the others.

    Notes
    -----
    A head is nearly the same from left to right: the right order is told from its mirror image by the correlation
    inside the head, which is 1 for the very same magnitude.
    """
    scored = []
    for words, turn in _turns(array.shape, reference.shape):
        scored.append((_correlation(turn(likeness), reference), words, turn))
    if not scored:
        raise ShapeMismatchError(f"{what} has shape {array.shape} but the GRE has {reference.shape}; save it as NIfTI")
    scored.sort(key=lambda entry: -entry[0])
    best, words, turn = scored[0]
    second = scored[1][0] if len(scored) > 1 else -1.0
    if best < _LEAST_LIKENESS or best - second < _LEAST_LEAD:
        raise MetadataError(
            f"{what} does not say how it lies in the scanner, and its magnitude does not tell (correlation with the "
            f"GRE {best:.3f}, next best {second:.3f}); save it as NIfTI with the affine of the GRE"
        )
    return turn(array), f"position taken from the magnitude beside it (correlation {best:.3f}): {words}"


def _turns(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    for order in itertools.permutations(range(3)):
        if tuple(shape[axis] for axis in order) != tuple(wanted):
            continue
        for flips in itertools.product((False, True), repeat=3):
            axes = tuple(axis for axis, flip in enumerate(flips) if flip)
            words = f"axes {order}" + (f", reversed along {axes}" if axes else "")
            if order == (0, 1, 2) and not axes:
                words = "as the GRE"
            yield words, _turn(order, axes)


def _turn(order: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return lambda array: np.flip(np.transpose(array, order), axes)


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Correlation over the head, that is where either image is bright: air would make every order look alike."""
    bright = (one > _BRIGHT * np.quantile(one, 0.95)) | (other > _BRIGHT * np.quantile(other, 0.95))
    a, b = one[bright].astype(np.float64), other[bright].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
