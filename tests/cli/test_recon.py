from __future__ import annotations

import json
import threading
import time

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.cli import common

IMAGES = ("Chimap", "localfield", "totalfield", "R2starmap", "mask", "brain_mask", "csf_mask")


def image(path):
    return np.asarray(nib.load(path).dataobj)


@pytest.fixture
def recon(msqsm, acquisition, tmp_path):
    """Run ``msqsm recon`` on the acquisition, with the fast preset."""

    def run(*more, out="out"):
        return msqsm("recon", *acquisition.arguments, "--preset", "fast", "--out", tmp_path / out, *more)

    return run


def test_all_files_are_there_and_on_the_grid(recon, acquisition, tmp_path):
    ran = recon("--mask", acquisition.mask, "--json", tmp_path / "result.json")
    assert ran.code == 0, ran.err
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        *(f"{name}.nii.gz" for name in IMAGES),
        "provenance.json",
    }
    reference = nib.load(acquisition.magnitude[0])
    for name in IMAGES:
        loaded = nib.load(out / f"{name}.nii.gz")
        assert loaded.shape == reference.shape
        np.testing.assert_allclose(loaded.affine, reference.affine)
    mask = image(out / "mask.nii.gz") > 0
    chi = image(out / "Chimap.nii.gz")
    assert not chi[~mask].any()
    assert chi[mask].any()
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["converged"] is True
    assert set(result["seconds"]) >= {"field_fit", "background", "inversion"}


def test_provenance_is_complete_and_relative(recon, acquisition, tmp_path):
    assert recon("--mask", acquisition.mask, "--seed", "7", "--set", "background.cg_max_iter=3").code == 3
    record = json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"))
    assert record["Settings"]["background.cg_max_iter"]["Value"] == 3
    assert record["Preset"] == "custom"
    assert record["Acquisition"]["EchoTimes"] == {"Value": [0.005, 0.01, 0.015, 0.02], "Unit": "s"}
    assert {"python", "numpy", "scipy", "napari-msqsm"} <= set(record["Software"])
    assert len(record["InputFiles"]) == 9
    assert all(len(entry["SHA256"]) == 64 for entry in record["InputFiles"])
    assert record["InputFiles"][0]["URI"] == "../in/e1_mag.nii.gz"
    assert record["Seed"] == 7
    assert record["Device"].startswith(("cpu", "cuda"))
    assert record["PhaseSign"]["DataVerdict"] in (-1, 0, 1)
    assert str(tmp_path) not in json.dumps(record)


def test_running_again_reuses_and_a_setting_redoes_what_follows(recon, acquisition, tmp_path):
    given = ("--mask", acquisition.mask, "--json", tmp_path / "r.json")
    recon(*given)
    first = image(tmp_path / "out" / "Chimap.nii.gz")
    assert "reused from the cache" in recon(*given).out
    again = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert {"field_fit", "background", "inversion", "reference"} <= set(again["reused"])
    np.testing.assert_array_equal(image(tmp_path / "out" / "Chimap.nii.gz"), first)
    recon(*given, "--set", "inversion.threshold=0.3")
    changed = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert "background" in changed["reused"]
    assert "inversion" not in changed["reused"]
    assert np.any(image(tmp_path / "out" / "Chimap.nii.gz") != first)


def test_work_dir_takes_the_cache(recon, acquisition, tmp_path):
    assert recon("--mask", acquisition.mask, "--work-dir", tmp_path / "work").code == 0
    assert any((tmp_path / "work").iterdir())
    assert not (tmp_path / "out" / ".msqsm-cache").exists()


def test_starting_from_a_field_in_hz_and_in_ppm_is_the_same(msqsm, acquisition, tmp_path):
    scale = 3 * 42.577478518
    ppm = acquisition.folder / "ppm.nii.gz"
    source = nib.load(acquisition.field)
    nib.save(nib.Nifti1Image((np.asarray(source.dataobj) / scale).astype(np.float32), source.affine), ppm)
    maps = []
    for path, unit in ((acquisition.field, "hz"), (ppm, "ppm")):
        out = tmp_path / unit
        arguments = ("--local-field", path, "--field-unit", unit, "--mask", acquisition.mask, "--preset", "fast")
        ran = msqsm("recon", *acquisition.arguments, *arguments, "--out", out, "--quiet")
        assert (ran.code, ran.out) == (0, "")
        maps.append(image(out / "Chimap.nii.gz"))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6)


