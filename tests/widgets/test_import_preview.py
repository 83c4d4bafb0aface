"""The look at a series: its middle slice, the way a radiologist sees it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries
from napari_msqsm.widgets.import_preview import Slice, SliceView, middle_slice, preview_file, preview_of
from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

pytestmark = pytest.mark.gui

ORIENTATIONS = [nib.orientations.axcodes2ornt(codes) for codes in ("RAS", "LPS", "PIR", "SAL", "ILA")]


@pytest.fixture(params=ORIENTATIONS, ids=["RAS", "LPS", "PIR", "SAL", "ILA"])
def file(request, tmp_path):
    """One bright voxel on the patient's right in front, in the middle slice; edges of 1, 2 and 3 mm."""
    array = np.zeros((9, 7, 5), np.float32)
    array[7, 5, 2] = 1.0
    image = nib.Nifti1Image(array, np.diag([1.0, 2.0, 3.0, 1.0]))
    path = tmp_path / "image.nii.gz"
    nib.save(
        image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(image.affine), request.param)), path
    )
    return path


def test_the_patients_right_is_left_and_the_front_on_top(file):
    made = middle_slice(file)
    assert made.pixels.shape == (7, 9)
    assert np.argwhere(made.pixels == 255).tolist() == [[1, 1]]
    assert made.size_mm == pytest.approx((9.0, 14.0))


def test_of_a_stack_the_first_volume_is_shown(tmp_path):
    array = np.zeros((4, 4, 3, 2), np.float32)
    array[..., 1] = 5.0
    array[0, 0, 1, 0] = 1.0
    nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / "stack.nii")
    assert np.count_nonzero(middle_slice(tmp_path / "stack.nii").pixels) == 1


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_a_uniform_slice_is_no_error(tmp_path, value):
    nib.save(nib.Nifti1Image(np.full((4, 4, 3), value, np.float32), np.eye(4)), tmp_path / "flat.nii")
    assert not middle_slice(tmp_path / "flat.nii").pixels.any()


def test_the_first_image_of_a_series_is_taken(tmp_path):
    images = (ConvertedImage(Path("a.nii"), "mag", 0.005, (4, 4, 3)), ConvertedImage(Path("b.nii"), "phase", 0.005, ()))
    row = PlannedSeries(ConvertedSeries("1", "1", "A", 1, "x", None, 1, images), "MEGRE", 1.0, "", "01", "01")
    assert preview_file(row) == Path("a.nii")
    empty = PlannedSeries(ConvertedSeries("1", "1", "A", 1, "x", None, 1, ()), "ignore", 1.0, "", "01", "01")
    assert preview_of(empty) is None


def test_it_is_drawn_in_true_proportions(qtbot):
    view = SliceView()
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show_slice(Slice(np.zeros((4, 4), np.uint8), (20.0, 40.0)))
    drawn = view.grab().toImage()
    dark = [x for x in range(200) if drawn.pixelColor(x, 20).lightness() < 50]
    assert 95 <= len(dark) <= 105
    assert dark[0] == pytest.approx(50, abs=3)
    view.show_slice(None)
    assert not view.has_slice
