"""A synthetic patient of three sessions on disk, aligned once; tests look at it, or work on copies."""

from __future__ import annotations

import json
import shutil
import threading

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.io.bids import open_study
from napari_msqsm.io.transforms import read_transform, write_transform
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.design import StudyDesign
from napari_msqsm.phantom.study import write_study
from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.registration.verdict import Level
from napari_msqsm.workflow.coregistration import middle as middle_module
from napari_msqsm.workflow.coregistration import pair as pair_module
from napari_msqsm.workflow.coregistration.patient import (
    CoregistrationSettings,
    accept,
    coregister_pair,
    coregister_patient,
    load_pair,
    pairs_of,
    state_of,
)

DESIGN = StudyDesign(
    n_sessions=3,
    n_lesions=2,
    voxel_size_mm=(4.0, 4.0, 4.0),
    flair_voxel_size_mm=(4.0, 4.0, 4.0),
    n_echoes=2,
    noise=0.004,
    subvoxel_mm=4.0,
    true_fields=False,
    seed=2,
)
SETTINGS = CoregistrationSettings(registration=RegistrationSettings(preview=True))
LEFT_OUT = ("T1w", "T2w")
"""Contrasts that are deleted, so that there is less to align."""


def put_maps(root):
    """The true maps stand in for reconstructed ones."""
    for number in ("01", "02", "03"):
        home = root / "derivatives" / "msqsm" / "sub-01" / f"ses-{number}" / "anat"
        home.mkdir(parents=True)
        truth = root / "derivatives" / "truth" / "sub-01" / f"ses-{number}" / "anat"
        for suffix in ("Chimap", "desc-brain_mask"):
            name = f"sub-01_ses-{number}_{suffix}.nii.gz"
            shutil.copy(truth / name, home / name)


def true_transform(root, session):
    """Baseline → session, mm RAS+."""
    poses = []
    for name in ("ses-01", session):
        path = root / "derivatives" / "truth" / "sub-01" / name / f"sub-01_{name}_desc-pose_xfm.json"
        poses.append(np.array(json.loads(path.read_text("utf-8"))["Matrix"]))
    return AffineTransform(poses[1] @ np.linalg.inv(poses[0]))


@pytest.fixture(scope="module")
def unaligned(tmp_path_factory):
    root = write_study(tmp_path_factory.mktemp("coregister") / "study", DESIGN)
    for contrast in LEFT_OUT:
        for path in root.glob(f"sub-01/ses-*/anat/*_{contrast}.*"):
            path.unlink()
    put_maps(root)
    return root


@pytest.fixture(scope="module")
def aligned(unaligned, tmp_path_factory):
    root = tmp_path_factory.mktemp("aligned") / "study"
    shutil.copytree(unaligned, root)
    study = open_study(root)
    told = []
    outcome = coregister_patient(study, "01", SETTINGS, on_progress=lambda *step: told.append(step))
    return study, outcome, told


@pytest.fixture
def copy(aligned, tmp_path):
    """The aligned study, to be changed."""
    shutil.copytree(aligned[0].root, tmp_path / "study")
    return open_study(tmp_path / "study")


def pair_named(study, name):
    return next(pair for pair in pairs_of(study, "01") if pair.name.endswith(name))


def test_every_image_is_aligned_to_the_baseline(aligned):
    study, outcome, _ = aligned
    assert outcome.baseline == "sub-01_ses-01"
    assert [result.pair.name for result in outcome.results] == [
        "sub-01_ses-01 FLAIR",
        "sub-01_ses-02 MEGRE",
        "sub-01_ses-02 FLAIR",
        "sub-01_ses-03 MEGRE",
        "sub-01_ses-03 FLAIR",
    ]
    grid = np.array(np.meshgrid(*[np.linspace(-50, 50, 5)] * 3)).reshape(3, -1).T
    for result in outcome.results:
        true = true_transform(study.root, result.pair.session.split("_")[1])
        assert result.state.transform.distance_mm(true, grid).mean() < 0.6, result.pair.name
        assert result.word == "ok", result.state
        assert result.ran
    assert outcome.warnings == ()