def test_magnitude_alone_suffices_with_a_field(msqsm, acquisition, tmp_path):
    ran = msqsm(
        *("recon", "--magnitude", *acquisition.magnitude, "--echo-times", "0.005", "0.010", "0.015", "0.020"),
        *("--b0", "3", "--total-field", acquisition.field, "--field-unit", "hz", "--mask", acquisition.mask),
        *("--preset", "fast", "--out", tmp_path / "out"),
    )
    assert ran.code == 0, ran.err
    assert (tmp_path / "out" / "Chimap.nii.gz").exists()


def replaced(arguments, flag, *values):
    """Arguments with the values of one flag replaced (removed when there are none)."""
    start = arguments.index(flag)
    end = next((i for i in range(start + 1, len(arguments)) if arguments[i].startswith("--")), len(arguments))
    return arguments[:start] + ([flag, *map(str, values)] if values else []) + arguments[end:]


def no_phase(a):
    return replaced(a.arguments, "--phase")


def milliseconds(a):
    return replaced(a.arguments, "--echo-times", 5, 10, 15, 20)


def no_field_strength(a):
    return replaced(a.arguments, "--b0")


def too_few_echo_times(a):
    return replaced(a.arguments, "--echo-times", 0.005, 0.01)


def absent_file(a):
    return replaced(a.arguments, "--magnitude", a.folder / "absent.nii.gz")


def truncated(a):
    a.phase[1].write_bytes(a.phase[1].read_bytes()[:300])
    return a.arguments


def other_mask_shape(a):
    nib.save(nib.Nifti1Image(np.ones((24, 26, 20), np.uint8), np.eye(4)), a.mask)
    return [*a.arguments, "--mask", a.mask]


def empty_mask(a):
    nib.save(nib.Nifti1Image(np.zeros((24, 26, 22), np.uint8), np.diag([2, 2, 2, 1.0])), a.mask)
    return [*a.arguments, "--mask", a.mask]


def field_without_unit(a):
    return [*a.arguments, "--local-field", a.field]


def unit_without_field(a):
    return [*a.arguments, "--field-unit", "hz"]


def both_fields(a):
    return [*a.arguments, "--local-field", a.field, "--total-field", a.field, "--field-unit", "hz"]


def nan_field(a):
    nib.save(nib.Nifti1Image(np.full((24, 26, 22), np.nan, np.float32), np.diag([2, 2, 2, 1.0])), a.field)
    return [*a.arguments, "--local-field", a.field, "--field-unit", "hz"]


def unknown_preset(a):
    return [*a.arguments, "--preset", "magic"]


def unknown_setting(a):
    return [*a.arguments, "--set", "inversion.wand=1"]


def bad_setting(a):
    return [*a.arguments, "--set", "background.cg_max_iter=minus"]


def unknown_method(a):
    return [*a.arguments, "--inversion", "magic"]


def noise(a):
    for path in a.magnitude:
        nib.save(nib.Nifti1Image(np.zeros((24, 26, 22), np.float32), np.diag([2, 2, 2, 1.0])), path)
    return a.arguments


def no_images(_):
    return []


BAD = [
    no_phase,
    milliseconds,
    no_field_strength,
    too_few_echo_times,
    absent_file,
    truncated,
    other_mask_shape,
    empty_mask,
    field_without_unit,
    unit_without_field,
    both_fields,
    nan_field,
    unknown_preset,
    unknown_setting,
    bad_setting,
    unknown_method,
    noise,
    no_images,
]


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_unusable_input_ends_in_one_line_and_leaves_nothing(msqsm, acquisition, tmp_path, spoil):
    out = tmp_path / "deep" / "out"
    ran = msqsm("recon", *spoil(acquisition), "--out", out, "--json", tmp_path / "r.json")
    assert ran.code == common.UNUSABLE
    assert "\r" not in ran.err
    assert ran.out == ""
    assert len(ran.error_lines) == 1, ran.err
    assert ran.error_lines[0].startswith("msqsm recon: ")
    assert "Traceback" not in ran.err
    assert "unexpected" not in ran.err
    assert not out.parent.exists()
    assert not (tmp_path / "r.json").exists()


def test_out_is_needed(msqsm, acquisition):
    ran = msqsm("recon", *acquisition.arguments)
    assert ran.code == common.UNUSABLE
    assert "--out" in ran.error_lines[0]


def test_no_convergence_is_code_3_and_the_results_are_there(msqsm, acquisition, tmp_path):
    ran = msqsm(
        *("recon", *acquisition.arguments, "--mask", acquisition.mask, "--out", tmp_path / "out"),
        *("--set", "inversion.max_outer=1", "--json", tmp_path / "r.json"),
    )
    assert ran.code == common.NOT_CONVERGED, ran.err
    assert "did not converge" in ran.err
    assert (tmp_path / "out" / "Chimap.nii.gz").exists()
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["converged"] is False


