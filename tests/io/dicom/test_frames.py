"""Frames of enhanced files: sorted, checked against images, taken apart."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pydicom
import pytest

from dicom_scanner import ECHO_TIMES_S, Geometry, Patient, Visit, write_gre
from napari_msqsm.io.dicom.frame_check import shows_frames
from napari_msqsm.io.dicom.frames import frame_groups, write_group
from napari_msqsm.io.dicom.header import read_dataset
from napari_msqsm.io.dicom.instance import read_instance

GEOMETRY = Geometry(oblique_deg=(8, 3, -4))


@pytest.fixture
def path(tmp_path):
    options = {"visit": Visit(vendor="siemens-xa"), "together": True, "mixed": True}
    (written,) = write_gre(tmp_path, GEOMETRY, ECHO_TIMES_S, patient=Patient(), number=1, **options)
    return written.files[0]


def test_frames_are_sorted_by_part_and_echo(path):
    groups = frame_groups(read_dataset(str(path)))
    assert {(group.part, group.echo_time_ms) for group in groups} == {
        (part, time) for part in ("mag", "phase") for time in (5.0, 10.0, 15.0)
    }
    assert sorted(frame for group in groups for frame in group.frames) == list(range(36))
    for group in groups:
        assert [round(place, 6) for place in group.positions[2]] == [round(x, 6) for x in GEOMETRY.position(2)]


def test_a_group_alone_has_its_frames_and_pixels(path, tmp_path):
    whole = pydicom.dcmread(path).pixel_array
    for n, group in enumerate(frame_groups(read_dataset(str(path)))):
        target = tmp_path / f"{n}.dcm"
        write_group(str(path), group, target)
        np.testing.assert_array_equal(pydicom.dcmread(target).pixel_array, whole[list(group.frames)])
        (alone,) = frame_groups(read_dataset(str(target)))
        assert (alone.part, alone.echo_time_ms, alone.positions) == (group.part, group.echo_time_ms, group.positions)
        assert read_instance(str(target)).part == group.part


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("change", ["none", "swapped", "other echo"])
def test_slices_are_compared_with_frames(path, tmp_path, change, backwards):
    groups = frame_groups(read_dataset(str(path)))
    pixels = pydicom.dcmread(path).pixel_array.astype(np.int16)
    values = np.moveaxis(pixels[list(groups[0].frames)], 0, -1).transpose(1, 0, 2)
    if change == "swapped":
        values[:, :, [1, 2]] = values[:, :, [2, 1]]
    affine = GEOMETRY.affine.copy()
    if backwards:
        values = values[:, :, ::-1]
        affine[:3, 3] += 5 * affine[:3, 2]
        affine[:3, 2] *= -1
    nib.save(nib.Nifti1Image(np.ascontiguousarray(values[:, ::-1]), affine), tmp_path / "image.nii")
    group = groups[2] if change == "other echo" else groups[0]
    assert shows_frames(tmp_path / "image.nii", read_instance(str(path)), group) == (change == "none")
