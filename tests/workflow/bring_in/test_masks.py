"""Masks of LST-AI, SAMSEG, nnU-Net and ITK-SNAP, on the grid of one of the session's images."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError, ParameterError, ShapeMismatchError
from napari_msqsm.workflow.bring_in.masks import adopt_mask
from napari_msqsm.workflow.inputs import read_session

LABEL = "sub-01_ses-01"
GRE = np.diag((-3.0, 3.0, 3.0, 1.0))
FLAIR = np.diag((4.0, 4.0, 4.0, 1.0))
FLAIR_SHAPE = (20, 22, 18)
SNAP = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Brain tissue"
    2     0  255    0        1  1  1    "Ventricles left"
    3     0    0  255     0.50  1  1    "Lesion near horn"
"""


def take(lab, path, kind, **options):
    return adopt_mask(lab.study, lab.session(LABEL), path, kind, **options)


def values_of(taken):
    return np.asarray(nib.load(taken.path).dataobj)


@pytest.fixture
def lesions():
    """Three lesions on the FLAIR grid, two of which touch by a corner only; of 12, 8 and 1 voxels."""
    values = np.zeros(FLAIR_SHAPE, np.uint8)
    values[2:5, 2:4, 2:4] = 1
    values[10:12, 10:12, 10:12] = 1
    values[12, 12, 12] = 1
    values[16, 16, 16] = 1
    return values


def test_binary_lesions_of_lst_ai_become_numbered(lab, save_theirs, lesions):
    path = save_theirs(lab.theirs / "space-flair_seg-lst.nii.gz", lesions, FLAIR)
    taken = take(lab, path, "lesions")
    assert taken.image == "FLAIR"
    assert taken.path.name == f"{LABEL}_space-FLAIR_desc-lesions_dseg.nii.gz"
    assert [(one.label, one.n_voxels, one.volume_mm3) for one in taken.lesions] == [
        (1, 12, 768),
        (2, 9, 576),
        (3, 1, 64),
    ]
    written = values_of(taken)
    assert set(np.unique(written)) == {0, 1, 2, 3}
    assert np.array_equal(written > 0, lesions > 0)
    assert written[12, 12, 12] == written[10, 10, 10]
    assert any("LST-AI" in note for note in taken.notes)
    sidecar = json.loads(taken.path.with_name(taken.path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
    assert sidecar["SpatialReference"].endswith("_FLAIR.nii.gz")
    assert sidecar["Lesions"][0]["Volume"] == 768
    assert str(lab.theirs) not in json.dumps(sidecar)


def test_annotated_classes_of_lst_ai_stay_with_their_lesions(lab, save_theirs, lesions):
    annotated = lesions.copy()
    annotated[2:5, 2:4, 2:4] = 3
    annotated[16, 16, 16] = 4
    path = save_theirs(lab.theirs / "space-flair_desc-annotated_seg-lst.nii.gz", annotated, FLAIR)
    taken = take(lab, path, "lesions")
    assert [one.name for one in taken.lesions] == ["subcortical", "periventricular", "infratentorial"]
    only = save_theirs(path, np.where(annotated == 4, 4, 0).astype("u1"), FLAIR)
    assert [one.name for one in take(lab, only, "lesions", overwrite=True).lesions] == ["infratentorial"]


def test_probabilities_are_cut_at_a_threshold_that_is_told(lab, save_theirs, lesions):
    rng = np.random.default_rng(0)
    probability = np.where(lesions > 0, 0.7, 0.3 * rng.random(FLAIR_SHAPE)).astype(np.float32)
    path = save_theirs(lab.theirs / "seg-lst_prob.nii.gz", probability, FLAIR)
    taken = take(lab, path, "lesions")
    assert taken.n_voxels == np.count_nonzero(lesions)
    assert any("0.5 and more" in note for note in taken.notes)
    with pytest.raises(InputError, match=r"0\.8 or more"):
        take(lab, path, "lesions", threshold=0.8, overwrite=True)
    with pytest.raises(ParameterError, match="--labels"):
        take(lab, path, "lesions", labels=[1], overwrite=True)


def test_samseg_in_its_own_axis_order(lab, head, tmp_path):
    seg = np.where(head.brain, 2, 165).astype(np.int32)
    seg[head.ventricles] = 4
    seg[:2], seg[5:8, 16:18, 14] = 24, 99
    turned = nib.Nifti1Image(seg, GRE).as_reoriented(
        nib.orientations.ornt_transform(
            nib.orientations.io_orientation(GRE), nib.orientations.axcodes2ornt(("L", "I", "A"))
        )
    )
    path = tmp_path / "seg.mgz"
    nib.save(nib.MGHImage(np.asarray(turned.dataobj, np.int32), turned.affine), path)
    brain = take(lab, path, "brain")
    assert brain.path.name == f"{LABEL}_desc-givenbrain_mask.nii.gz"
    expected = head.brain & (seg != 24) | (seg == 99)
    assert np.array_equal(values_of(brain) > 0, expected)
    assert any("nothing was interpolated" in note for note in brain.notes)
    assert np.array_equal(values_of(take(lab, path, "csf")) > 0, seg == 4)
    found = take(lab, path, "lesions")
    assert np.array_equal(values_of(found) > 0, seg == 99)
    assert found.image == "GRE"


def test_nnunet_names_its_labels(lab, save_theirs, lesions):
    path = save_theirs(lab.theirs / "case_001.nii.gz", (2 * lesions + (lesions == 0)).astype("u1"), FLAIR)
    (lab.theirs / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "brain": 1, "WM lesion": 2}}))
    taken = take(lab, path, "lesions")
    assert len(taken.lesions) == 3
    assert any("nnU-Net" in note for note in taken.notes)
    with pytest.raises(InputError, match="cannot be told which"):
        take(lab, path, "csf")
    (lab.theirs / "dataset.json").write_text(json.dumps({"labels": {"0": "background", "1": "brain", "2": "lesion"}}))
    assert len(take(lab, path, "lesions", overwrite=True).lesions) == 3


