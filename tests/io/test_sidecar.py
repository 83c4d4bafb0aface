"""BIDS sidecars and their inheritance."""

from __future__ import annotations

import json

import pytest

from napari_msqsm.errors import MetadataError
from napari_msqsm.io.sidecar import Sidecars, beside, entities_of, read_json, stem_of


@pytest.fixture
def put(tmp_path):
    def write(path, value=None):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if value is None else json.dumps(value), "utf-8")
        return path

    return write


def test_entities_of_a_name(tmp_path):
    path = tmp_path / "sub-01_ses-a_echo-10_part-phase_MEGRE.nii.gz"
    assert entities_of(path) == ({"sub": "01", "ses": "a", "echo": "10", "part": "phase"}, "MEGRE")
    assert entities_of(tmp_path / "T1w.json") == ({}, "T1w")


@pytest.mark.parametrize("name", ["a.b", "sub-01_T1w"])
def test_stem(tmp_path, name):
    for ending in (".nii", ".nii.gz"):
        assert stem_of(tmp_path / (name + ending)) == name


def test_sidecar_beside_an_image(put):
    image = put("a.1.nii.gz")
    assert beside(image) == {}
    put("a.1.json", {"EchoTime": 0.004})
    assert beside(image) == {"EchoTime": 0.004}


def test_byte_order_mark_is_no_damage(put):
    path = put("a.json")
    path.write_bytes(b"\xef\xbb\xbf" + b'{"EchoTime": 0.004}')
    assert read_json(path) == {"EchoTime": 0.004}


@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b"3", b"\xff\xfe\x00", b"{'EchoTime': 1}"])
def test_damaged_sidecar_is_named(put, refused, content):
    path = put("a.json")
    path.write_bytes(content)
    with refused(path, "repair", error=MetadataError):
        read_json(path)


def test_nearer_and_more_specific_files_win(put, tmp_path):
    image = put("sub-01/ses-1/anat/sub-01_ses-1_echo-2_part-phase_MEGRE.nii.gz")
    put("MEGRE.json", {"a": "root", "b": "root", "c": "root", "d": "root", "e": "root"})
    put("part-phase_MEGRE.json", {"b": "root phase", "Units": "rad"})
    put("sub-01/sub-01_MEGRE.json", {"c": "subject"})
    put("sub-01/ses-1/sub-01_ses-1_MEGRE.json", {"d": "session"})
    put("sub-01/ses-1/anat/sub-01_ses-1_echo-2_MEGRE.json", {"EchoTime": 0.009, "Units": "arbitrary"})
    put("sub-01/ses-1/anat/sub-01_ses-1_echo-2_part-phase_MEGRE.json", {"e": "file"})
    assert Sidecars(tmp_path).of(image) == {
        "a": "root",
        "b": "root phase",
        "c": "subject",
        "d": "session",
        "e": "file",
        "EchoTime": 0.009,
        "Units": "arbitrary",
    }


def test_files_of_other_images_do_not_apply(put, tmp_path):
    image = put("sub-01/anat/sub-01_echo-1_MEGRE.nii.gz")
    put("sub-01/anat/sub-01_echo-2_MEGRE.json", {"x": 1})
    put("sub-01/anat/sub-01_echo-1_T2starw.json", {"x": 1})
    put("sub-02_MEGRE.json", {"x": 1})
    put("part-phase_MEGRE.json", {"x": 1})
    put("sub-02/anat/MEGRE.json", {"x": 1})
    put("xMEGRE.json", {"x": 1})
    assert Sidecars(tmp_path).of(image) == {}


def test_nothing_above_the_dataset_is_read(put, tmp_path):
    image = put("data/sub-01/anat/sub-01_MEGRE.nii.gz")
    put("MEGRE.json", {"x": 1})
    put("data/MEGRE.json", {"y": 1})
    assert Sidecars(tmp_path / "data").of(image) == {"y": 1}


def test_image_elsewhere_has_only_its_own_sidecar(put, tmp_path):
    image = put("elsewhere/sub-01_MEGRE.nii.gz")
    put("elsewhere/MEGRE.json", {"x": 1})
    put("elsewhere/sub-01_MEGRE.json", {"y": 1})
    assert Sidecars(tmp_path / "data").of(image) == {"y": 1}


def test_linked_images_inherit_from_the_dataset_not_from_where_they_lie(put, tmp_path):
    stored = put("annex/8f/sha.nii.gz")
    put("data/MEGRE.json", {"MagneticFieldStrength": 3})
    sidecar = put("data/sub-01/anat/sub-01_echo-1_MEGRE.json", {"EchoTime": 0.004})
    image = sidecar.with_name("sub-01_echo-1_MEGRE.nii.gz")
    try:
        image.symlink_to(stored)
    except OSError:
        pytest.skip("links cannot be made here")
    assert Sidecars(tmp_path / "data").of(image) == {"MagneticFieldStrength": 3, "EchoTime": 0.004}


def test_inheritance_of_a_published_dataset(shared_data):
    root = shared_data / "real" / "qmri_megre"
    image = root / "sub-01" / "anat" / "sub-01_echo-02_MEGRE.nii.gz"
    found = Sidecars(root).of(image)
    assert found["EchoTime"] == pytest.approx(
        json.loads(image.with_name("sub-01_echo-02_MEGRE.json").read_text())["EchoTime"]
    )
    assert found.items() >= json.loads((root / "MEGRE.json").read_text()).items() - {("EchoTime", found["EchoTime"])}
