"""Foreign images on the voxels of a session: every order and direction of axes, oblique, odd sizes."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import Volume
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.workflow.bring_in.placement import on_grid, place, place_by_likeness

SHAPE = (7, 9, 8)
TURN = np.deg2rad(12)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = np.array([[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1]]) @ np.diag(
    [0.8, 0.9, 2.5]
)
OBLIQUE[:3, 3] = (-3.0, 12.0, 5.0)
OPPOSITE = {"R": "L", "A": "P", "S": "I"}
CODES = [
    "".join(codes)
    for axes in itertools.permutations("RAS")
    for codes in itertools.product(*((axis, OPPOSITE[axis]) for axis in axes))
]


@pytest.fixture
def values():
    return np.random.default_rng(2).random(SHAPE).astype(np.float32)


@pytest.mark.parametrize("codes", CODES)
def test_every_order_of_axes_comes_back_voxel_for_voxel(values, codes):
    wanted = Grid(SHAPE, OBLIQUE)
    turned, grid = reoriented(values, wanted, codes)
    found = on_grid(turned, grid, wanted)
    assert found is not None
    np.testing.assert_array_equal(found[0], values)
    assert bool(found[1]) == (not grid.same_as(wanted))


@pytest.mark.parametrize("change", ["shift", "turn", "size"])
def test_other_voxels_are_not_taken(values, change):
    affine = OBLIQUE.copy()
    if change == "shift":
        affine[0, 3] += 0.4
    elif change == "turn":
        affine[:3, :3] = np.array([[1, -0.05, 0], [0.05, 1, 0], [0, 0, 1]]) @ affine[:3, :3]
    else:
        affine[:3, :3] *= 1.1
    assert on_grid(values, Grid(SHAPE, affine), Grid(SHAPE, OBLIQUE)) is None


def test_the_preferred_image_wins_where_two_share_a_grid(values, tmp_path):
    images = {}
    for name, affine in (("GRE", OBLIQUE), ("FLAIR", OBLIQUE), ("T1w", np.eye(4))):
        images[name] = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(values, affine), images[name])
    volume = Volume(values, Grid(SHAPE, OBLIQUE))
    assert place(volume, images, what="mask")[0] == "GRE"
    assert place(volume, images, what="mask", prefer="FLAIR")[0] == "FLAIR"
    with pytest.raises(ShapeMismatchError, match="msqsm resample"):
        place(volume, {"T1w": images["T1w"]}, what="mask")
    with pytest.raises(ShapeMismatchError, match="it has none"):
        place(volume, {}, what="mask")


@pytest.mark.parametrize(
    ("order", "flips"),
    [(order, flips) for order in itertools.permutations(range(3)) for flips in ((), (0,), (1, 2), (0, 1, 2))],
)
def test_a_magnitude_tells_every_order_and_direction(values, order, flips):
    def turn(array):
        return np.flip(np.transpose(array, order), flips)

    chi = values - 0.5
    placed, _ = place_by_likeness(turn(chi), turn(3.7 * values), values, what="map")
    np.testing.assert_array_equal(placed, chi)


def test_a_symmetric_or_other_magnitude_tells_nothing(values):
    symmetric = values + values[::-1]
    with pytest.raises(MetadataError, match="does not tell"):
        place_by_likeness(values, symmetric, symmetric, what="map")
    with pytest.raises(MetadataError, match="does not tell"):
        place_by_likeness(values, np.random.default_rng(9).random(SHAPE), values, what="map")
    with pytest.raises(ShapeMismatchError, match="save it as NIfTI"):
        place_by_likeness(values[1:], values[1:], values, what="map")
