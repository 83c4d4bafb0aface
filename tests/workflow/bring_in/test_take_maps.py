"""Maps are placed, scaled and checked for their sign before they are taken."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
import scipy.io

from napari_msqsm.workflow.bring_in.map_layouts import find_maps
from napari_msqsm.workflow.bring_in.take_maps import take_maps

LABEL = "sub-02_ses-01"
NAME = "sub-02_ses-01_Chimap.nii.gz"


def take(lab, **options):
    return take_maps(lab.study, find_maps(lab.study, lab.theirs), **options)


def taken(lab, **options):
    result = take(lab, **options)
    assert not result.refused
    (outcome,) = result.outcomes
    return np.asarray(nib.load(outcome.chimap).dataobj), outcome


def refusal(lab, **options):
    result = take(lab, **options)
    assert not result.outcomes
    assert not lab.study.derivatives_root.exists()
    (sentence,) = result.refused.values()
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(("factor", "unit"), [(1.0, "ppm"), (1000.0, "ppb")])
def test_unit_is_told_from_the_values_and_sign_from_r2star(lab, head, save_theirs, factor, unit):
    save_theirs(lab.theirs / NAME, head.chi_ppm * np.float32(factor))
    chi, outcome = taken(lab)
    np.testing.assert_allclose(chi, head.chi_ppm, atol=1e-6)
    assert any(f"taken as {unit}" in note for note in outcome.assumptions)
    assert any("sign of the map is confirmed" in note for note in outcome.assumptions)
    assert not any("not checked" in note for note in outcome.assumptions)
    assert not outcome.warnings


def test_field_in_hertz_is_refused(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm * np.float32(30.0))
    assert "neither in ppm nor in ppb" in refusal(lab)


def test_opposite_sign_is_refused_and_may_be_declared(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, -head.chi_ppm)
    assert "opposite sign" in refusal(lab)
    chi, _ = taken(lab, negate=True)
    np.testing.assert_allclose(chi, head.chi_ppm, atol=1e-6)


def test_the_same_voxels_in_another_order_are_turned(lab, head, save_theirs):
    image = nib.as_closest_canonical(nib.Nifti1Image(head.chi_ppm, np.diag((-3.0, 3.0, 3.0, 1.0))))
    save_theirs(lab.theirs / NAME, np.asarray(image.dataobj), image.affine)
    chi, outcome = taken(lab)
    np.testing.assert_allclose(chi, head.chi_ppm, atol=1e-6)
    assert any("nothing was interpolated" in note for note in outcome.assumptions)


def test_a_mask_in_the_order_of_its_map_is_turned_with_it(lab, head, save_theirs):
    """SEPIA writes both alike; only the session's gradient echo may have other axes."""
    affine = np.diag((-3.0, 3.0, 3.0, 1.0))
    mask = head.brain.copy()
    mask[:, :15] = False
    for name, array in ((NAME, head.chi_ppm), ("region/mask.nii.gz", mask.astype("u1"))):
        image = nib.as_closest_canonical(nib.Nifti1Image(array, affine))
        save_theirs(lab.theirs / name, np.asarray(image.dataobj), image.affine)
    chi, _ = taken(lab, mask=lab.theirs / "region" / "mask.nii.gz")
    np.testing.assert_allclose(chi, np.where(mask, head.chi_ppm, 0), atol=1e-6)


def test_a_mask_on_another_grid_is_refused(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm)
    path = save_theirs(lab.theirs / "region" / "mask.nii.gz", head.brain[::2].astype("u1"), np.diag((-6.0, 3, 3, 1)))
    assert "not that of the GRE" in refusal(lab, mask=path)


def test_another_grid_is_refused_with_the_way_out(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm[::2], np.diag((-6.0, 3.0, 3.0, 1.0)))
    assert "msqsm resample" in refusal(lab)


def test_a_shifted_map_of_the_same_shape_is_refused(lab, head, save_theirs):
    affine = np.diag((-3.0, 3.0, 3.0, 1.0))
    affine[2, 3] = 1.5
    save_theirs(lab.theirs / NAME, head.chi_ppm, affine)
    assert "msqsm resample" in refusal(lab)


