r"""The Laplace operator on voxels of any shape, to second or fourth order.

Second order uses the six neighbours. For a harmonic image its leading error, :math:`\sum_i h_i^2 \partial_i^4 / 12`,
equals :math:`-\sum_{i<j} (h_i^2 + h_j^2)\, \partial_i^2 \partial_j^2 / 12`, which the twelve diagonal neighbours in
the planes of the axes can take away:

.. math:: L_4 = \sum_i \delta_i^2 / h_i^2 + \sum_{i<j} \frac{h_i^2 + h_j^2}{12}\, \delta_i^2 \delta_j^2 / (h_i h_j)^2

−L₄ is symmetric and positive for every voxel shape: its symbol is
:math:`4 \sum_i s_i h_i^{-2} (1 - \sum_{j \ne i} s_j / 3)` with :math:`s_i = \sin^2(\pi k_i h_i) \le 1`.

Source: for cubes, Kyei Y et al., Adv Numer Anal 2010;352174 (doi 10.1155/2010/352174); other shapes by the line above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.stencils import shrunk, weighted_laplacian

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def minus_laplacian(image: Array, voxel_size_mm: tuple[float, float, float], *, order: int) -> Array:
    """Minus the Laplacian, per mm²; right wherever `has_neighbours`.

    Parameters
    ----------
    image
        (X, Y, Z).
    voxel_size_mm
        Voxel edges.
    order
        2 or 4: power of the voxel size with which the error falls for harmonic images.
    """
    if order == 2:
        return weighted_laplacian(image, None, voxel_size_mm)
    wx, wy, wz = (1.0 / step**2 for step in voxel_size_mm)
    dx, dy = _second_difference(image, 0), _second_difference(image, 1)
    along_y = _second_difference(((wx + wy) / 12.0) * dx + wy * image, 1)
    along_z = _second_difference(((wx + wz) / 12.0) * dx + ((wy + wz) / 12.0) * dy + wz * image, 2)
    return -wx * dx - along_y - along_z


def has_neighbours(mask: Array, *, order: int) -> Array:
    """Voxels of the mask all of whose neighbours that `minus_laplacian` uses lie in it, too."""
    if order == 2:
        return shrunk(mask)
    lines = [_lines(mask, axis) for axis in range(2)]
    return shrunk(mask) & _lines(lines[0], 1) & _lines(lines[0], 2) & _lines(lines[1], 2)


def _second_difference(image: Array, axis: int) -> Array:
    out = -2.0 * image
    ahead, behind = _shifted(axis)
    out[ahead] += image[behind]
    out[behind] += image[ahead]
    return out


def _lines(mask: Array, axis: int) -> Array:
    """Voxels with both neighbours along the axis in the mask; at the image's edge, the one that there is."""
    out = namespace_of(mask).asarray(mask, copy=True)
    ahead, behind = _shifted(axis)
    out[ahead] &= mask[behind]
    out[behind] &= mask[ahead]
    return out


def _shifted(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    behind = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    return ahead, behind
