"""NIfTI without text: values, scale and position do not change."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.dicom_import.images import bare_nifti, copy_bare

AFFINE = np.array([[-1.0, 0.1, 0, 10], [0.1, 1.2, 0, -20], [0, 0, 3.0, 5], [0, 0, 0, 1]])


def image(dtype=np.int16, shape=(4, 5, 6), slope=None):
    values = np.random.default_rng(0).integers(-900, 900, shape).astype(dtype)
    made = nib.Nifti1Image(values, AFFINE)
    made.header["descrip"] = b"TE=5;Time=091500.000"
    made.header["db_name"] = b"Musterfrau"
    made.header["aux_file"] = b"Erika"
    made.header["intent_name"] = b"A123"
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Erika Musterfrau"))
    if slope:
        made.header.set_slope_inter(slope, 1.5)
    return made


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32, np.uint8])
def test_values_and_position_stay_and_text_goes(tmp_path, ending, dtype):
    source, target = tmp_path / f"in{ending}", tmp_path / "out.nii.gz"
    nib.save(image(dtype), source)
    emptied = copy_bare(source, target)
    assert emptied == {"descrip", "db_name", "aux_file", "intent_name", "extensions"}
    was, now = nib.load(source), nib.load(target)
    assert now.get_data_dtype() == was.get_data_dtype()
    assert np.array_equal(np.asanyarray(now.dataobj), np.asanyarray(was.dataobj))
    assert np.array_equal(now.affine, was.affine)
    assert len(now.header.extensions) == 0
    content = gzip.decompress(target.read_bytes())
    assert b"Muster" not in content
    assert b"Erika" not in content
    assert b"0915" not in content
    head = target.read_bytes()[:10]
    assert head[3] == 0, "no name in the gzip header"
    assert head[4:8] == bytes(4), "no time of writing"


def test_scale_stays(tmp_path):
    source = tmp_path / "in.nii"
    made = image()
    raw = made.to_bytes()
    header = nib.Nifti1Header(raw[:348])
    header.set_slope_inter(0.001, -0.5)
    source.write_bytes(header.binaryblock + raw[348:])
    copy_bare(source, tmp_path / "out.nii.gz")
    proxy = nib.load(tmp_path / "out.nii.gz").dataobj
    assert proxy.slope == pytest.approx(0.001)
    assert proxy.inter == pytest.approx(-0.5)


def test_big_endian_file(tmp_path):
    source = tmp_path / "in.nii"
    made = image()
    swapped = nib.Nifti1Image(np.asanyarray(made.dataobj), AFFINE, made.header.as_byteswapped(">"))
    nib.save(swapped, source)
    assert source.read_bytes()[:4] == (348).to_bytes(4, "big")
    copy_bare(source, tmp_path / "out.nii.gz")
    assert np.array_equal(np.asanyarray(nib.load(tmp_path / "out.nii.gz").dataobj), np.asanyarray(made.dataobj))


def test_what_lies_behind_the_values_goes(tmp_path):
    content = image().to_bytes() + b"Erika"
    bare, _ = bare_nifti(content)
    assert b"Erika" not in bare
    assert len(bare) == 352 + 4 * 5 * 6 * 2


@given(st.binary(max_size=600))
def test_noise_is_refused(content):
    with pytest.raises(InputError):
        bare_nifti(content)


@given(st.integers(0, 800), st.binary(min_size=1, max_size=4))
def test_damaged_header_is_read_or_refused(position, bytes_there):
    content = bytearray(image().to_bytes())
    content[position : position + len(bytes_there)] = bytes_there
    try:
        bare, _ = bare_nifti(bytes(content))
    except InputError:
        return
    assert len(bare) >= 352


@pytest.mark.parametrize("keep", [0, 100, 348, 400])
def test_truncated_file_is_refused_in_one_sentence(tmp_path, keep):
    source = tmp_path / "in.nii"
    source.write_bytes(image().to_bytes()[:keep])
    with pytest.raises(InputError, match=r"in\.nii") as caught:
        copy_bare(source, tmp_path / "out.nii.gz")
    assert "\n" not in str(caught.value)
