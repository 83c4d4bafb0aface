"""Regions carried to the grid of a session."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.lesions.carry import carry_roi
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.model.transform import AffineTransform

IDENTITY = AffineTransform.identity()


def test_volume_is_kept_on_both_grids(lesions):
    for one in lesions:
        drawn_mm3 = np.count_nonzero(one.roi) * one.baseline.grid.voxel_volume_mm3
        for there, transform in ((one.baseline, IDENTITY), (one.followup, one.transform)):
            carried = carry_roi(one.roi, one.baseline.grid, there.grid, transform)
            assert carried.whole_mm3 == pytest.approx(drawn_mm3)
            assert carried.volume_mm3 == pytest.approx(drawn_mm3, rel=0.01)


def test_the_solid_is_nearer_to_the_lesion_than_its_drawing(lesions):
    """It is made from voxels of the baseline grid, and yet tells what of each voxel of the other grid is lesion."""
    smooth, stepped = [], []
    for one in lesions:
        carried = carry_roi(one.roi, one.baseline.grid, one.followup.grid, one.transform).weights
        drawing = resample(
            one.roi, one.baseline.grid, one.followup.grid, one.transform.inverse(), interpolation="linear"
        )
        near = (carried > 0) | (one.followup.share > 0) | (drawing > 0)
        smooth.append(np.abs(carried - one.followup.share)[near].mean())
        stepped.append(np.abs(drawing - one.followup.share)[near].mean())
    assert np.mean(smooth) < 0.9 * np.mean(stepped)
    assert np.mean(smooth) < 0.13


def test_order_and_direction_of_axes_do_not_matter(lesions):
    one = lesions[0]
    wanted = carry_roi(one.roi, one.baseline.grid, one.followup.grid, one.transform)
    roi, grid = reoriented(one.roi, one.baseline.grid, "PIR")
    flipped = reoriented(wanted.weights, one.followup.grid, "ALS")
    found = carry_roi(np.ascontiguousarray(roi), grid, flipped[1], one.transform)
    np.testing.assert_allclose(found.weights, flipped[0], atol=2e-3)


def test_a_stretch_changes_the_volume_as_it_should(lesions):
    one = lesions[0]
    stretch = AffineTransform(np.diag([1.1, 1.0, 1.0, 1.0]))
    carried = carry_roi(one.roi, one.baseline.grid, one.baseline.grid, stretch)
    assert carried.volume_mm3 == pytest.approx(carried.whole_mm3, rel=0.02)
    drawn_mm3 = np.count_nonzero(one.roi) * one.baseline.grid.voxel_volume_mm3
    assert carried.whole_mm3 == pytest.approx(1.1 * drawn_mm3)


def test_what_lies_beyond_the_grid_is_known(lesions):
    one = lesions[0]
    half = Grid((20, 40, 12), one.baseline.grid.affine)
    carried = carry_roi(one.roi, one.baseline.grid, half, IDENTITY)
    assert 0.3 < carried.volume_mm3 / carried.whole_mm3 < 0.7
    away = np.eye(4)
    away[0, 3] = 400
    assert carry_roi(one.roi, one.baseline.grid, one.followup.grid, AffineTransform(away)).volume_mm3 == 0


def test_what_was_cut_out_does_not_count(lesions):
    one = lesions[0]
    x, y, z = (int(i) for i in np.argwhere(one.roi).mean(axis=0))
    cut = np.zeros(one.roi.shape, bool)
    cut[:, y : y + 2, z] = True
    baseline = carry_roi(one.roi, one.baseline.grid, one.baseline.grid, IDENTITY, cut=cut)
    whole = carry_roi(one.roi, one.baseline.grid, one.baseline.grid, IDENTITY)
    assert np.all(baseline.weights[cut] == 0)
    assert np.array_equal(baseline.weights[~cut], whole.weights[~cut])
    assert baseline.volume_mm3 == pytest.approx(baseline.whole_mm3, rel=0.01)
    moved = one.transform
    followup = carry_roi(one.roi, one.baseline.grid, one.followup.grid, moved, cut=cut)
    to_followup = np.linalg.inv(one.followup.grid.affine) @ moved.matrix @ one.baseline.grid.affine
    at = np.rint(to_followup @ (x, y + 0.5, z, 1))[:3].astype(int)
    assert followup.weights[tuple(at)] == 0
    assert followup.volume_mm3 == pytest.approx(baseline.volume_mm3, rel=0.15)


def test_a_cut_elsewhere_changes_nothing(lesions):
    one = lesions[1]
    cut = np.zeros(one.roi.shape, bool)
    cut[0, 0, 0] = True
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("z", 20, degrees=True).as_matrix()
    found, plain = (
        carry_roi(one.roi, one.baseline.grid, one.followup.grid, AffineTransform(turn), cut=c) for c in (cut, None)
    )
    assert np.array_equal(found.weights, plain.weights)


def test_refusals(lesions):
    one = lesions[0]
    grid = one.baseline.grid
    with pytest.raises(InputError, match="region is empty"):
        carry_roi(np.zeros(grid.shape, bool), grid, grid, IDENTITY)
    with pytest.raises(ShapeMismatchError, match="cut out has shape"):
        carry_roi(one.roi, grid, grid, IDENTITY, cut=np.zeros((2, 2, 2), bool))
