"""Maps of other toolboxes are found by how these lay out their files."""

from __future__ import annotations

import pytest
import scipy.io

from napari_msqsm.errors import InputError
from napari_msqsm.workflow.bring_in.map_layouts import find_maps


def found(lab, folder):
    return {proposal.path.name: proposal for proposal in find_maps(lab.study, folder)}


def test_qsmxt_derivatives(lab, head, save_theirs):
    root = lab.root / "derivatives" / "qsmxt-v8"
    save_theirs(root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_run-1_Chimap.nii", head.chi_ppm)
    save_theirs(root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_desc-para_Chimap.nii", head.chi_ppm)
    save_theirs(root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_T1w.nii", head.chi_ppm)
    maps = found(lab, root)
    assert len(maps) == 2
    whole = maps["sub-01_ses-02_run-1_Chimap.nii"]
    assert (whole.toolbox, whole.unit, whole.problem) == ("QSMxT", "ppm", "")
    assert whole.session.label == "sub-01_ses-02"
    assert "part of a source separation" in maps["sub-01_ses-02_desc-para_Chimap.nii"].problem


@pytest.mark.parametrize("name", ["Sepia_Chimap.nii.gz", "Sepia_QSM.nii.gz"])
def test_sepia_in_folders_named_like_patient_and_session(lab, head, save_theirs, name):
    folder = lab.theirs / "1" / "02" / "sepia"
    save_theirs(folder / name, head.chi_ppm)
    save_theirs(folder / "Sepia_localfield.nii.gz", head.chi_ppm)
    save_theirs(folder / "Sepia_mask_QSM.nii.gz", head.brain.astype("u1"))
    maps = found(lab, lab.theirs)
    assert list(maps) == [name]
    assert (maps[name].toolbox, maps[name].unit) == ("SEPIA", "ppm")
    assert maps[name].session.label == "sub-01_ses-02"
    assert maps[name].mask.name == "Sepia_mask_QSM.nii.gz"


def test_a_session_named_like_its_patient_is_told_by_the_inner_folder(lab, head, save_theirs):
    save_theirs(lab.theirs / "01" / "01" / "QSM.nii.gz", head.chi_ppm)
    assert found(lab, lab.theirs)["QSM.nii.gz"].session.label == "sub-01_ses-01"


def test_medi_results(lab, head, save_theirs):
    folder = lab.theirs / "sub-02"
    (folder / "results").mkdir(parents=True)
    scipy.io.savemat(folder / "results" / "x00000001.mat", {"QSM": head.chi_ppm})
    scipy.io.savemat(folder / "RDF.mat", {"RDF": head.chi_ppm})
    maps = found(lab, lab.theirs)
    assert list(maps) == ["x00000001.mat"]
    assert maps["x00000001.mat"].toolbox == "MEDI toolbox"
    assert maps["x00000001.mat"].session.label == "sub-02_ses-01"


def test_a_map_of_an_unknown_program_has_no_unit_before_its_values_are_seen(lab, head, save_theirs):
    save_theirs(lab.theirs / "sub-02_QSM.nii.gz", head.chi_ppm)
    proposal = found(lab, lab.theirs)["sub-02_QSM.nii.gz"]
    assert (proposal.toolbox, proposal.unit) == ("unknown", None)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("sub-09_ses-01_Chimap.nii.gz", "there is no patient sub-09"),
        ("sub-01_ses-07_Chimap.nii.gz", "no session ses-07"),
        ("sub-01_Chimap.nii.gz", "names none of them"),
        ("QSM.nii.gz", "neither its name nor its folders"),
    ],
)
def test_what_belongs_nowhere_says_why(lab, head, save_theirs, where, words):
    save_theirs(lab.theirs / where, head.chi_ppm)
    proposal = found(lab, lab.theirs)[where]
    assert proposal.session is None
    assert words in proposal.problem
    assert "--session" in proposal.problem


def test_maps_that_compete_for_a_session_are_all_left_out(lab, head, save_theirs):
    for name in ("sub-02_acq-a_Chimap.nii.gz", "sub-02_acq-b_Chimap.nii.gz"):
        save_theirs(lab.theirs / name, head.chi_ppm)
    problems = [proposal.problem for proposal in found(lab, lab.theirs).values()]
    assert len(problems) == 2
    assert all("2 maps for sub-02_ses-01" in problem for problem in problems)


def test_our_own_maps_are_not_foreign(lab, head, save_theirs):
    home = lab.root / "derivatives" / "msqsm" / "sub-02" / "ses-01" / "anat"
    save_theirs(home / "sub-02_ses-01_Chimap.nii.gz", head.chi_ppm)
    assert find_maps(lab.study, lab.root / "derivatives") == ()


def test_a_folder_that_is_not_there_is_refused(lab):
    with pytest.raises(InputError, match="does not exist"):
        find_maps(lab.study, lab.theirs / "nowhere")