def test_ctrl_c_cancels(recon, acquisition, tmp_path, monkeypatch):
    from napari_msqsm.workflow import compute as module
    from napari_msqsm.workflow.tasks import Task

    entered = threading.Event()

    def slow(*_, cancel, on_progress, **__):
        entered.set()
        while True:
            on_progress("working", 0.1)
            time.sleep(0.01)

    def interrupted(self, timeout_s=None):
        if timeout_s is not None and entered.wait(20):
            raise KeyboardInterrupt
        return wait(self, timeout_s)

    wait = Task.wait
    monkeypatch.setattr(module, "reconstruct", slow)
    monkeypatch.setattr(Task, "wait", interrupted)
    ran = recon("--mask", acquisition.mask)
    assert ran.code == common.CANCELLED
    assert ran.error_lines[-1] == "msqsm recon: cancelled"
    assert not (tmp_path / "out" / "Chimap.nii.gz").exists()


def test_list_settings_names_unit_default_and_help(msqsm, tmp_path):
    ran = msqsm("recon", "--list-settings", "--json", tmp_path / "s.json")
    assert ran.code == 0
    assert "background.cg_max_iter = " in ran.out
    rows = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["settings"]
    erosion = next(row for row in rows if row["name"] == "brain_mask.opening_radius_mm")
    assert erosion["unit"] == "mm"
    assert erosion["help"]
    assert erosion["range"] == "≥ 0"


def test_an_existing_map_is_taken(msqsm, acquisition, tmp_path):
    chi = np.where(image(acquisition.mask) > 0, 30.0, 0.0).astype(np.float32)
    chi[10:14, 10:14, 10:14] = 130.0
    path = tmp_path / "their_chi.nii.gz"
    nib.save(nib.Nifti1Image(chi, np.diag([2, 2, 2, 1.0])), path)
    ran = msqsm("recon", "--chi-map", path, "--chi-unit", "ppb", "--mask", acquisition.mask, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    np.testing.assert_allclose(image(tmp_path / "out" / "Chimap.nii.gz"), chi / 1000, atol=1e-6)
    record = json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"))
    assert record["Adopted"] is True
    assert "the sign was not checked" in ran.err
    ran = msqsm("recon", "--chi-map", path, "--out", tmp_path / "out2")
    assert ran.code == common.UNUSABLE
    assert "--chi-unit" in ran.error_lines[0]
    assert not (tmp_path / "out2").exists()


def test_an_existing_map_of_the_opposite_sign_is_refused(msqsm, acquisition, tmp_path):
    mask = image(acquisition.mask) > 0
    iron = np.zeros(mask.shape, np.uint8)
    iron[10:14, 11:15, 9:13] = 1
    rng = np.random.default_rng(3)
    chi = np.where(mask, rng.normal(0, 0.02, mask.shape) - 0.15 * iron, 0).astype(np.float32)
    paths = [tmp_path / "chi.nii.gz", tmp_path / "iron.nii.gz"]
    for path, array in zip(paths, (chi, iron), strict=True):
        nib.save(nib.Nifti1Image(array, np.diag([2, 2, 2, 1.0])), path)
    given = ("--chi-map", paths[0], "--chi-unit", "ppm", "--paramagnetic-mask", paths[1], "--out", tmp_path / "out")
    ran = msqsm("recon", *given, "--quiet")
    assert ran.code == common.UNUSABLE
    assert "negate" in ran.error_lines[0]
    assert not (tmp_path / "out").exists()


def test_a_field_in_another_unit_than_declared_is_noticed(recon, acquisition, tmp_path):
    image = nib.load(acquisition.field)
    values = np.asarray(image.dataobj, np.float32)
    strong, weak = tmp_path / "strong.nii.gz", tmp_path / "weak.nii.gz"
    peak = float(np.abs(values).max())
    nib.save(nib.Nifti1Image(values * (0.05 / peak), image.affine), weak)  # ppm
    nib.save(nib.Nifti1Image(values * (600.0 / peak), image.affine), strong)  # Hz
    refused = recon("--local-field", weak, "--field-unit", "hz")
    assert refused.code == 2
    assert "is it in ppm? (--field-unit)" in refused.err
    remarked = recon("--local-field", strong, "--field-unit", "ppm")
    assert "is it in hz?" in remarked.out
