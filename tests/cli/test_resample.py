"""``msqsm resample``."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.cli import common
from napari_msqsm.io.transforms import write_transform
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform

SHAPE = (20, 22, 12)
AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


@pytest.fixture
def files(tmp_path):
    """Moving image, fixed image 3 mm further along x, and the shift that lays them on each other."""
    image = np.random.default_rng(0).integers(100, 1000, SHAPE).astype(np.int16)
    moved = AFFINE.copy()
    moved[0, 3] = 3.0
    nib.save(nib.Nifti1Image(image, AFFINE), tmp_path / "moving.nii.gz")
    nib.save(nib.Nifti1Image(image, moved), tmp_path / "fixed.nii.gz")
    shift = np.eye(4)
    shift[0, 3] = -3.0
    write_transform(tmp_path / "t.txt", AffineTransform(shift))
    grids = {"fixed_grid": Grid(SHAPE, moved), "moving_grid": Grid(SHAPE, AFFINE)}
    write_transform(tmp_path / "t.mat", AffineTransform(shift), **grids)
    return tmp_path


def arguments(folder, **changed):
    given = {
        "moving": folder / "moving.nii.gz",
        "fixed": folder / "fixed.nii.gz",
        "transform": folder / "t.txt",
        "out": folder / "out.nii.gz",
    } | changed
    return [part for name, value in given.items() for part in (f"--{name}", str(value))]


@pytest.mark.parametrize("interpolation", ["lanczos", "quintic", "cubic", "linear", "label"])
@pytest.mark.parametrize("transform", ["t.txt", "t.mat"])
def test_image_lies_on_the_fixed_one(msqsm, files, interpolation, transform):
    if interpolation == "label":
        image = nib.load(files / "moving.nii.gz")
        blocks = np.zeros(SHAPE, np.int16)
        blocks[4:10, 5:12, 3:8] = 300
        nib.save(nib.Nifti1Image(blocks, image.affine), files / "moving.nii.gz")
    given = arguments(files, transform=files / transform, interpolation=interpolation, json=files / "r.json")
    ran = msqsm("resample", *given)
    assert ran.code == 0, ran.err
    out, moving = nib.load(files / "out.nii.gz"), nib.load(files / "moving.nii.gz")
    np.testing.assert_allclose(np.asarray(out.dataobj), np.asarray(moving.dataobj), atol=0.05)
    np.testing.assert_allclose(out.affine, nib.load(files / "fixed.nii.gz").affine)
    assert out.get_data_dtype() == (np.int16 if interpolation == "label" else np.float32)
    told = json.loads((files / "r.json").read_text("utf-8"))
    assert told["covered_fraction"] == 1.0
    assert told["interpolation"] == interpolation


def test_volumes_of_a_stack_one_by_one(msqsm, files):
    one = np.asarray(nib.load(files / "moving.nii.gz").dataobj)
    nib.save(nib.Nifti1Image(np.stack([one, 2 * one, 3 * one], axis=-1), AFFINE), files / "stack.nii.gz")
    assert msqsm("resample", *arguments(files, moving=files / "stack.nii.gz")).code == 0
    out = np.asarray(nib.load(files / "out.nii.gz").dataobj)
    assert out.shape == (*SHAPE, 3)
    np.testing.assert_allclose(out, np.stack([one, 2 * one, 3 * one], axis=-1), atol=0.1)


def test_what_lies_outside_the_mask_does_not_enter(msqsm, files):
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:15, 5:15, 3:9] = 1
    chi = np.where(mask > 0, np.float32(0.05), np.float32(np.nan))
    nib.save(nib.Nifti1Image(chi, AFFINE), files / "moving.nii.gz")
    nib.save(nib.Nifti1Image(mask, AFFINE), files / "mask.nii.gz")
    half = np.eye(4)
    half[0, 3] = -2.5
    write_transform(files / "t.txt", AffineTransform(half))
    refused = msqsm("resample", *arguments(files))
    assert refused.code == common.UNUSABLE
    assert "--mask" in refused.error_lines[-1]
    assert msqsm("resample", *arguments(files, mask=files / "mask.nii.gz")).code == 0
    out = np.asarray(nib.load(files / "out.nii.gz").dataobj)
    np.testing.assert_allclose(out[out != 0], 0.05, atol=1e-6)
    assert np.count_nonzero(out) == pytest.approx(mask.sum(), rel=0.11)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"moving": "none.nii.gz"}, "does not exist"),
        ({"fixed": "none.nii.gz"}, "does not exist"),
        ({"transform": "none.txt"}, "does not exist"),
        ({"transform": "fixed.nii.gz"}, "ITK text"),
        ({"out": "out.txt"}, "must end in"),
        ({"out": "nowhere/out.nii.gz"}, "make it first"),
        ({"interpolation": "label", "mask": "moving.nii.gz"}, "labels have none"),
        ({"transform": "far.txt"}, "does not reach"),
        ({"moving": "complex.nii.gz"}, "complex"),
        ({"moving": "half.nii.gz", "interpolation": "label"}, "whole numbers"),
        ({"mask": "other.nii.gz"}, "other.nii.gz"),
    ],
)
def test_refusals_write_nothing(msqsm, files, changed, word):
    far = np.eye(4)
    far[0, 3] = 900
    write_transform(files / "far.txt", AffineTransform(far))
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.complex64), AFFINE), files / "complex.nii.gz")
    nib.save(nib.Nifti1Image(np.full(SHAPE, 0.5, np.float32), AFFINE), files / "half.nii.gz")
    nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.uint8), AFFINE), files / "other.nii.gz")
    before = set(files.rglob("*"))
    resolved = {name: value if name == "interpolation" else files / value for name, value in changed.items()}
    ran = msqsm("resample", *arguments(files, **resolved), "--quiet")
    assert ran.code == common.UNUSABLE
    assert len(ran.error_lines) == 1
    assert word in ran.error_lines[0]
    assert set(files.rglob("*")) == before