def test_files_have_the_names_of_the_contract(aligned):
    study, outcome, _ = aligned
    home = study.derivatives_root / "sub-01" / "ses-02" / "anat"
    for contrast in ("MEGRE", "FLAIR"):
        transform = home / f"sub-01_ses-02_from-{contrast}_to-baseline_mode-image_xfm.txt"
        state = next(r.state for r in outcome.results if r.pair.name == f"sub-01_ses-02 {contrast}")
        assert "AffineTransform_double_3_3" in transform.read_text("utf-8")
        np.testing.assert_allclose(read_transform(transform).matrix, state.transform.matrix, atol=1e-9)
        record = json.loads(transform.with_suffix(".json").read_text("utf-8"))
        assert record["Verdict"]["Level"] == "ok"
        assert record["Checked"] == {"By": None, "At": None, "Note": None}
        assert record["Numbers"]["disagreement_mm"]["Unit"] == "mm"
        assert record["Route"] == "direct"
        assert all(entry["URI"].startswith("bids:raw:") for entry in record["InputFiles"])
        assert str(study.root) not in transform.with_suffix(".json").read_text("utf-8")
    found = open_study(study.root).session("sub-01_ses-02").derivatives
    assert found["Chimap_baseline"] == home / "sub-01_ses-02_space-baseline_Chimap.nii.gz"


def test_maps_lie_on_the_baselines_grid_and_keep_their_mask(aligned):
    study, outcome, _ = aligned
    assert list(outcome.files) == ["sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03"]
    own = nib.load(study.derivatives_root / "sub-01" / "ses-01" / "anat" / "sub-01_ses-01_Chimap.nii.gz")
    baseline = nib.load(outcome.files["sub-01_ses-01"])
    brain = np.asarray(nib.load(own.get_filename().replace("Chimap", "desc-brain_mask")).dataobj) > 0
    np.testing.assert_array_equal(np.asarray(baseline.dataobj), np.where(brain, np.asarray(own.dataobj), 0))
    for label, path in outcome.files.items():
        image = nib.load(path)
        mask = nib.load(path.with_name(f"{label}_space-baseline_desc-brain_mask.nii.gz"))
        assert image.shape == own.shape
        np.testing.assert_allclose(image.affine, own.affine, atol=1e-5)
        inside = np.asarray(mask.dataobj) > 0
        chi = np.asarray(image.dataobj)
        assert not chi[~inside].any()
        both = inside & brain
        assert np.corrcoef(chi[both], np.asarray(own.dataobj)[both])[0, 1] > 0.6
        side = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
        assert side["Units"] == "ppm"
        assert side["SpatialReference"].startswith("bids:raw:sub-01/ses-01/anat/")
        if label != "sub-01_ses-01":
            assert side["Interpolation"] == "lanczos"
            assert side["Transform"] == {"Verdict": "ok", "CheckedBy": None}


def test_loops_through_another_time_point_close(aligned):
    numbers = {result.pair.name: result.state.numbers for result in aligned[1].results}
    assert "loop_mm" not in numbers["sub-01_ses-02 MEGRE"]
    for name in ("sub-01_ses-03 MEGRE", "sub-01_ses-02 FLAIR", "sub-01_ses-03 FLAIR"):
        assert 0 <= numbers[name]["loop_mm"] < 0.6


def test_progress_only_grows(aligned):
    fractions = [fraction for _, fraction in aligned[2]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("ses-03 FLAIR" in message for message, _ in aligned[2])


def test_running_again_does_nothing(copy, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("nothing was to be registered")

    files = {path: path.stat().st_mtime_ns for path in copy.derivatives_root.rglob("*") if path.is_file()}
    monkeypatch.setattr(pair_module, "align", refuse)
    outcome = coregister_patient(copy, "01", SETTINGS)
    assert [result.ran for result in outcome.results] == [False] * 5
    assert {path: path.stat().st_mtime_ns for path in copy.derivatives_root.rglob("*") if path.is_file()} == files


def test_what_changed_is_done_again_and_nothing_else(copy, monkeypatch):
    done = []
    true_align = pair_module.align
    monkeypatch.setattr(
        pair_module, "align", lambda images, pair, *a, **k: done.append(pair.name) or true_align(images, pair, *a, **k)
    )
    flair = copy.root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_FLAIR.nii.gz"
    image = nib.load(flair)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), flair)
    pair = pair_named(copy, "ses-02 FLAIR")
    state = state_of(copy, pair, SETTINGS)
    assert state.status == "stale"
    assert state.reasons == ("sub-01_ses-02_FLAIR.nii.gz changed since",)
    assert state_of(copy, pair_named(copy, "ses-03 FLAIR"), SETTINGS).status == "done"
    coregister_patient(copy, "01", SETTINGS)
    assert done == ["sub-01_ses-02 FLAIR"]
    other = SETTINGS.model_copy(update={"loop_closure": False})
    assert state_of(copy, pair, other).reasons == ("it was made with other settings",)
    assert state_of(copy, pair, SETTINGS, seed=1).status == "stale"
    assert state_of(copy, pair).status == "done"


