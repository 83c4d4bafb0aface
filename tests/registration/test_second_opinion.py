"""A head of soft blobs, which can be put anywhere exactly: nothing is interpolated to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.blocks import block_forms, blocks_of
from napari_msqsm.registration.check import MEANING, better, check_transform
from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.pyramid import LevelImage
from napari_msqsm.registration.second_opinion import second_opinion
from napari_msqsm.registration.verdict import Level

OBLIQUE = rotation(np.array((0.1, -0.2, 0.15)))


def head(points, *, other_contrast=False):
    """Grey level at (..., 3) positions in mm: an ellipsoid of tissue full of blobs, and a rim of fat around it."""
    rng = np.random.default_rng(0)
    radius = np.sqrt(np.sum((points / (62.0, 74.0, 56.0)) ** 2, axis=-1))
    tissue = np.zeros(points.shape[:-1], np.float32)
    for centre, width in zip(rng.uniform(-1, 1, (150, 3)) * (55, 66, 48), rng.uniform(3, 6, 150), strict=True):
        tissue += np.exp(-0.5 * np.sum((points - centre) ** 2, axis=-1) / width**2).astype(np.float32)
    tissue = 0.4 + 0.6 * np.tanh(tissue)
    if other_contrast:
        tissue = 1.2 - tissue
    inside = 1 / (1 + np.exp((radius - 1) * 40))
    return inside * tissue + 0.3 * np.exp(-(((radius - 1.15) / 0.03) ** 2))


@dataclass
class Heads:
    fixed: Any
    fixed_grid: Grid
    moving: Any
    moving_grid: Grid
    brain: Any
    true: AffineTransform
    points: Any


def grid_of(shape, edges, turn):
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array(edges)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def positions(grid):
    at = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1)
    return at @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def rigid(turn_deg=(0, 0, 0), shift_mm=(0, 0, 0)):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.radians(turn_deg))
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def made(*, other_contrast=False, true=None, shading=False, slices=None):
    """Two scans of the head, the second one turned and moved as ``true`` says."""
    true = true or rigid((4, -3, 5), (6, -4, 3))
    fixed_grid = grid_of((66, 78, 40), (2.0, 2.0, 3.0), OBLIQUE)
    moving_grid = grid_of((56, 60, slices or 52), (2.5, 2.6, 2.7), np.eye(3))
    at = positions(fixed_grid)
    fixed, moving = head(at), head(true.inverse().apply(positions(moving_grid)), other_contrast=other_contrast)
    if shading:
        fixed = fixed * np.exp(-at[..., 0] / 100)
        moving = moving * np.exp(positions(moving_grid)[..., 1] / 100)
    rng = np.random.default_rng(1)
    fixed, moving = (np.abs(image + rng.normal(0, 0.01, image.shape)).astype(np.float32) for image in (fixed, moving))
    brain = np.sum((at / (62.0, 74.0, 56.0)) ** 2, axis=-1) < 0.95
    return Heads(fixed, fixed_grid, moving, moving_grid, brain, true, at[brain][::50])


@pytest.fixture(scope="module")
def same():
    return made(shading=True)


@pytest.fixture(scope="module")
def other():
    return made(other_contrast=True)


def opinion_of(heads, transform, *, same_contrast=True, masked=True):
    return second_opinion(
        heads.fixed,
        heads.fixed_grid,
        heads.moving,
        heads.moving_grid,
        transform,
        same_contrast=same_contrast,
        brain_mask=heads.brain if masked else None,
    )


def check_of(heads, transform, *, same_contrast=True):
    return check_transform(
        heads.fixed,
        heads.fixed_grid,
        heads.moving,
        heads.moving_grid,
        transform,
        same_contrast=same_contrast,
        brain_mask=heads.brain,
    )


@pytest.mark.parametrize("kind", ["same", "other"])
def test_a_right_transform_is_confirmed_and_a_wrong_one_measured(kind, request):
    heads = request.getfixturevalue(kind)
    is_same = kind == "same"
    right = opinion_of(heads, heads.true, same_contrast=is_same)
    assert right.disagreement_mm < 0.2
    assert right.overlap > 0.95
    assert right.correlation > right.nearby_correlation > right.chance_correlation + 0.2
    for error in (rigid(shift_mm=(0.6, 0.6, -0.5)), rigid(turn_deg=(0, 1.5, 0)), rigid(shift_mm=(0, 0, 4))):
        wrong = heads.true.after(error)
        found = opinion_of(heads, wrong, same_contrast=is_same)
        true_mm = heads.true.distance_mm(wrong, heads.points).mean()
        assert found.disagreement_mm == pytest.approx(true_mm, abs=0.2)
        assert found.transform.distance_mm(heads.true, heads.points).mean() < 0.2


def test_without_a_mask_the_inside_of_the_head_is_looked_at(same):
    found = opinion_of(same, same.true.after(rigid(shift_mm=(1, 0, 0))), masked=False)
    assert found.disagreement_mm == pytest.approx(1.0, abs=0.25)
    assert found.stretch == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", ["same", "other"])
@pytest.mark.parametrize(
    ("error", "levels"),
    [
        (rigid(), {Level.OK}),
        (rigid(shift_mm=(0, 1, 0)), {Level.LOOK}),
        (rigid(shift_mm=(0, 0, 2.2)), {Level.FAILED}),
        (rigid(turn_deg=(15, 0, 0)), {Level.FAILED}),
        (rigid(shift_mm=(0, 22, 0)), {Level.FAILED}),
    ],
)
def test_verdicts(kind, error, levels, request):
    heads = request.getfixturevalue(kind)
    check = check_of(heads, heads.true.after(error), same_contrast=kind == "same")
    assert check.verdict.level in levels, check
    assert set(check.numbers) <= set(MEANING)


def test_the_better_of_two_checks(same):
    right, near = (check_of(same, same.true.after(rigid(shift_mm=(0, mm, 0)))) for mm in (0.0, 0.3))
    look, failed = (check_of(same, same.true.after(rigid(shift_mm=(0, mm, 0)))) for mm in (1.0, 8.0))
    assert better(right, look)
    assert better(look, failed)
    assert not better(failed, right)
    assert better(right, near)


def test_a_stretch_is_found_away_from_the_edge(same):
    stretched = made(true=AffineTransform(rigid((2, 0, 1)).matrix @ np.diag([1.0, 0.992, 1.004, 1.0])))
    found = opinion_of(stretched, rigid((2, 0, 1)))
    np.testing.assert_allclose(found.stretch, (0, -0.008, 0.004), atol=0.003)
    assert np.max(np.abs(opinion_of(same, same.true).stretch)) < 0.0015


def test_a_slab_is_judged_by_the_part_that_it_shows():
    slab = made(other_contrast=True, slices=22)
    found = opinion_of(slab, slab.true, same_contrast=False)
    assert 0.3 < found.overlap < 0.6
    assert found.disagreement_mm < 0.15
    assert check_of(slab, slab.true, same_contrast=False).verdict.level is Level.LOOK


def test_too_little_brain_cannot_be_judged(same):
    tiny = np.zeros_like(same.brain)
    tiny[30:36, 40:46, 20:24] = True
    heads = Heads(same.fixed, same.fixed_grid, same.moving, same.moving_grid, tiny, same.true, same.points)
    with pytest.raises(InputError, match="blocks of 11 mm lie in the brain"):
        opinion_of(heads, heads.true)
    check = check_of(heads, heads.true)
    assert check.verdict.level is Level.LOOK
    assert check.opinion is None
    assert check.numbers["rotation_deg"] == pytest.approx(7.07, abs=0.1)


def test_the_opinion_is_the_same_with_every_array_library(xp_case, same):
    host = opinion_of(same, same.true)
    moved = Heads(
        xp_case.asarray(same.fixed),
        same.fixed_grid,
        xp_case.asarray(same.moving),
        same.moving_grid,
        xp_case.asarray(same.brain),
        same.true,
        same.points,
    )
    found = opinion_of(moved, same.true)
    np.testing.assert_allclose(found.transform.matrix, host.transform.matrix, atol=1e-3)
    assert found.correlation == pytest.approx(host.correlation, abs=1e-3)


def test_gain_and_offset_of_a_block_change_nothing(same):
    fixed = LevelImage(same.fixed, same.fixed_grid.affine)
    blocks = blocks_of(fixed, same.brain, edge_mm=12.0)
    plain, changed = (
        block_forms(blocks, LevelImage(image, same.moving_grid.affine), same.true.matrix, same_contrast=False)
        for image in (same.moving, 0.3 - 0.2 * same.moving)
    )
    np.testing.assert_allclose(changed.correlation, plain.correlation, atol=1e-4)
    informative = plain.correlation > 0.5
    assert informative.mean() > 0.5
    np.testing.assert_allclose(changed.slope[informative], plain.slope[informative], rtol=0.05, atol=2.0)
