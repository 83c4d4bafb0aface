"""NIfTI volumes: what is read, what is refused, what is written."""

from __future__ import annotations

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import load_mask, load_raw, load_volume, save_volume
from napari_msqsm.model.grid import Grid

SHAPE = (4, 5, 6)


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "weird name (1).v2.nii.gz"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint16", "uint8", ">f4", ">i2"])
def test_values_and_grid_are_those_of_the_file(tmp_path, write_nifti, values, dtype, name):
    stored = (values * 20 + 100).astype(dtype)
    volume = load_volume(write_nifti(tmp_path / name, stored))
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, stored.astype(np.float32))
    assert volume.grid.shape == SHAPE
    assert volume.grid.voxel_size_mm == (1.0, 1.5, 2.0)
    assert volume.assumptions == ()


def test_header_scaling_is_applied(tmp_path, write_nifti):
    stored = np.arange(120, dtype=np.int16).reshape(SHAPE)
    raw = load_raw(write_nifti(tmp_path / "a.nii", stored, slope=0.5, inter=-3.0))
    np.testing.assert_allclose(raw.array, stored * 0.5 - 3)
    assert raw.stored_as_integer
    assert (raw.slope, raw.intercept) == (0.5, -3.0)


def test_trailing_single_axes_are_dropped(tmp_path, write_nifti, values):
    volume = load_volume(write_nifti(tmp_path / "a.nii", values[..., None, None]))
    assert volume.array.shape == SHAPE


def test_single_slice_is_a_volume(tmp_path, write_nifti, values):
    assert load_volume(write_nifti(tmp_path / "a.nii", values[:, :, :1])).array.shape == (4, 5, 1)


def test_stack_of_echoes_keeps_its_axis(tmp_path, write_nifti, values):
    raw = load_raw(write_nifti(tmp_path / "a.nii", np.stack([values, 2 * values, 3 * values], axis=-1)))
    assert raw.array.shape == (*SHAPE, 3)
    assert raw.grid.shape == SHAPE


def test_nifti_2_is_read(tmp_path, values):
    nib.save(nib.Nifti2Image(values, np.eye(4)), tmp_path / "a.nii")
    np.testing.assert_array_equal(load_volume(tmp_path / "a.nii").array, values)


def test_missing_file(tmp_path, refused):
    with refused("phase", "none.nii.gz", "does not exist"):
        load_volume(tmp_path / "none.nii.gz", what="phase")


def test_link_whose_content_was_not_fetched(tmp_path, refused):
    path = tmp_path / "a.nii.gz"
    try:
        path.symlink_to(tmp_path / "annex" / "object")
    except OSError:
        pytest.skip("links cannot be made here")
    with refused(path, "link", "fetch"):
        load_volume(path)


def test_folder(tmp_path, refused):
    with refused(tmp_path, "folder"):
        load_volume(tmp_path)


def test_empty_file(tmp_path, refused):
    (tmp_path / "a.nii.gz").touch()
    with refused("a.nii.gz", "empty (0 bytes)"):
        load_volume(tmp_path / "a.nii.gz")