def test_a_new_map_is_carried_without_registering_again(copy, monkeypatch):
    monkeypatch.setattr(pair_module, "align", lambda *_, **__: pytest.fail("registered again"))
    chimap = copy.derivatives_root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_Chimap.nii.gz"
    image = nib.load(chimap)
    nib.save(nib.Nifti1Image(2 * np.asarray(image.dataobj), image.affine), chimap)
    before = nib.load(chimap.with_name("sub-01_ses-02_space-baseline_Chimap.nii.gz"))
    before = np.asarray(before.dataobj).copy()
    outcome = coregister_patient(copy, "01", SETTINGS)
    after = np.asarray(nib.load(outcome.files["sub-01_ses-02"]).dataobj)
    np.testing.assert_allclose(after, 2 * before, atol=1e-5)


@pytest.mark.parametrize("number", ["01", "02"])
def test_a_voxel_without_a_number_is_outside_the_map(copy, number):
    chimap = copy.derivatives_root / "sub-01" / f"ses-{number}" / "anat" / f"sub-01_ses-{number}_Chimap.nii.gz"
    image = nib.load(chimap)
    values = np.asarray(image.dataobj).copy()
    values[tuple(n // 2 for n in values.shape)] = np.nan
    nib.save(nib.Nifti1Image(values, image.affine), chimap)
    carried = coregister_patient(copy, "01", SETTINGS).files[f"sub-01_ses-{number}"]
    assert np.isfinite(np.asarray(nib.load(carried).dataobj)).all()
    if number == "01":
        mask = nib.load(carried.with_name("sub-01_ses-01_space-baseline_desc-brain_mask.nii.gz"))
        assert not np.asarray(mask.dataobj)[tuple(n // 2 for n in values.shape)]


def test_what_a_person_accepted_stays(copy):
    pair = pair_named(copy, "ses-02 MEGRE")
    nudged = AffineTransform(state_of(copy, pair).transform.matrix @ AffineTransform(_shift(0.4)).matrix)
    state = accept(copy, pair, nudged, who=" XY ", note="ventricles fit", settings=SETTINGS)
    assert (state.checked_by, state.note, state.route) == ("XY", "ventricles fit", "by hand")
    assert state.checked_at.startswith("20")
    assert state.numbers["disagreement_mm"] == pytest.approx(0.4, abs=0.25)
    for only_missing in (True, False):
        outcome = coregister_patient(copy, "01", SETTINGS, pairs=[pair], only_missing=only_missing)
        assert [(result.ran, result.word) for result in outcome.results] == [(False, "accepted")]
        assert state_of(copy, pair).transform == nudged
    side = copy.derivatives_root / "sub-01" / "ses-02" / "anat" / "sub-01_ses-02_space-baseline_Chimap.json"
    assert json.loads(side.read_text("utf-8"))["Transform"]["CheckedBy"] == "XY"
    with pytest.raises(ParameterError, match="accepted by XY"):
        coregister_pair(copy, pair, SETTINGS)
    replaced = coregister_pair(copy, pair, SETTINGS, initial=nudged, replace_accepted=True)
    assert not replaced.by_hand


def test_accepting_a_transform_as_it_is_keeps_its_numbers(copy):
    pair = pair_named(copy, "ses-03 FLAIR")
    before = state_of(copy, pair)
    after = accept(copy, pair, before.transform, who="XY")
    assert after.numbers == dict(before.numbers)
    assert after.route == "direct"
    with pytest.raises(ParameterError, match="nobody"):
        accept(copy, pair, before.transform, who=" ")


def test_an_accepted_transform_of_a_changed_image_is_warned_of(copy):
    pair = pair_named(copy, "ses-02 FLAIR")
    accept(copy, pair, state_of(copy, pair).transform, who="XY")
    image = nib.load(pair.moving[0])
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), pair.moving[0])
    outcome = coregister_patient(copy, "01", SETTINGS, pairs=[pair])
    assert not outcome.results[0].ran
    assert "accepted by XY, but sub-01_ses-02_FLAIR.nii.gz changed since" in outcome.warnings[0]


def test_a_transform_whose_file_was_changed_is_not_used(copy):
    pair = pair_named(copy, "ses-02 MEGRE")
    write_transform(pair.xfm, AffineTransform(_shift(8.0)))
    state = state_of(copy, pair, SETTINGS)
    assert state.status == "stale"
    assert state.reasons == ("its file was changed after it was judged",)
    assert not state.usable
    accept(copy, pair, AffineTransform(_shift(8.0)), who="XY")
    write_transform(pair.xfm, AffineTransform(_shift(9.0)))
    outcome = coregister_patient(copy, "01", SETTINGS, pairs=[pair])
    assert not outcome.results[0].ran
    assert outcome.unusable == outcome.results
    assert "its file was changed after it was judged; it is NOT USED until it is accepted again" in outcome.warnings[0]
    assert "sub-01_ses-02" not in outcome.files


def test_an_accepted_transform_to_another_baseline_is_kept_but_not_used(copy):
    pair = pair_named(copy, "ses-03 MEGRE")
    transform = state_of(copy, pair).transform
    accept(copy, pair, transform, who="XY")
    for path in (copy.root / "sub-01" / "ses-01" / "anat").glob("*MEGRE*"):
        path.unlink()
    study = open_study(copy.root)
    outcome = coregister_patient(study, "01", SETTINGS, pairs=[pair_named(study, "ses-03 MEGRE")])
    assert outcome.baseline == "sub-01_ses-02"
    assert state_of(study, pair).transform == transform
    assert not outcome.results[0].state.usable
    assert "it leads to sub-01_ses-01 MEGRE, which is not the baseline" in outcome.warnings[0]
    assert "sub-01_ses-03" not in outcome.files


def test_a_transform_of_changed_images_is_not_used(copy):
    pair = pair_named(copy, "ses-02 MEGRE")
    image = nib.load(pair.moving[0])
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), pair.moving[0])
    assert not state_of(copy, pair).usable


