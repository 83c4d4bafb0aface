"""Transforms of other programs become those of the study, in its direction."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.nifti import load_raw
from napari_msqsm.io.transforms import read_transform, write_transform
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.workflow.bring_in.transform import adopt_transform
from napari_msqsm.workflow.coregistration.pairs import pairs_of
from napari_msqsm.workflow.coregistration.state import state_of

LABEL = "sub-01_ses-02"
TURN = 0.05
MOVED = AffineTransform(
    [
        [np.cos(TURN), -np.sin(TURN), 0, 2.0],
        [np.sin(TURN), np.cos(TURN), 0, -1.0],
        [0, 0, 1, 3.0],
        [0, 0, 0, 1],
    ]
)


@pytest.fixture
def with_flair(lab, head):
    """The FLAIR of each session shows something to compare."""
    for session in lab.study.sessions:
        grid = load_raw(session.contrasts["FLAIR"]).grid
        values = np.zeros(grid.shape, np.float32)
        small = head.magnitude[0][::2, ::2, ::2]
        values[: small.shape[0], : small.shape[1], : small.shape[2]] = small
        nib.save(nib.Nifti1Image(values, grid.affine), session.contrasts["FLAIR"])
    return lab


def grids(lab, session, image):
    pair = next(pair for pair in pairs_of(lab.study, "01") if (pair.session, pair.contrast) == (session, image))
    return pair, load_raw(pair.fixed[0]).grid, load_raw(pair.moving[0]).grid


def take(lab, path, image, **options):
    return adopt_transform(lab.study, lab.session(LABEL), path, image, who="AB", **options)


@pytest.mark.parametrize("ending", [".txt", ".mat"])
def test_itk_and_flirt_mean_the_same(with_flair, ending):
    with_flair.theirs.mkdir()
    pair, fixed, moving = grids(with_flair, LABEL, "FLAIR")
    path = with_flair.theirs / f"flair_to_gre{ending}"
    write_transform(path, MOVED, fixed_grid=fixed, moving_grid=moving)
    state = take(with_flair, path, "FLAIR", note="drawn by eye")
    assert state.by_hand
    assert state.usable
    assert state.checked_by == "AB"
    np.testing.assert_allclose(state.transform.matrix, MOVED.matrix, atol=1e-5)
    assert pair.xfm.name == f"{LABEL}_from-FLAIR_to-baseline_mode-image_xfm.txt"
    np.testing.assert_allclose(read_transform(pair.xfm).matrix, MOVED.matrix, atol=1e-5)
    assert f"taken over from {path.name}" in json.loads(pair.record.read_text("utf-8"))["Checked"]["Note"]


def test_an_opposite_flirt_matrix_is_inverted(with_flair):
    with_flair.theirs.mkdir()
    _, fixed, moving = grids(with_flair, LABEL, "FLAIR")
    path = with_flair.theirs / "gre_to_flair.mat"
    write_transform(path, MOVED.inverse(), fixed_grid=moving, moving_grid=fixed)
    state = take(with_flair, path, "FLAIR", inverse=True)
    np.testing.assert_allclose(state.transform.matrix, MOVED.matrix, atol=1e-5)


def test_a_transform_to_the_sessions_own_echoes_goes_on_to_the_baseline(with_flair):
    with_flair.theirs.mkdir()
    path = with_flair.theirs / "x.txt"
    write_transform(path, MOVED)
    with pytest.raises(ParameterError, match="not aligned to the baseline yet"):
        take(with_flair, path, "FLAIR", to="session")
    take(with_flair, path, "MEGRE")
    own = AffineTransform(np.diag([1.0, 1.0, 1.0, 1.0]) + np.array([[0, 0, 0, 4.0], [0] * 4, [0] * 4, [0] * 4]))
    write_transform(path, own)
    state = take(with_flair, path, "FLAIR", to="session")
    np.testing.assert_allclose(state.transform.matrix, (own.after(MOVED)).matrix, atol=1e-5)
    with pytest.raises(ParameterError, match="not moved to itself"):
        take(with_flair, path, "MEGRE", to="session")


def test_refusals_write_nothing(with_flair):
    with_flair.theirs.mkdir()
    path = with_flair.theirs / "x.txt"
    path.write_text("no transform")
    with pytest.raises(InputError):
        take(with_flair, path, "FLAIR")
    with pytest.raises(InputError, match="no image T2w"):
        take(with_flair, path, "T2w")
    write_transform(path, MOVED)
    with pytest.raises(ParameterError, match="nobody"):
        adopt_transform(with_flair.study, with_flair.session(LABEL), path, "FLAIR", who=" ")
    pair, _, _ = grids(with_flair, LABEL, "FLAIR")
    assert state_of(with_flair.study, pair).status == "missing"
