"""Label images on another grid, by signed distance (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.model.resampling.region import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform

_SAME_VOXEL = 1e-4
"""In voxels per voxel; some hundredths of a voxel at the far end of an image."""


def resample_labels(labels: NDArray[Any], grid: Grid, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Carry labels to another grid; every label keeps its volume.

    Parameters
    ----------
    labels
        (X, Y, Z) whole numbers; 0 is background.
    grid, onto, transform
        As in `napari_msqsm.model.resampling.resample.resample`.

    Returns
    -------
    NDArray
        (X', Y', Z') of the same type. What lies outside ``grid`` is background.

    Raises
    ------
    InputError
        When the values are not whole numbers.
    ShapeMismatchError
        When the labels do not lie on the grid.

    Notes
    -----
    Each label becomes a smooth solid (`Region`). Of the voxels of ``onto`` it gets those that it fills most, as many
    as its volume amounts to there (labels that reach beyond ``onto`` are cut). A voxel that two labels claim goes to
    the one that fills more of it, and the other one gets the next of those that are left. Where the voxels of both
    grids coincide (the same grid, turned, flipped or cropped) they keep their label.
    """
    if labels.shape != grid.shape:
        raise ShapeMismatchError(f"the labels have shape {labels.shape} but their grid has {grid.shape}")
    values = np.unique(labels)
    if labels.dtype.kind == "f" and not np.all(values == np.rint(values)):
        raise InputError("a label image holds whole numbers; interpolate other images with lanczos")
    placement = np.linalg.inv(grid.affine) @ transform.matrix @ onto.affine
    if _on_voxels(placement):
        return _picked(labels, placement, onto.shape)
    out, best = np.zeros(onto.shape, dtype=labels.dtype), np.zeros(onto.shape, dtype=np.float32)
    wanted = []
    for value in values[values != 0]:
        block, filled = Region.drawn(labels == value, grid).fractions(onto, transform)
        n = round(float(filled.sum(dtype=np.float64)))
        won = _fullest(filled, n) & (filled > best[block])
        out[block][won], best[block][won] = value, filled[won]
        wanted.append((value, block, filled, n))
    for value, block, filled, n in wanted:
        free = np.where(out[block] == 0, filled, np.float32(0))
        out[block][_fullest(free, n - int(np.count_nonzero(out[block] == value)))] = value
    return out


def _on_voxels(placement: NDArray[np.float64]) -> bool:
    """Whether every voxel of one grid is a voxel of the other."""
    whole = np.rint(placement)
    close = np.allclose(placement, whole, rtol=0, atol=_SAME_VOXEL)
    return bool(close and np.all(np.abs(whole[:3, :3]).sum(axis=0) == 1))


def _picked(labels: NDArray[Any], placement: NDArray[np.float64], shape: tuple[int, int, int]) -> NDArray[Any]:
    """Labels of the voxels that voxels of a grid are; background beyond them."""
    index = np.ogrid[tuple(slice(0, n) for n in shape)]
    inside = np.ones(shape, dtype=np.bool_)
    at = []
    for row, n in zip(np.rint(placement).astype(np.intp), labels.shape, strict=False):
        voxel = sum(step * along for step, along in zip(row, index, strict=False)) + row[3]
        inside &= (voxel >= 0) & (voxel < n)
        at.append(np.clip(voxel, 0, n - 1))
    return np.asarray(np.where(inside, labels[tuple(at)], 0), dtype=labels.dtype)


def _fullest(filled: NDArray[np.float32], n: int) -> NDArray[np.bool_]:
    """Take the n voxels with the largest fractions."""
    order = np.argsort(filled, axis=None, kind="stable")[filled.size - max(n, 0) :]
    chosen = np.zeros(filled.size, dtype=np.bool_)
    chosen[order] = True
    return chosen.reshape(filled.shape) & (filled > 0)
