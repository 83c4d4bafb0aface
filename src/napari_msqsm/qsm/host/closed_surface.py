"""Closed triangle meshes around one point: a sphere to start from, normals, and the voxels inside (host only).

The sphere is a subdivided octahedron, so that it is the same after any exchange or flip of axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OFF_GRID = (1.234e-4, 2.718e-4)
"""Columns run this part of a voxel beside the voxel centres, so that none runs along an edge of a symmetric mesh."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Connectivity of a closed mesh.

    Parameters
    ----------
    directions
        (n, 3) vertices on the unit sphere.
    faces
        (m, 3) vertices of each triangle, counter-clockwise seen from outside.
    neighbours
        (n, n) sparse; row i averages over the neighbours of vertex i.
    faces_of
        (n, m) sparse incidence of vertices and faces.
    """

    directions: NDArray[np.float64]
    faces: NDArray[np.intp]
    neighbours: sparse.csr_array
    faces_of: sparse.csr_array


def octasphere(frequency: int) -> Mesh:
    """Octahedron with edges of ``frequency`` parts, blown up to a sphere: 4 frequency² + 2 vertices."""
    n = frequency
    steps = np.arange(-n, n + 1)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    corners = grid[np.abs(grid).sum(-1) == n]
    index = np.full((2 * n + 1,) * 3, -1)
    index[tuple((corners + n).T)] = np.arange(len(corners))
    i, j = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    up = np.stack([(i, j), (i + 1, j), (i, j + 1)], axis=1)[:, :, i + j < n]
    down = np.stack([(i + 1, j), (i + 1, j + 1), (i, j + 1)], axis=1)[:, :, i + j < n - 1]
    ij = np.concatenate([up, down], axis=2)
    octant = np.stack([*ij, n - ij.sum(0)], axis=-1)
    faces = []
    for signs in np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3):
        triangles = index[tuple(np.moveaxis(octant * signs + n, -1, 0))].T
        faces.append(triangles if np.prod(signs) > 0 else triangles[:, ::-1])
    found = np.concatenate(faces)
    rows = found[:, [0, 1, 2, 1, 2, 0]].ravel()
    columns = found[:, [1, 2, 0, 0, 1, 2]].ravel()
    links = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(len(corners),) * 2)
    links.data[:] = 1.0
    neighbours = sparse.csr_array(sparse.diags_array(1.0 / links.sum(axis=1)) @ links)
    which = np.repeat(np.arange(len(found)), 3)
    faces_of = sparse.csr_array((np.ones(which.size), (found.ravel(), which)), shape=(len(corners), len(found)))
    directions = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    return Mesh(directions, found, neighbours, faces_of)


def normals(mesh: Mesh, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) outward unit normals of the vertices."""
    a, b, c = (vertices[mesh.faces[:, k]] for k in range(3))
    found = mesh.faces_of @ np.cross(b - a, c - a)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def voxels_inside(mesh: Mesh, vertices: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Voxels whose centre lies inside a closed mesh: an odd number of its faces lies below them.

    Parameters
    ----------
    mesh
        Connectivity.
    vertices
        (n, 3) in voxels; parts of the mesh may lie outside the image.
    shape
        (X, Y, Z) of the image.
    """
    corner = vertices[mesh.faces]  # (m, 3 corners, 3)
    low = np.ceil(corner[:, :, :2].min(1) - _OFF_GRID).astype(int).clip(0)
    high = np.floor(corner[:, :, :2].max(1) - _OFF_GRID).astype(int)
    high = np.minimum(high, np.array(shape[:2]) - 1)
    extent = np.maximum(high - low + 1, 0)
    count = extent.prod(1)
    face = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    x = low[face, 0] + place // extent[face, 1]
    y = low[face, 1] + place % extent[face, 1]
    a, b, c = (corner[face, k] for k in range(3))
    px, py = x + _OFF_GRID[0] - a[:, 0], y + _OFF_GRID[1] - a[:, 1]
    (ux, uy, uz), (vx, vy, vz) = (b - a).T, (c - a).T
    area = ux * vy - uy * vx
    with np.errstate(divide="ignore", invalid="ignore"):
        s, t = (px * vy - py * vx) / area, (ux * py - uy * px) / area
        hit = (s >= 0) & (t >= 0) & (s + t <= 1)
    z = np.ceil(a[hit, 2] + s[hit] * uz[hit] + t[hit] * vz[hit])
    crossings = np.zeros((shape[0], shape[1], shape[2] + 1), dtype=np.uint8)
    np.bitwise_xor.at(crossings, (x[hit], y[hit], z.clip(0, shape[2]).astype(int)), 1)
    return np.asarray(np.bitwise_xor.accumulate(crossings, axis=2)[:, :, :-1].astype(bool))
