"""Labels and regions on another grid."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.resampling.labels import resample_labels
from napari_msqsm.model.resampling.region import Region
from napari_msqsm.model.transform import AffineTransform

GRE, ISOTROPIC = (0.75, 0.75, 3.0), (1.0, 1.0, 1.0)


def ball(at, centre, radius):
    return np.linalg.norm(at - np.asarray(centre), axis=-1) < radius


@pytest.fixture
def balls(make_grid, positions):
    """Three balls as labels 2, 5 and 9 on GRE voxels."""
    grid = make_grid((60, 60, 14), GRE)
    labels = np.zeros(grid.shape, np.int16)
    for label, centre, radius in ((2, (-9, 0, 1), 5.2), (5, (9, 3, -2), 3.6), (9, (8, -12, 6), 2.4)):
        labels[ball(positions(grid), centre, radius)] = label
    return labels, grid


def volumes(labels, grid):
    return np.bincount(labels.ravel().astype(int), minlength=10)[[2, 5, 9]] * grid.voxel_volume_mm3


@pytest.mark.parametrize(
    ("voxel", "shape"), [(GRE, (60, 60, 14)), (ISOTROPIC, (48, 48, 44)), ((0.5, 0.5, 2), (90, 90, 22))]
)
def test_every_label_keeps_its_volume(balls, make_grid, make_rigid, voxel, shape):
    labels, grid = balls
    onto = make_grid(shape, voxel, turn_deg=(2, -3, 1))
    out = resample_labels(labels, grid, onto, make_rigid())
    assert out.dtype == labels.dtype
    assert set(np.unique(out)) == {0, 2, 5, 9}
    np.testing.assert_allclose(volumes(out, onto), volumes(labels, grid), rtol=0.02)


def test_labels_lie_where_the_transform_puts_them(balls, make_grid, make_rigid, positions):
    labels, grid = balls
    onto = make_grid((48, 48, 44), ISOTROPIC)
    out = resample_labels(labels, grid, onto, make_rigid())
    for label in (2, 5, 9):
        there = make_rigid().apply(positions(onto)[out == label].mean(axis=0))
        np.testing.assert_allclose(there, positions(grid)[labels == label].mean(axis=0), atol=0.15)


def test_same_grid_changes_nothing(balls):
    labels, grid = balls
    out = resample_labels(labels, grid, grid, AffineTransform.identity())
    assert np.array_equal(out, labels)
    assert out is not labels


@pytest.mark.parametrize("codes", ["LPS", "SRA", "PIR"])
def test_turned_and_flipped_axes_change_no_voxel(make_grid, codes):
    grid = make_grid((24, 20, 12), GRE)
    labels = np.zeros(grid.shape, np.int16)
    labels[4:14, 9, 3:6], labels[12, 10, 7], labels[5, 4:8, 10] = 1, 2, 3  # thinner than smoothing leaves them
    turned, onto = reoriented(labels, grid, codes)
    assert np.array_equal(resample_labels(labels, grid, onto, AffineTransform.identity()), turned)


def test_a_cropped_grid_keeps_its_voxels(make_grid):
    grid = make_grid((24, 20, 12), GRE)
    labels = np.zeros(grid.shape, np.int16)
    labels[4:14, 9, 3:6], labels[20, 10, 7] = 1, 2
    corner = np.eye(4)
    corner[:3, 3] = (3, 2, -1)
    onto = Grid((15, 14, 10), grid.affine @ corner)
    out = resample_labels(labels, grid, onto, AffineTransform.identity())
    assert np.array_equal(out[:, :, 1:], labels[3:18, 2:16, :9])
    assert not out[:, :, 0].any()


def test_touching_labels_leave_no_gap(make_grid, make_rigid, positions):
    grid, onto = make_grid((40, 40, 12), GRE), make_grid((40, 40, 12), GRE)
    at = positions(grid)
    labels = np.zeros(grid.shape, np.uint8)
    labels[ball(at, (0, 0, 0), 9)] = 1
    labels[ball(at, (0, 0, 0), 9) & (at[..., 0] > 0.4)] = 2
    out = resample_labels(labels, grid, onto, make_rigid())
    for label in (1, 2):
        assert np.count_nonzero(out == label) == pytest.approx(np.count_nonzero(labels == label), rel=0.02)
    inner = ball(make_rigid().apply(positions(onto)), (0, 0, 0), 7)
    assert np.all(out[inner] > 0)


def test_labels_beyond_the_grid_are_cut(balls, make_grid, make_rigid, positions):
    labels, grid = balls
    onto = make_grid((24, 60, 14), GRE, centre_mm=(-13.5, 0, 0))
    out = resample_labels(labels, grid, onto, AffineTransform.identity())
    there = positions(grid)[..., 0] < positions(onto)[..., 0].max() + 0.3
    assert np.count_nonzero(out == 2) == pytest.approx(np.count_nonzero((labels == 2) & there), rel=0.03)
    assert not np.any(out == 5)
    far = make_grid((24, 60, 14), GRE, centre_mm=(500, 0, 0))
    assert not resample_labels(labels, grid, far, make_rigid()).any()


def test_fractions_add_up_to_the_volume_drawn(balls, make_grid, make_rigid):
    labels, grid = balls
    for label in (2, 5, 9):
        region = Region.drawn(labels == label, grid)
        assert region.volume_mm3 == np.count_nonzero(labels == label) * grid.voxel_volume_mm3
        for onto, transform in (
            (grid, AffineTransform.identity()),
            (make_grid((60, 60, 14), GRE), make_rigid()),
            (make_grid((48, 48, 44), ISOTROPIC), make_rigid()),
        ):
            _, filled = region.fractions(onto, transform)
            assert filled.min() >= 0
            assert filled.max() <= 1
            assert filled.sum() * onto.voxel_volume_mm3 == pytest.approx(region.volume_mm3, rel=0.01)


def test_a_region_at_the_edge_of_its_grid(make_grid):
    grid = make_grid((10, 10, 4), GRE)
    everything = Region.drawn(np.ones(grid.shape, bool), grid)
    block, filled = everything.fractions(grid, AffineTransform.identity())
    assert [part.stop - part.start for part in block] == [10, 10, 4]
    assert filled[5, 5, 1] == pytest.approx(1.0)


def test_refusals(balls):
    labels, grid = balls
    identity = AffineTransform.identity()
    with pytest.raises(InputError, match="whole numbers"):
        resample_labels(labels * 0.3, grid, grid, identity)
    with pytest.raises(ShapeMismatchError, match="labels have shape"):
        resample_labels(labels[1:], grid, grid, identity)
    with pytest.raises(InputError, match="region is empty"):
        Region.drawn(np.zeros(grid.shape, bool), grid)
    with pytest.raises(ShapeMismatchError, match="region has shape"):
        Region.drawn(labels[1:] == 2, grid)


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 1, 1), (1, 1, 3), (4, 4, 1)])
def test_the_smallest_regions_keep_their_volume(make_grid, make_rigid, size):
    grid = make_grid((20, 20, 12), GRE)
    mask = np.zeros(grid.shape, bool)
    mask[tuple(slice(6, 6 + n) for n in size)] = True
    region = Region.drawn(mask, grid)
    for onto, transform in (
        (grid, AffineTransform.identity()),
        (make_grid((20, 20, 36), (0.75, 0.75, 1)), make_rigid()),
    ):
        _, filled = region.fractions(onto, transform)
        assert filled.sum() * onto.voxel_volume_mm3 == pytest.approx(region.volume_mm3, rel=0.1)
    assert resample_labels(mask.astype(np.uint8), grid, grid, make_rigid()).sum() == mask.sum()
