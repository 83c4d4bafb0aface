"""Segmentations are told apart by what they hold."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.io.label_images import load_label_image

LIA = np.array([[-1.0, 0, 0, 5], [0, 0, 1, -6], [0, -1, 0, 7], [0, 0, 0, 1]])


def test_mask_labels_and_probability(tmp_path, write_nifti):
    values = np.zeros((4, 5, 6), np.float32)
    values[1, 1, 1] = 255
    assert load_label_image(write_nifti(tmp_path / "a.nii", values)).content == "mask"
    values[2, 2, 2] = 3
    labels = load_label_image(write_nifti(tmp_path / "b.nii", values))
    assert labels.content == "labels"
    assert labels.labels == (3, 255)
    values = values / 300
    found = load_label_image(write_nifti(tmp_path / "c.nii", values))
    assert (found.content, found.labels) == ("probability", ())


def test_freesurfer_keeps_its_position(tmp_path):
    values = np.zeros((4, 5, 6), np.int32)
    values[1, 2, 3] = 99
    nib.save(nib.MGHImage(values, LIA), tmp_path / "seg.mgz")
    found = load_label_image(tmp_path / "seg.mgz")
    np.testing.assert_allclose(found.volume.grid.affine, LIA, atol=1e-5)
    assert found.labels == (99,)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 3, 3), np.float32), "is empty"),
        (np.full((3, 3, 3), 1.5, np.float32), "neither labels nor probabilities"),
        (np.full((3, 3, 3), -2.0, np.float32), "labels are 0 and above"),
    ],
)
def test_what_is_no_segmentation_is_refused(tmp_path, write_nifti, refused, values, words):
    path = write_nifti(tmp_path / "a.nii", values)
    with refused(path, words):
        load_label_image(path)


def test_damaged_freesurfer_image(tmp_path, refused):
    (tmp_path / "seg.mgz").write_bytes(b"no image")
    with refused("cannot be read as a FreeSurfer image"):
        load_label_image(tmp_path / "seg.mgz")
    with pytest.raises(InputError, match="does not exist"):
        load_label_image(tmp_path / "other.mgz")