def test_empty_file_of_a_published_dataset(shared_data, refused):
    path = shared_data / "real" / "qmri_megre" / "sub-01" / "anat" / "sub-01_echo-01_MEGRE.nii.gz"
    with refused(path.name, "empty (0 bytes)"):
        load_volume(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nii", b"this is a text file, not an image\n" * 30),
        ("a.nii.gz", b"this is a text file, not an image\n" * 30),
        ("a.nii.gz", gzip.compress(b"text\n" * 200, mtime=0)),
        ("a.nii", b"\0" * 1000),
        ("a.nii", b"x"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
        ("a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 400),
        ("noending", b"something"),
    ],
)
def test_something_else_than_nifti(tmp_path, refused, name, content):
    (tmp_path / name).write_bytes(content)
    with refused(name):
        load_volume(tmp_path / name)


def test_other_image_format(tmp_path, refused, values):
    nib.save(nib.MGHImage(values, np.eye(4)), tmp_path / "a.mgz")
    with refused("a.mgz", "MGHImage", ".nii.gz"):
        load_volume(tmp_path / "a.mgz")


def test_header_of_a_pair_without_its_data(tmp_path, refused, values):
    nib.save(nib.Nifti1Pair(values, np.eye(4)), tmp_path / "a.hdr")
    (tmp_path / "a.img").unlink()
    with refused("a.hdr"):
        load_volume(tmp_path / "a.hdr")


@pytest.mark.parametrize("kept", [20, 200, 0.3, 0.7, 0.99, -1, -8])
def test_truncated_gzip(tmp_path, write_nifti, refused, kept):
    noise = np.random.default_rng(1).normal(size=(30, 30, 30)).astype(np.float32)
    path = write_nifti(tmp_path / "a.nii.gz", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with refused(path):
        load_volume(path)


@pytest.mark.parametrize("place", [0.2, 0.6, 0.95])
def test_corrupt_gzip(tmp_path, write_nifti, refused, place):
    noise = np.random.default_rng(1).normal(size=(30, 30, 30)).astype(np.float32)
    path = write_nifti(tmp_path / "a.nii.gz", noise)
    content = bytearray(path.read_bytes())
    middle = int(place * len(content))
    content[middle : middle + 20] = bytes(byte ^ 0xFF for byte in content[middle : middle + 20])
    path.write_bytes(content)
    with refused(path):
        load_volume(path)


@pytest.mark.parametrize("lost", [1, 200])
@pytest.mark.parametrize("compressed", [False, True])
def test_fewer_bytes_than_the_header_promises(tmp_path, write_nifti, refused, values, lost, compressed):
    content = write_nifti(tmp_path / "whole.nii", values).read_bytes()[:-lost]
    path = tmp_path / ("a.nii.gz" if compressed else "a.nii")
    path.write_bytes(gzip.compress(content) if compressed else content)
    with refused(path):
        load_volume(path)


def test_absurd_shape_does_not_ask_for_memory(tmp_path, write_nifti, refused, values):
    content = bytearray(write_nifti(tmp_path / "whole.nii", values).read_bytes())
    content[42:48] = np.array((32767, 32767, 32767), dtype="<i2").tobytes()
    for path, data in ((tmp_path / "a.nii", bytes(content)), (tmp_path / "a.nii.gz", gzip.compress(bytes(content)))):
        path.write_bytes(data)
        with refused(path):
            load_volume(path)


@pytest.mark.parametrize("shape", [(4, 5), (4,), (4, 5, 6, 2, 3), (1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 5)])
def test_other_than_three_or_four_axes(tmp_path, write_nifti, refused, shape):
    path = write_nifti(tmp_path / "a.nii.gz", np.ones(shape, np.float32))
    with refused(path):
        load_raw(path)


def test_zero_size(tmp_path, write_nifti, refused):
    path = write_nifti(tmp_path / "a.nii", np.zeros((4, 0, 6), np.float32))
    with refused(path):
        load_raw(path)


def test_stack_where_a_volume_is_wanted(tmp_path, write_nifti, refused):
    path = write_nifti(tmp_path / "a.nii.gz", np.ones((4, 5, 6, 2), np.float32))
    with refused(path, "4-D"):
        load_volume(path)


def test_colour_image(tmp_path, refused):
    rgb = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "a.nii")
    with refused("a.nii", "grey"):
        load_volume(tmp_path / "a.nii")


def test_complex_numbers(tmp_path, write_nifti, refused, values):
    path = write_nifti(tmp_path / "a.nii", values + 1j * values)
    with refused(path, "complex"):
        load_volume(path)
    assert load_raw(path).array.dtype == np.complex64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_a_number(tmp_path, write_nifti, refused, values, bad):
    values[1, 2, 3] = bad
    path = write_nifti(tmp_path / "a.nii", values)
    with refused(path, "1 NaN or infinite"):
        load_volume(path)
    assert not np.isfinite(load_volume(path, allow_nan=True).array).all()


@pytest.mark.parametrize(
    ("affine", "word"),
    [
        (np.diag((1.0, 0.0, 1.0, 1.0)), "no inverse"),
        ([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "no inverse"),
        ([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "sheared"),
        ([[np.nan, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "finite"),
    ],
)
def test_affine_that_cannot_be_used(tmp_path, refused, values, affine, word):
    image = nib.Nifti1Image(values, None)
    image.header["sform_code"] = 1
    image.header["srow_x"], image.header["srow_y"], image.header["srow_z"] = np.asarray(affine, np.float32)[:3]
    nib.save(image, tmp_path / "a.nii")
    with refused("a.nii", word, error=MetadataError):
        load_volume(tmp_path / "a.nii")


@pytest.fixture
def oblique():
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    return affine


@pytest.mark.parametrize(("sform", "qform"), [(1, 1), (1, 0), (2, 1), (0, 1), (0, 2)])
def test_oblique_affine_from_either_form(tmp_path, write_nifti, values, oblique, sform, qform):
    volume = load_volume(write_nifti(tmp_path / "a.nii", values, oblique, sform=sform, qform=qform))
    np.testing.assert_allclose(volume.grid.affine, oblique, atol=1e-6)
    np.testing.assert_allclose(volume.grid.b0_direction, oblique[2, :3], atol=1e-6)
    assert volume.assumptions == ()


def test_template_sform_gives_way_to_the_scanner_qform(tmp_path, values, oblique):
    image = nib.Nifti1Image(values, None)
    image.header.set_sform(np.eye(4), code=4)
    image.header.set_qform(oblique, code=1)
    nib.save(image, tmp_path / "a.nii")
    volume = load_volume(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.grid.affine, oblique, atol=1e-6)
    assert "a.nii" in volume.assumptions[0]


@pytest.mark.parametrize("code", [3, 4])
def test_template_sform_alone_is_an_assumption(tmp_path, values, code):
    image = nib.Nifti1Image(values, None)
    image.header.set_sform(np.eye(4), code=code)
    nib.save(image, tmp_path / "a.nii")
    (note,) = load_volume(tmp_path / "a.nii").assumptions
    assert "a.nii" in note
    assert "template" in note


def test_no_position_in_the_scanner_is_an_assumption(tmp_path, write_nifti, values):
    (note,) = load_volume(write_nifti(tmp_path / "a.nii", values, sform=0, qform=0)).assumptions
    assert "a.nii" in note
    assert "LAS" in note


def test_sform_and_qform_that_disagree_are_an_assumption(tmp_path, values, oblique):
    image = nib.Nifti1Image(values, None)
    image.header.set_sform(np.eye(4), code=1)
    image.header.set_qform(oblique, code=1)
    nib.save(image, tmp_path / "a.nii")
    volume = load_volume(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.grid.affine, np.eye(4))
    assert "disagree" in volume.assumptions[0]


def test_lengths_in_metres_or_micrometres_become_millimetres(tmp_path, values):
    for unit, factor in (("micron", 1e3), ("meter", 1e-3)):
        image = nib.Nifti1Image(values, np.diag((factor, factor, factor, 1)))
        image.header.set_xyzt_units(unit)
        nib.save(image, tmp_path / "a.nii")
        np.testing.assert_allclose(load_volume(tmp_path / "a.nii").grid.voxel_size_mm, (1, 1, 1), rtol=1e-6)


def test_impossible_voxel_size(tmp_path, write_nifti, refused, values):
    path = write_nifti(tmp_path / "a.nii", values, np.diag((1e-6, 1e-6, 1e-6, 1)))
    with refused(path, "1e-06", error=MetadataError):
        load_volume(path)


def test_pair_of_header_and_data(tmp_path, values):
    nib.save(nib.Nifti1Pair(values, np.eye(4)), tmp_path / "a.hdr")
    for name in ("a.hdr", "a.img"):
        np.testing.assert_array_equal(load_volume(tmp_path / name).array, values)


def test_mask_is_what_lies_above_a_half(tmp_path, write_nifti):
    stored = np.zeros(SHAPE, np.float32)
    stored[0, 0, :4] = 0.4, 0.6, 3.0, np.nan
    path = write_nifti(tmp_path / "m.nii", stored)
    mask = load_mask(path)
    assert mask.dtype == np.bool_
    assert np.argwhere(mask).tolist() == [[0, 0, 1], [0, 0, 2]]
    assert np.array_equal(load_mask(path, on=load_raw(path).grid), mask)


def test_mask_on_another_grid(tmp_path, write_nifti, refused):
    path = write_nifti(tmp_path / "m.nii", np.ones(SHAPE, np.uint8))
    with refused(path, "shape (4, 5, 6)", "(4, 5, 7)", "resample", error=ShapeMismatchError):
        load_mask(path, on=Grid((4, 5, 7), np.diag((1, 1.5, 2, 1))))
    with refused(path, "position or voxel size", "resample", error=ShapeMismatchError):
        load_mask(path, on=Grid(SHAPE, np.eye(4)))


def test_empty_mask(tmp_path, write_nifti, refused):
    path = write_nifti(tmp_path / "m.nii", np.zeros(SHAPE, np.uint8))
    with refused(path, "empty"):
        load_mask(path)


def test_written_volume_comes_back(tmp_path, values, oblique):
    grid = Grid(SHAPE, oblique)
    save_volume(tmp_path / "sub" / "a.nii.gz", values, grid, sidecar={"Units": "ppm", "χ": [1, 2]})
    volume = load_volume(tmp_path / "sub" / "a.nii.gz")
    np.testing.assert_array_equal(volume.array, values)
    assert volume.grid.same_as(grid, tolerance_mm=1e-4)
    assert json.loads((tmp_path / "sub" / "a.json").read_text("utf-8")) == {"Units": "ppm", "χ": [1, 2]}
    header = nib.load(tmp_path / "sub" / "a.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert header.get_xyzt_units() == ("mm", "sec")


def test_same_content_is_the_same_file(tmp_path, values):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_volume(tmp_path / name / "a.nii.gz", values, Grid(SHAPE, np.eye(4)))
    assert (tmp_path / "one" / "a.nii.gz").read_bytes() == (tmp_path / "two" / "a.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("dtype", "stored"), [("bool", "uint8"), ("float64", "float32"), ("int16", "int16"), ("uint8", "uint8")]
)
def test_stored_type(tmp_path, dtype, stored):
    save_volume(tmp_path / "a.nii.gz", np.ones(SHAPE, dtype), Grid(SHAPE, np.eye(4)))
    assert nib.load(tmp_path / "a.nii.gz").get_data_dtype() == np.dtype(stored)


def test_labels_of_64_bits_are_written(tmp_path):
    labels = np.arange(120, dtype=np.int64).reshape(SHAPE)
    save_volume(tmp_path / "a.nii.gz", labels, Grid(SHAPE, np.eye(4)))
    np.testing.assert_array_equal(load_volume(tmp_path / "a.nii.gz").array, labels)


def test_array_of_another_shape_is_not_written(tmp_path, values):
    with pytest.raises(ShapeMismatchError):
        save_volume(tmp_path / "a.nii.gz", values, Grid((4, 5, 7), np.eye(4)))
    assert not list(tmp_path.iterdir())


def test_failed_write_leaves_nothing(tmp_path, values):
    with pytest.raises(ValueError, match="JSON"):
        save_volume(tmp_path / "a.nii.gz", values, Grid(SHAPE, np.eye(4)), sidecar={"x": float("nan")})
    assert not list(tmp_path.iterdir())
