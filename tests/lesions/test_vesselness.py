"""Tubes, plates and blobs with Gaussian profiles, averaged over voxels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError, ShapeMismatchError
from napari_msqsm.lesions.vesselness import symmetric_eigenvalues, vesselness
from napari_msqsm.model.grid import Grid, reoriented

SD_MM = 1.5
ISOTROPIC = (1.0, 1.0, 1.0)
VOXELS = [ISOTROPIC, (0.75, 0.75, 1.5), (2.0, 1.0, 1.0), (0.75, 0.75, 3.0)]
WAYS = [(1, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1), (0, 1, 2)]


def solid(kind, voxel_mm, way, sd_mm=SD_MM, parts=4, length_mm=30.0):
    """Image of height 1 through the middle voxel, and its grid."""
    way = np.array(way, float) / np.linalg.norm(way)
    shape = [round(length_mm / step) | 1 for step in voxel_mm]
    axes = [
        (np.arange(n * parts) - (n * parts - 1) / 2) * step / parts for n, step in zip(shape, voxel_mm, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    along = way[0] * x + way[1] * y + way[2] * z
    whole = x * x + y * y + z * z
    square = {"tube": whole - along**2, "plate": along**2, "blob": whole}[kind]
    image = np.exp(-square / (2 * sd_mm**2)).astype(np.float32)
    a, b, c = shape
    return image.reshape(a, parts, b, parts, c, parts).mean(axis=(1, 3, 5)), Grid(shape, np.diag([*voxel_mm, 1.0]))


def answer(kind, voxel_mm, way, measure, **more):
    image, grid = solid(kind, voxel_mm, way)
    found = vesselness(image, grid, scales_mm=(SD_MM,), measure=measure, structure=0.3, **more)
    return float(found[tuple(n // 2 for n in grid.shape)])


@pytest.mark.parametrize("voxel_mm", VOXELS)
@pytest.mark.parametrize("way", WAYS)
def test_a_tube_answers_the_same_however_it_lies(voxel_mm, way):
    """A Gaussian tube of height 1 has ∂² = −1/(4 s²) across at σ = s: σ² times that is 1/4."""
    assert answer("tube", voxel_mm, way, "sato") == pytest.approx(0.25, rel=0.07)
    s = 0.25 * np.sqrt(2)
    wanted = (1 - np.exp(-2)) * (1 - np.exp(-(s**2) / (2 * 0.3**2)))
    assert answer("tube", voxel_mm, way, "frangi") == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("voxel_mm", VOXELS)
@pytest.mark.parametrize("way", [(1, 0, 0), (0, 0, 1), (1, 1, 1)])
def test_plates_and_blobs_hardly_answer(voxel_mm, way):
    for measure in ("sato", "frangi"):
        tube = answer("tube", voxel_mm, way, measure)
        assert answer("plate", voxel_mm, way, measure) < 0.02 * tube
        assert answer("blob", voxel_mm, way, measure) < 0.15 * tube


def test_the_scale_of_the_tube_answers_most():
    image, grid = solid("tube", ISOTROPIC, (1, 1, 1), sd_mm=1.5)
    middle = tuple(n // 2 for n in grid.shape)
    found = {scale: float(vesselness(image, grid, scales_mm=(scale,))[middle]) for scale in (0.8, 1.5, 2.8)}
    assert max(found, key=found.get) == 1.5
    for scale, value in found.items():
        assert value == pytest.approx(1.5**2 * scale**2 / (1.5**2 + scale**2) ** 2, rel=0.03)
    every = vesselness(image, grid, scales_mm=tuple(found))
    assert float(every[middle]) == pytest.approx(found[1.5])


def test_dark_tubes_and_masks():
    image, grid = solid("tube", ISOTROPIC, (1, 0, 0))
    bright = vesselness(image, grid, scales_mm=(1.5,))
    np.testing.assert_allclose(vesselness(-image, grid, scales_mm=(1.5,), bright=False), bright)
    assert vesselness(image, grid, scales_mm=(1.5,), bright=False)[15, 15, 15] == 0
    mask = np.zeros(grid.shape, bool)
    mask[10:20, 12:18, 15] = True
    found = vesselness(image, grid, scales_mm=(1.5,), mask=mask)
    np.testing.assert_allclose(found[mask], bright[mask])
    assert not found[~mask].any()
    assert not vesselness(image, grid, mask=np.zeros(grid.shape, bool)).any()


def test_order_and_direction_of_axes_do_not_matter():
    image, grid = solid("tube", (0.75, 0.75, 3.0), (0, 1, 2))
    image = image + 0.02 * np.random.default_rng(0).standard_normal(image.shape).astype(np.float32)
    turned, other = reoriented(image, grid, "SLP")
    back, _ = reoriented(vesselness(np.ascontiguousarray(turned), other), other, grid.axis_codes)
    np.testing.assert_allclose(back, vesselness(image, grid), atol=2e-5)


def test_eigenvalues_against_lapack():
    rng = np.random.default_rng(1)
    parts = rng.standard_normal((6, 500))
    parts[:, 0] = 0
    parts[:, 1] = (2, 2, 2, 0, 0, 0)
    xx, yy, zz, xy, xz, yz = parts
    matrices = np.moveaxis(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]), -1, 0)
    np.testing.assert_allclose(symmetric_eigenvalues(parts), np.linalg.eigvalsh(matrices).T[::-1], atol=1e-5)


def test_refusals():
    image, grid = np.zeros((5, 5, 5), np.float32), Grid((5, 5, 5), np.eye(4))
    with pytest.raises(ParameterError, match="scales_mm must be positive"):
        vesselness(image, grid, scales_mm=(1.0, 0.0))
    with pytest.raises(ShapeMismatchError, match="the mask has shape"):
        vesselness(image, grid, mask=np.ones((4, 5, 5), bool))
