"""Volumes of ellipsoids whose voxels at the border are filled in part."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.lesions.volume import lesion_volume
from napari_msqsm.model.grid import Grid, reoriented

WHITE, LESION, NOISE = 100.0, 160.0, 4.0


def ellipsoid(rng, size, radii=None):
    """Image of an ellipsoid at a random place and angle, part of each voxel that it fills, grid and true volume."""
    radii = rng.uniform(2.5, 7.0, 3) if radii is None else np.asarray(radii)
    turn = Rotation.random(random_state=int(rng.integers(1 << 30))).as_matrix()
    shape = tuple(int(2 * (radii.max() + 13) / step) + 1 for step in size)
    parts = [int(np.ceil(step / 0.3)) for step in size]
    axes = [
        ((np.arange(n * k) + 0.5) / k - 0.5 - (n - 1) / 2 + rng.uniform(-0.5, 0.5)) * step
        for n, k, step in zip(shape, parts, size, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32) @ turn.astype(np.float32)
    inside = ((points / radii.astype(np.float32)) ** 2).sum(axis=-1) < 1
    share = inside.reshape(shape[0], parts[0], shape[1], parts[1], shape[2], parts[2]).mean(axis=(1, 3, 5))
    image = WHITE + (LESION - WHITE) * share + NOISE * rng.standard_normal(shape)
    return image, share, Grid(shape, np.diag([*size, 1.0])), 4 / 3 * np.pi * float(np.prod(radii))


@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0), (0.75, 0.75, 3.0)])
def test_bias_is_smaller_than_that_of_the_count(size):
    """Drawn with a generous, a fair and a tight outline."""
    rng = np.random.default_rng(5)
    scans = [ellipsoid(rng, size) for _ in range(8)]
    for outline in (0.2, 0.5, 0.8):
        errors = []
        for image, share, grid, true in scans:
            drawn = share >= outline
            found = lesion_volume(image, drawn, np.zeros_like(drawn), grid)
            assert found.count_mm3 == np.count_nonzero(drawn) * grid.voxel_volume_mm3
            errors.append((found.count_mm3 / true - 1, found.partial_mm3 / true - 1))
        count, partial = np.array(errors).T
        assert abs(partial.mean()) < 0.06  # all of it with the tight outline: what is filled a little lies further out
        assert np.abs(partial).mean() < 0.06
        assert np.abs(partial).mean() < np.abs(count).mean()


def test_scale_and_offset_of_the_image_do_not_matter():
    image, share, grid, _ = ellipsoid(np.random.default_rng(1), (1.0, 1.0, 3.0))
    drawn, nothing = share >= 0.5, np.zeros(share.shape, bool)
    found = lesion_volume(image, drawn, nothing, grid).partial_mm3
    assert lesion_volume(7 * image - 400, drawn, nothing, grid).partial_mm3 == pytest.approx(found)


def test_order_and_direction_of_axes_do_not_matter():
    image, share, grid, _ = ellipsoid(np.random.default_rng(2), (1.0, 1.2, 3.0))
    drawn = share >= 0.5
    found = lesion_volume(image, drawn, np.zeros_like(drawn), grid)
    turned = [reoriented(each, grid, "PIL")[0] for each in (image, drawn, np.zeros_like(drawn))]
    again = lesion_volume(*turned, reoriented(image, grid, "PIL")[1])
    assert again.partial_mm3 == pytest.approx(found.partial_mm3)
    assert again.count_mm3 == pytest.approx(found.count_mm3)


def test_a_crop_is_enough():
    image, share, grid, _ = ellipsoid(np.random.default_rng(3), (1.0, 1.0, 3.0), (4, 4, 4))
    drawn = share >= 0.5
    large, large_drawn = np.pad(image, 9, mode="wrap"), np.pad(drawn, 9)
    found = lesion_volume(large, large_drawn, np.zeros_like(large_drawn), Grid(large.shape, grid.affine))
    assert found == lesion_volume(image, drawn, np.zeros_like(drawn), grid)


def test_neighbours_do_not_count():
    """Another lesion that touches this one is neither white matter nor part of it."""
    rng = np.random.default_rng(4)
    image, share, grid, true = ellipsoid(rng, (1.0, 1.0, 1.0), (6, 6, 6))
    drawn = share >= 0.5
    x = int(np.argwhere(drawn)[:, 0].max())
    other = np.zeros_like(drawn)
    other[x + 1 :, :, :] = True
    bright = np.where(other, LESION, image)
    found = lesion_volume(bright, drawn, other, grid)
    assert found.partial_mm3 == pytest.approx(true, rel=0.05)


def test_no_number_where_the_lesion_does_not_stand_out():
    image, share, grid, _ = ellipsoid(np.random.default_rng(6), (1.0, 1.0, 1.0))
    drawn, nothing = share >= 0.5, np.zeros(share.shape, bool)
    flat = WHITE + NOISE * np.random.default_rng(7).standard_normal(share.shape)
    found = lesion_volume(flat, drawn, nothing, grid)
    assert (found.partial_mm3, found.reason) == (None, "it is not brighter than the tissue around it")
    assert found.count_mm3 > 0
    found = lesion_volume(image, drawn, ~drawn, grid)
    assert (found.partial_mm3, found.reason) == (None, "too little tissue without lesions around it")
    found = lesion_volume(image, nothing, nothing, grid)
    assert (found.count_mm3, found.partial_mm3, found.reason) == (0.0, None, "nothing was drawn")
    with pytest.raises(ShapeMismatchError, match="the image of other lesions has shape"):
        lesion_volume(image, drawn, nothing[1:], grid)