def test_an_image_that_cannot_be_read_stops_no_picture(copy):
    flair, echoes = pair_named(copy, "ses-02 FLAIR"), pair_named(copy, "ses-02 MEGRE")
    accept(copy, flair, state_of(copy, flair).transform, who="XY")
    flair.moving[0].write_bytes(b"")
    outcome = coregister_patient(copy, "01", SETTINGS, pairs=[flair, echoes], only_missing=False, pictures=True)
    assert list(outcome.pictures) == ["sub-01_ses-02"]


def test_a_failed_registration_carries_no_map(copy, monkeypatch):
    pair = pair_named(copy, "ses-03 MEGRE")
    wrong = AffineTransform(_shift(25.0))
    monkeypatch.setattr(pair_module, "align", lambda images, pair, *_, **__: pair_module.judged(images, pair, wrong))
    told = []
    outcome = coregister_patient(copy, "01", SETTINGS, pairs=[pair], only_missing=False, on_warning=told.append)
    (result,) = outcome.results
    assert result.word == "failed"
    assert result.state.transform == wrong
    assert not result.state.usable
    assert outcome.unusable == (result,)
    assert told[0].startswith("sub-01_ses-03 MEGRE COULD NOT BE ALIGNED and is not used: ")
    assert "sub-01_ses-03" not in outcome.files
    home = pair.xfm.parent
    assert not list(home.glob("*space-baseline*"))
    assert json.loads(json.dumps(outcome.as_json()))["pairs"][0]["usable"] is False
    accepted = accept(copy, pair, wrong, who="XY")
    assert accepted.usable
    assert accepted.verdict.level is Level.FAILED
    assert (home / "sub-01_ses-03_space-baseline_Chimap.nii.gz").is_file()


def test_an_image_that_cannot_be_read_does_not_stop_the_others(copy):
    pair = pair_named(copy, "ses-02 FLAIR")
    pair.moving[0].write_bytes(b"")
    outcome = coregister_patient(copy, "01", SETTINGS)
    broken = next(result for result in outcome.results if result.pair == pair)
    assert "empty (0 bytes)" in broken.error
    assert outcome.warnings == (f"sub-01_ses-02 FLAIR was not aligned: {broken.error}",)
    assert len(outcome.files) == 3


def test_cancelling_leaves_what_was_done(copy):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        coregister_patient(copy, "01", SETTINGS, only_missing=False, cancel=cancel)
    assert state_of(copy, pair_named(copy, "ses-03 FLAIR"), SETTINGS).status == "done"


