from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.host.closed_surface import normals, octasphere, voxels_inside


@pytest.mark.parametrize("frequency", [1, 2, 5, 12])
def test_a_closed_sphere(frequency):
    mesh = octasphere(frequency)
    assert len(mesh.directions) == 4 * frequency**2 + 2
    assert len(mesh.faces) == 8 * frequency**2
    np.testing.assert_allclose(np.linalg.norm(mesh.directions, axis=1), 1)
    edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()  # no gaps
    np.testing.assert_allclose(mesh.neighbours @ np.ones(len(mesh.directions)), 1)
    assert (np.sum(normals(mesh, mesh.directions) * mesh.directions, axis=1) > 0.9).all()


def test_the_sphere_has_the_symmetry_of_the_axes():
    directions = octasphere(6).directions
    turned = (directions * [1, -1, 1])[:, [2, 0, 1]]
    nearest = np.linalg.norm(directions[:, None] - turned, axis=-1).min(axis=0)
    np.testing.assert_allclose(nearest, 0, atol=1e-12)


@pytest.mark.parametrize("centre", [(20.0, 17.0, 12.0), (2.5, 17.3, -3.0), (39.0, 30.0, 23.0)])
def test_voxels_inside_an_ellipsoid(centre):
    """Also where the surface leaves the image, and where it is symmetric about voxel centres."""
    mesh, shape, radii = octasphere(40), (40, 33, 24), (15.0, 12.0, 9.0)
    found = voxels_inside(mesh, mesh.directions * radii + centre, shape)
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]
    squared = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True))
    assert found[squared < 0.98].all()
    assert not found[squared > 1.001].any()
