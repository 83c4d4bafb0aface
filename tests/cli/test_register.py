from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.transforms import read_transform
from napari_msqsm.model.grid import Grid

SHAPE, EDGE_MM = (38, 44, 36), 4.0
SHIFT_MM = (6.0, -5.0, 4.0)


def head(shift_mm):
    """Ball with a bright shell, a dark core off its centre and two spots."""
    x, y, z = (
        EDGE_MM * (axis - (n - 1) / 2) - shift
        for axis, n, shift in zip(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), SHAPE, shift_mm, strict=True)
    )
    image = np.zeros(SHAPE)
    for radii, centre, value in (
        ((56, 66, 52), (0, 0, 0), 500),
        ((48, 58, 44), (0, 0, 0), 900),
        ((20, 30, 12), (4, -6, 8), 300),
        ((9, 9, 9), (-25, 20, -10), 200),
        ((8, 8, 8), (22, 24, 14), 1200),
    ):
        distance = np.sqrt(sum(((u - c) / r) ** 2 for u, c, r in zip((x, y, z), centre, radii, strict=True))) - 1
        image += (value - image) / (1 + np.exp(np.clip(distance * 20, -40, 40)))
    return image


def save(path, array, affine=None):
    base = np.diag([EDGE_MM] * 3 + [1.0])
    base[:3, 3] = -EDGE_MM * (np.array(SHAPE) - 1) / 2
    nib.save(nib.Nifti1Image(array, base if affine is None else affine), path)
    return path


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return (
        save(folder / "fixed.nii.gz", head((0, 0, 0)).astype(np.int16)),
        save(folder / "moving.nii.gz", (1500 - head(SHIFT_MM)).astype(np.float32) * (head(SHIFT_MM) > 100)),
    )


@pytest.fixture
def run(msqsm, images, tmp_path):
    """``msqsm register`` on the two images, previewed, one level on images this coarse."""

    def register(*more, out="t.txt", quiet=True):
        quick = ["--preview", "--quiet"] if quiet else ["--preview"]
        given = ["--fixed", images[0], "--moving", images[1], *quick]
        return msqsm("register", *given, "--out-transform", tmp_path / out, *more)

    return register


def test_transform_image_and_result(run, images, tmp_path):
    ran = run("--out-image", tmp_path / "r.nii.gz", "--json", tmp_path / "r.json", quiet=False)
    assert ran.code == 0, ran.err
    matrix = read_transform(tmp_path / "t.txt").matrix
    np.testing.assert_allclose(matrix[:3, 3], SHIFT_MM, atol=0.5)
    np.testing.assert_allclose(matrix[:3, :3], np.eye(3), atol=0.02)
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    np.testing.assert_allclose(result["transform"], matrix, atol=1e-9)
    assert 1 < result["nmi"] < 2
    assert result["overlap"] > 0.9
    assert result["axis_scales"] == pytest.approx([1, 1, 1], abs=1e-9)
    assert result["converged"] is True
    assert result["model"] == "rigid"
    moved, fixed = nib.load(tmp_path / "r.nii.gz"), nib.load(images[0])
    np.testing.assert_allclose(moved.affine, fixed.affine)
    assert moved.shape == fixed.shape
    inside = head((0, 0, 0)) > 400
    assert np.corrcoef(moved.get_fdata()[inside], fixed.get_fdata()[inside])[0, 1] < -0.8
    assert "normalised mutual information" in ran.out
    assert str(tmp_path / "t.txt") in ran.out


def test_flirt_and_itk_say_the_same(run, images, tmp_path):
    assert run().code == 0
    assert run(out="t.mat").code == 0
    grids = [Grid(nib.load(path).shape, nib.load(path).affine) for path in images]
    flirt = read_transform(tmp_path / "t.mat", fixed_grid=grids[0], moving_grid=grids[1])
    np.testing.assert_allclose(flirt.matrix, read_transform(tmp_path / "t.txt").matrix, atol=1e-6)


def test_model_masks_and_seed_are_passed_on(run, images, tmp_path):
    mask = save(tmp_path / "mask.nii.gz", (head((0, 0, 0)) > 100).astype(np.uint8))
    moving_mask = save(tmp_path / "moving_mask.nii.gz", (head(SHIFT_MM) > 100).astype(np.uint8))
    given = ("--fixed-mask", mask, "--moving-mask", moving_mask, "--model", "scale9", "--seed", "3")
    ran = run(*given, "--json", tmp_path / "r.json")
    assert ran.code == 0, ran.err
    assert ran.out == ""
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert result["model"] == "scale9"
    assert result["record"]["seed"] == 3
    assert result["axis_scales"] == pytest.approx([1, 1, 1], abs=0.05)
    assert result["axis_scales"] != [1, 1, 1]


@pytest.mark.parametrize(
    ("more", "out", "words"),
    [
        ((), "t.nii", "must end in .txt or .tfm"),
        ((), "nowhere/t.txt", "does not exist"),
        (("--out-image", "r.png"), "t.txt", "must end in .nii"),
        (("--model", "spline"), "t.txt", "invalid choice"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused_at_once(run, tmp_path, more, out, words):
    ran = run(*more, out=out)
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(SHAPE, dtype=np.int16), "no contrast"),
        (np.full(SHAPE, np.nan, dtype=np.float32), "NaN"),
        (np.zeros((38, 44), dtype=np.int16), "axes"),
        (np.ones((2, 2, 2), dtype=np.int16), "at least 4 voxels"),
        (np.zeros((*SHAPE, 2), dtype=np.int16), "4-D"),
    ],
)
def test_images_that_cannot_be_used_are_refused(run, tmp_path, array, words):
    bad = save(tmp_path / "in" / "bad.nii.gz", array)
    ran = run("--moving", bad, "--json", tmp_path / "r.json")
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_mask_on_another_grid_is_refused(run, tmp_path):
    mask = save(tmp_path / "in" / "mask.nii.gz", np.ones(SHAPE, dtype=np.uint8), np.diag([EDGE_MM] * 3 + [1.0]))
    ran = run("--moving-mask", mask)
    assert ran.code == 2
    assert "another position" in ran.err
    assert not (tmp_path / "t.txt").exists()


def test_not_converged_is_written_and_told(run, tmp_path, monkeypatch):
    from napari_msqsm.registration import settings

    class Hasty(settings.RegistrationSettings):
        max_iter: int = 1

    monkeypatch.setattr(settings, "RegistrationSettings", Hasty)
    ran = run("--json", tmp_path / "r.json")
    assert ran.code == 3
    assert "did not converge" in ran.err
    assert (tmp_path / "t.txt").exists()
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["converged"] is False


def test_images_that_have_nothing_in_common_are_told(run, images, tmp_path):
    noise = np.random.default_rng(3).uniform(0, 1000, SHAPE)
    save(images[1], (noise * (head(SHIFT_MM) > 100)).astype(np.float32))
    ran = run("--json", tmp_path / "r.json")
    assert ran.code == 3
    assert "the registration FAILED, do not use the transform" in ran.err
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["verdict"] == "failed"