def test_results_may_go_elsewhere(copy, tmp_path):
    pair = next(
        pair for pair in pairs_of(copy, "sub-01", out_dir=tmp_path / "out") if pair.name == "sub-01_ses-01 FLAIR"
    )
    before = sorted(copy.root.rglob("*"))
    outcome = coregister_patient(copy, "01", SETTINGS, pairs=[pair], out_dir=tmp_path / "out")
    assert outcome.results[0].word == "ok"
    assert pair.xfm.is_relative_to(tmp_path / "out")
    assert (tmp_path / "out" / "dataset_description.json").is_file()
    assert sorted(copy.root.rglob("*")) == before
    assert state_of(copy, pair, SETTINGS, out_dir=tmp_path / "out").status == "done"


def test_pictures_of_a_pair_come_from_its_files(aligned):
    study = aligned[0]
    fixed, grid, moving, moving_grid = load_pair(study, pair_named(study, "ses-02 FLAIR"))
    assert fixed.shape == grid.shape
    assert moving.shape == moving_grid.shape
    first = nib.load(study.session("sub-01_ses-01").gre[0].path)
    assert np.all(fixed >= np.asarray(first.dataobj) - 1e-3)


def test_who_is_not_there(aligned):
    study = aligned[0]
    with pytest.raises(InputError, match="no patient '77'"):
        pairs_of(study, "77")
    nobody = pairs_of(open_study(study.root), open_study(study.root).patients[0])
    assert len(nobody) == 5


def _shift(mm):
    matrix = np.eye(4)
    matrix[1, 3] = mm
    return matrix


def test_a_map_that_cannot_be_read_is_told_and_stops_nothing(copy):
    home = copy.derivatives_root / "sub-01" / "ses-02" / "anat"
    mask = home / "sub-01_ses-02_desc-brain_mask.nii.gz"
    image = nib.load(mask)
    nib.save(nib.Nifti1Image(0 * np.asarray(image.dataobj), image.affine), mask)
    outcome = coregister_patient(copy, "01", SETTINGS)
    assert outcome.warnings[0].startswith("sub-01_ses-02: its map was not carried to the baseline: mask ")
    assert list(outcome.files) == ["sub-01_ses-01", "sub-01_ses-03"]
    assert not list(home.glob("*space-baseline*"))


def test_through_the_mid_space(copy):
    settings = SETTINGS.model_copy(update={"frame": "mid-space"})
    pairs = [pair for pair in pairs_of(copy, "01") if pair.same_contrast]
    outcome = coregister_patient(copy, "01", settings, pairs=pairs, pictures=True)
    grid = np.array(np.meshgrid(*[np.linspace(-50, 50, 5)] * 3)).reshape(3, -1).T
    for result in outcome.results:
        true = true_transform(copy.root, result.pair.session.split("_")[1])
        assert result.state.transform.distance_mm(true, grid).mean() < 0.6
        assert result.state.route == "through the mid-space of all time points"
        assert result.word == "ok"
    image = nib.load(pairs[1].moving[0])
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), pairs[1].moving[0])
    assert [state_of(copy, pair, settings).status for pair in pairs] == ["stale", "stale"]  # it is a part of the middle
    assert sorted(outcome.pictures) == ["sub-01_ses-02", "sub-01_ses-03"]
    assert all(path.stat().st_size > 1000 for path in outcome.pictures.values())


def test_a_time_point_that_failed_does_not_pull_the_others(copy, monkeypatch):
    true_align = middle_module.align
    wrong = AffineTransform(_shift(25.0))

    def align(images, pair, *more, **named):
        failed = pair.session.endswith("ses-03")
        return pair_module.judged(images, pair, wrong) if failed else true_align(images, pair, *more, **named)

    monkeypatch.setattr(middle_module, "align", align)
    settings = SETTINGS.model_copy(update={"frame": "mid-space"})
    pairs = [pair for pair in pairs_of(copy, "01") if pair.same_contrast]
    outcome = coregister_patient(copy, "01", settings, pairs=pairs)
    assert [result.state.route for result in outcome.results] == ["through the mid-space of all time points", "direct"]
    assert [result.word for result in outcome.results] == ["ok", "ok"]
    assert outcome.warnings[0].startswith("sub-01_ses-03 MEGRE has no part in the mid-space")


def test_a_mid_space_is_rigid():
    with pytest.raises(ValueError, match="rigid transforms only"):
        CoregistrationSettings(frame="mid-space", registration=RegistrationSettings(model="scale9"))