def test_medi_map_without_position_is_placed_by_its_magnitude(lab, head):
    lab.theirs.mkdir()

    def turn(array):
        return np.flip(np.transpose(array, (1, 0, 2)), 2)

    combined = np.sqrt((head.magnitude.astype(float) ** 2).sum(axis=0))
    content = {"QSM": turn(head.chi_ppm), "iMag": turn(combined), "Mask": turn(head.brain).astype("u1")}
    folder = lab.theirs / "sub-02" / "results"
    folder.mkdir(parents=True)
    scipy.io.savemat(folder / "x00000001.mat", content)
    chi, outcome = taken(lab)
    np.testing.assert_allclose(chi, head.chi_ppm, atol=1e-6)
    assert any("position taken from the magnitude" in note for note in outcome.assumptions)


def test_medi_map_is_refused_where_its_magnitude_tells_nothing(lab, head):
    folder = lab.theirs / "sub-02" / "results"
    folder.mkdir(parents=True)
    path = folder / "x00000001.mat"
    scipy.io.savemat(path, {"QSM": head.chi_ppm, "iMag": head.brain.astype(float)})
    assert "save it as NIfTI" in refusal(lab)
    scipy.io.savemat(path, {"QSM": head.chi_ppm})
    assert "holds no magnitude" in refusal(lab)
    scipy.io.savemat(path, {"RDF": head.chi_ppm})
    assert "holds no susceptibility map" in refusal(lab)
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(600))
    assert "-v7" in refusal(lab)
    path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(50))
    assert "cannot be read" in refusal(lab)


def test_a_map_that_is_there_stays_unless_told(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm)
    taken(lab)
    result = take(lab)
    assert "--overwrite" in next(iter(result.refused.values()))
    taken(lab, overwrite=True)


def test_one_bad_map_does_not_stop_the_others_and_all_is_on_record(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm)
    save_theirs(lab.theirs / "sub-01_ses-01_Chimap.nii.gz", head.chi_ppm[1:])
    result = take(lab)
    assert [outcome.label for outcome in result.outcomes] == [LABEL]
    assert [path.name for path in result.refused] == ["sub-01_ses-01_Chimap.nii.gz"]
    sidecar = json.loads(result.outcomes[0].chimap.with_name(f"{LABEL}_Chimap.json").read_text("utf-8"))
    assert sidecar["Adopted"] is True
    assert sidecar["Units"] == "ppm"
    assert result.as_json()["sessions"][0]["label"] == LABEL


def test_a_sign_that_cannot_be_told_is_a_warning(lab, head, save_theirs):
    flat = np.where(head.brain, 0.02 * np.random.default_rng(1).standard_normal(head.brain.shape), 0)
    save_theirs(lab.theirs / NAME, flat.astype(np.float32))
    _, outcome = taken(lab)
    assert any("do not settle the sign of the map" in warning for warning in outcome.warnings)


def test_a_region_that_is_paramagnetic_tells_the_sign(lab, head, save_theirs):
    save_theirs(lab.theirs / NAME, head.chi_ppm)
    region = save_theirs(lab.theirs / "region" / "nuclei_mask.nii.gz", head.nuclei.astype("u1"))
    _, outcome = taken(lab, paramagnetic_mask=region)
    assert any("iron-rich tissue lies" in note for note in outcome.assumptions)
    opposite = save_theirs(lab.theirs / NAME, -head.chi_ppm)
    assert "negative where iron is" in next(iter(take(lab, paramagnetic_mask=region, overwrite=True).refused.values()))
    assert opposite.exists()


def test_a_session_without_echoes_takes_a_map_with_a_warning(lab, head, save_theirs):
    for path in (lab.root / "sub-02" / "ses-01" / "anat").glob("*MEGRE*"):
        path.unlink()
    save_theirs(lab.theirs / NAME, head.chi_ppm)
    _, outcome = taken(lab)
    assert any("position and sign of the map were not compared" in warning for warning in outcome.warnings)
