from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread

from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.workflow.picture import View, save_picture

SHAPE, VOXEL_MM = (20, 30, 10), (1.0, 1.0, 3.0)


def head():
    """Image that is bright on the patient's left, and its mask; RAS."""
    array = np.zeros(SHAPE, np.float32)
    array[2:18, 3:27, 2:8] = 0.4
    array[3:7, 10:20, 3:7] = 1.0
    return array, array > 0


def picture(path, array, mask, grid):
    save_picture(path, [View("χ", "ppb", array, (0.0, 1.0), {"#ffb000": mask})], grid, title="sub-01_ses-01")
    return imread(path)[..., :3]


def test_patient_left_is_on_screen_right(tmp_path):
    array, mask = head()
    pixels = picture(tmp_path / "a.png", array, mask, Grid(SHAPE, np.diag([*VOXEL_MM, 1.0])))
    axial = pixels[: pixels.shape[0] * 45 // 100]
    bright = np.argwhere(np.all(axial > 0.98, axis=-1))
    columns, counts = np.unique(bright[:, 1], return_counts=True)
    solid = columns[counts > 20]
    assert solid.min() > pixels.shape[1] / 2


@pytest.mark.parametrize("codes", ["RAS", "LPI", "PIR", "SAL"])
def test_orientation_on_disk_does_not_matter(tmp_path, codes):
    array, mask = head()
    upright = Grid(SHAPE, np.diag([*VOXEL_MM, 1.0]))
    expected = picture(tmp_path / "a.png", array, mask, upright)
    turned, grid = reoriented(array, upright, codes)
    assert "".join(nib.aff2axcodes(grid.affine)) == codes
    found = picture(tmp_path / "b.png", turned, reoriented(mask, upright, codes)[0], grid)
    np.testing.assert_array_equal(found, expected)


def test_nothing_to_outline_is_drawn_too(tmp_path):
    array = np.zeros(SHAPE, np.float32)
    pixels = picture(tmp_path / "a.png", array, array > 0, Grid(SHAPE, np.diag([*VOXEL_MM, 1.0])))
    assert pixels.size
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