def test_itk_snap_labels_are_lesions_unless_named_otherwise(lab, save_theirs, lesions):
    drawn = lesions.copy()
    drawn[10:13, 10:13, 10:13] *= 7
    path = save_theirs(lab.theirs / "drawn.nii.gz", drawn, FLAIR)
    taken = take(lab, path, "lesions")
    assert [one.label for one in taken.lesions] == [1, 7]
    assert any("numbered as in the file" in note for note in taken.notes)
    assert len(take(lab, path, "lesions", split=True, overwrite=True).lesions) == 3


def test_itk_snap_label_description_chooses(lab, head, save_theirs):
    drawn = np.where(head.brain, 1, 0).astype("u1")
    drawn[head.ventricles], drawn[head.nuclei] = 2, 3
    path = save_theirs(lab.theirs / "drawn.nii.gz", drawn, GRE)
    (lab.theirs / "drawn.txt").write_text(SNAP)
    assert np.array_equal(values_of(take(lab, path, "csf")) > 0, head.ventricles & ~head.nuclei)
    assert [one.name for one in take(lab, path, "lesions").lesions] == ["Lesion near horn"] * 2
    other = lab.theirs / "names.label"
    other.write_text(SNAP.replace('"Lesion near horn"', '"Liquor"'))
    csf = take(lab, path, "csf", label_names=other, overwrite=True)
    assert np.array_equal(values_of(csf) > 0, head.ventricles | head.nuclei)
    (lab.theirs / "names.txt").write_text("no labels")
    with pytest.raises(InputError, match="neither a label description"):
        take(lab, path, "csf", label_names=lab.theirs / "names.txt")


def test_reconstruction_uses_a_mask_that_was_taken_over(lab, head, save_theirs):
    brain = save_theirs(lab.theirs / "brain.nii.gz", head.brain.astype("u1"), GRE)
    csf = save_theirs(lab.theirs / "csf.nii.gz", head.ventricles.astype("u1"), GRE)
    take(lab, brain, "brain")
    take(lab, csf, "csf")
    inputs = read_session(lab.session(LABEL))
    assert np.array_equal(inputs.mask, head.brain)
    assert np.array_equal(inputs.csf_mask, head.ventricles)
    assert sum("was taken over" in note for note in inputs.series.assumptions) == 2
    assert {path.name for path in inputs.files} >= {f"{LABEL}_desc-givenbrain_mask.nii.gz"}
    own = read_session(lab.session(LABEL), given_masks=False)
    assert own.mask is None
    assert own.csf_mask is None


def test_a_brain_mask_on_the_flair_says_that_it_is_not_used(lab, save_theirs, lesions):
    path = save_theirs(lab.theirs / "brain.nii.gz", np.ones(FLAIR_SHAPE, "u1"), FLAIR)
    taken = take(lab, path, "brain")
    assert taken.path.name == f"{LABEL}_space-FLAIR_desc-brain_mask.nii.gz"
    assert any("does not use it" in note for note in taken.notes)
    assert read_session(lab.session(LABEL)).mask is None


def test_refusals_write_nothing(lab, head, save_theirs, lesions):
    other = save_theirs(lab.theirs / "other.nii.gz", lesions[:-1], FLAIR)
    with pytest.raises(ShapeMismatchError, match="msqsm resample"):
        take(lab, other, "lesions")
    template = save_theirs(lab.theirs / "space-mni_seg-lst.nii.gz", lesions, FLAIR)
    with pytest.raises(InputError, match="template"):
        take(lab, template, "lesions")
    labels = save_theirs(lab.theirs / "labels.nii.gz", head.brain.astype("u1") + head.nuclei, GRE)
    with pytest.raises(InputError, match="--labels"):
        take(lab, labels, "brain")
    with pytest.raises(InputError, match="label 5 is not in the file"):
        take(lab, labels, "brain", labels=[5])
    with pytest.raises(ParameterError, match="--threshold"):
        take(lab, labels, "brain", threshold=0.5)
    assert not lab.study.derivatives_root.exists()
    take(lab, labels, "brain", labels=[1, 2])
    with pytest.raises(InputError, match="--overwrite"):
        take(lab, labels, "brain", labels=[1, 2])


def test_numbers_of_lesions_above_65535_stay_what_they_are(lab, save_theirs, lesions):
    """Some programs number lesions by patient and year; 16 bits would make two of them one."""
    numbered = lesions.astype(np.int32) * 2
    numbered[10:13, 10:13, 10:13] *= 32770
    numbered[16, 16, 16] = 4
    path = save_theirs(lab.theirs / "lesions.nii.gz", numbered, FLAIR)
    taken = take(lab, path, "lesions")
    assert [one.label for one in taken.lesions] == [2, 4, 65540]
    np.testing.assert_array_equal(values_of(taken), numbered)
