"""Registration of small synthetic heads."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, InputError, ParameterError
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.register import register
from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.settings import validated

CODES = tuple(
    "".join(pair[flip] for pair, flip in zip(axes, flips, strict=True))
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for flips in itertools.product((0, 1), repeat=3)
)
TURN_DEG, SHIFT_MM = (8.0, -5.0, 10.0), (6.0, -9.0, 5.0)


@pytest.fixture(scope="module")
def fixed(heads):
    return heads.scan("GRE")


@pytest.fixture(scope="module")
def pose(heads):
    return heads.pose_of(TURN_DEG, SHIFT_MM)


@pytest.fixture(scope="module")
def moving(heads, pose):
    return heads.scan("FLAIR", pose=pose, shading=0.3, seed=1)


@pytest.fixture(scope="module")
def found(heads, fixed, moving):
    return register(fixed.array, fixed.grid, moving.array, moving.grid, settings=heads.quick)


def error_mm(transform, truth, points):
    return AffineTransform(truth).distance_mm(transform, points)


def with_(settings, **changes):
    return validated(type(settings), settings.model_dump() | changes)


def test_a_known_pose_is_found(heads, found, pose):
    errors = error_mm(found.transform, pose, heads.points)
    assert errors.mean() < 0.35  # a tenth of a voxel
    assert errors.max() < 0.6
    assert found.converged
    assert found.model == "rigid"
    assert found.axis_scales == pytest.approx((1.0, 1.0, 1.0), abs=1e-9)
    assert found.overlap > 0.97
    assert 1.1 < found.similarity < 2.0
    np.testing.assert_allclose(found.transform.matrix[:3, :3] @ found.transform.matrix[:3, :3].T, np.eye(3), atol=1e-9)
    assert [row["level_mm"] for row in found.record["levels"]] == [4.5, 3.0]


@pytest.mark.parametrize("contrast", ["GRE", "T1w", "T2w"])
def test_every_contrast_both_ways(heads, fixed, pose, contrast):
    image = heads.scan(contrast, pose=pose, shading=-0.3, seed=2)
    onward = register(fixed.array, fixed.grid, image.array, image.grid, settings=heads.quick).transform
    back = register(image.array, image.grid, fixed.array, fixed.grid, settings=heads.quick).transform
    assert error_mm(onward, pose, heads.points).mean() < 0.6
    assert error_mm(back.inverse(), pose, heads.points).mean() < 0.6
    assert onward.distance_mm(back.inverse(), heads.points).mean() < 0.35


def test_there_and_back(heads, fixed, moving, found):
    back = register(moving.array, moving.grid, fixed.array, fixed.grid, settings=heads.quick)
    assert found.transform.distance_mm(back.transform.inverse(), heads.points).mean() < 0.05
    assert back.similarity == pytest.approx(found.similarity, abs=1e-4)


def test_thick_slices_both_ways(heads, pose):
    thick = heads.scan("GRE", voxel_mm=(2.0, 2.0, 6.0))
    thin = heads.scan("FLAIR", voxel_mm=(2.0, 2.0, 2.0), pose=pose, seed=3)
    settings = with_(heads.quick, level_mm=(8.0, 4.0, 2.0))
    onward = register(thick.array, thick.grid, thin.array, thin.grid, settings=settings).transform
    back = register(thin.array, thin.grid, thick.array, thick.grid, settings=settings).transform
    assert error_mm(onward, pose, heads.points).mean() < 0.3
    assert error_mm(back.inverse(), pose, heads.points).mean() < 0.3
    assert onward.distance_mm(back.inverse(), heads.points).mean() < 0.1


@pytest.mark.parametrize("model", ["scale9", "affine"])
@pytest.mark.parametrize("contrast", ["GRE", "T2w"])
def test_stretch_is_found(heads, fixed, model, contrast):
    truth = heads.pose_of((3.0, -2.0, 4.0), (4.0, -3.0, 2.0)) @ np.diag([1.03, 0.97, 1.02, 1.0])
    image = heads.scan(contrast, pose=truth, seed=2)
    answer = register(fixed.array, fixed.grid, image.array, image.grid, settings=with_(heads.quick, model=model))
    rigid = register(fixed.array, fixed.grid, image.array, image.grid, settings=heads.quick)
    error, rigid_error = (error_mm(a.transform, truth, heads.points).mean() for a in (answer, rigid))
    assert answer.model == model
    assert answer.axis_scales == pytest.approx((1.03, 0.97, 1.02), abs=0.015)
    assert error < 0.8
    assert error < 0.7 * rigid_error
    assert answer.record["levels"][-1]["measure"] == "squared correlation of blocks"


def test_mutual_information_decides_about_stretch_where_blocks_do_not_correlate(heads, fixed):
    truth = heads.pose_of((3.0, -2.0, 4.0), (4.0, -3.0, 2.0)) @ np.diag([1.03, 0.97, 1.02, 1.0])
    image = heads.scan("GRE", pose=truth, seed=2)
    settings = with_(heads.quick, model="scale9", least_correlation=1.0)
    answer = register(fixed.array, fixed.grid, image.array, image.grid, settings=settings)
    assert answer.axis_scales == pytest.approx((1.03, 0.97, 1.02), abs=0.01)
    assert {row["measure"] for row in answer.record["levels"]} == {"normalised mutual information"}


def test_a_stretch_that_no_scanner_makes_is_no_answer(heads, fixed):
    image = heads.scan("GRE", pose=np.diag([1.2, 0.85, 1.15, 1.0]), seed=2)
    settings = with_(heads.quick, model="scale9", most_stretch=0.05)
    assert not register(fixed.array, fixed.grid, image.array, image.grid, settings=settings).converged


def test_far_away_heads_are_found(heads, fixed):
    far = heads.pose_of((-25.0, 20.0, 22.0), (30.0, -35.0, 38.0))
    image = heads.scan("T2w", pose=heads.pose_of(TURN_DEG), seed=4)
    moved = Grid(image.grid.shape, far @ image.grid.affine)
    settings = with_(heads.quick, capture_deg=30.0, capture_mm=20.0)
    answer = register(fixed.array, fixed.grid, image.array, moved, settings=settings)
    tried = {name: how["tried"] for name, how in answer.record["starts"].items()}
    assert tried == {"as they are": 500, "without shading": 500}
    assert error_mm(answer.transform, far @ heads.pose_of(TURN_DEG), heads.points).mean() < 0.6


def test_only_the_position_in_the_scanner_counts(heads, fixed, moving, found):
    """Every order and sense of the voxel axes leads to the same answer."""
    assert len(CODES) == 48
    for code in CODES[1::9]:
        array, grid = reoriented(moving.array, moving.grid, code)
        answer = register(fixed.array, fixed.grid, array, grid, settings=heads.quick)
        assert answer.transform.distance_mm(found.transform, heads.points).mean() < 0.25, code


def test_all_orientations_have_one_similarity(heads, fixed, moving, found):
    """One start and one level for each of the 48."""
    settings = with_(heads.quick, level_mm=(9.0,), n_points=(3000,), n_bins=(24,), tolerance_mm=(0.3,))
    for code in CODES:
        array, grid = reoriented(moving.array, moving.grid, code)
        answer = register(fixed.array, fixed.grid, array, grid, settings=settings, initial=found.transform)
        assert answer.transform.distance_mm(found.transform, heads.points).mean() < 2.0, code


def test_oblique_odd_and_anisotropic_grids(heads, fixed, pose):
    tilt = heads.pose_of((20.0, 5.0, -12.0))[:3, :3]
    image = heads.scan("T1w", pose=pose, axes=tilt, voxel_mm=(2.7, 3.3, 4.1), field_of_view_mm=(143.0, 168.0, 151.0))
    assert {n % 2 for n in image.grid.shape} == {1}
    answer = register(fixed.array, fixed.grid, image.array, image.grid, settings=heads.quick)
    assert error_mm(answer.transform, pose, heads.points).mean() < 0.8


def test_a_slab_is_found_in_a_head_and_a_head_in_a_slab(heads, moving, pose):
    slab = heads.scan("GRE", field_of_view_mm=(135.0, 156.0, 60.0))
    onward = register(slab.array, slab.grid, moving.array, moving.grid, settings=heads.quick)
    back = register(moving.array, moving.grid, slab.array, slab.grid, settings=heads.quick)
    assert error_mm(onward.transform, pose, heads.points).mean() < 0.6
    assert error_mm(back.transform.inverse(), pose, heads.points).mean() < 0.6
    assert onward.overlap > 0.9
    assert 0.4 < back.overlap < 0.75


def test_deterministic_for_a_seed(heads, fixed, moving, found):
    again = register(fixed.array, fixed.grid, moving.array, moving.grid, settings=heads.quick)
    assert np.array_equal(again.transform.matrix, found.transform.matrix)
    other = register(fixed.array, fixed.grid, moving.array, moving.grid, settings=heads.quick, seed=5)
    apart = other.transform.distance_mm(found.transform, heads.points).mean()
    assert 0 < apart < 0.3


def test_a_start_may_be_given(heads, fixed, moving, found):
    near = AffineTransform(heads.pose_of((9.0, -4.0, 9.0), (4.0, -7.0, 6.0)))
    answer = register(fixed.array, fixed.grid, moving.array, moving.grid, settings=heads.quick, initial=near)
    assert answer.transform.distance_mm(found.transform, heads.points).mean() < 0.35
    assert answer.record["starts"] == {}


def test_weight_and_mask_keep_a_foreign_body_out(heads, fixed, pose):
    """Half of the fixed head is shifted by two voxels."""
    image = heads.scan("GRE", pose=pose, seed=6)
    spoilt = fixed.array.copy()
    spoilt[:, :, 22:] = np.roll(fixed.array, 2, axis=1)[:, :, 22:]
    good = np.ones(spoilt.shape, dtype=np.float32)
    good[:, :, 21:] = 0

    def error(**more):
        answer = register(spoilt, fixed.grid, image.array, image.grid, settings=heads.quick, **more)
        return error_mm(answer.transform, pose, heads.points).mean()

    without = error()
    assert without > 1.5
    assert error(fixed_weight=good) < 0.5 * without
    assert error(fixed_mask=good > 0) < 0.5 * without
    onto_spoilt = register(
        image.array, image.grid, spoilt, fixed.grid, settings=heads.quick, moving_mask=good > 0
    ).transform
    assert error_mm(onto_spoilt.inverse(), pose, heads.points).mean() < 0.5 * without


def test_integers_and_floats_agree(heads, fixed, moving, found):
    answer = register(
        fixed.array.astype(np.int16), fixed.grid, moving.array.astype(np.float64), moving.grid, settings=heads.quick
    )
    assert answer.transform.distance_mm(found.transform, heads.points).mean() < 0.1


def test_preview_stops_earlier(heads, fixed, moving, pose):
    answer = register(fixed.array, fixed.grid, moving.array, moving.grid, settings=with_(heads.quick, preview=True))
    assert [row["level_mm"] for row in answer.record["levels"]] == [4.5]
    assert error_mm(answer.transform, pose, heads.points).mean() < 1.0


def test_every_array_library(heads, xp_case):
    coarse = RegistrationSettings(
        level_mm=(12.0, 6.0),
        n_points=(500, 2000),
        n_bins=(16, 16),
        tolerance_mm=(1.0, 0.05),
        shading_from_mm=7.0,
        interior_depth_mm=0.0,
        block_mm=30.0,
        least_correlation=0.1,
        capture_deg=0.0,
        capture_mm=0.0,
        model="scale9",
    )
    truth = heads.pose_of((4.0, -3.0, 5.0), (3.0, -4.0, 2.0))
    one = heads.scan("GRE", voxel_mm=(6.0, 6.0, 6.0))
    other = heads.scan("GRE", voxel_mm=(6.0, 6.0, 6.0), pose=truth)
    mask = np.ones(one.array.shape, dtype=bool)
    expected = register(one.array, one.grid, other.array, other.grid, settings=coarse, fixed_mask=mask)
    answer = register(
        xp_case.asarray(one.array, "float32"),
        one.grid,
        xp_case.asarray(other.array, "float32"),
        other.grid,
        settings=coarse,
        fixed_mask=xp_case.asarray(mask),
    )
    assert answer.record["levels"][-1]["measure"] == "squared correlation of blocks"
    assert answer.transform.distance_mm(expected.transform, heads.points).mean() < 0.05


def test_inputs_are_left_alone(heads, fixed, moving):
    one, other = fixed.array.copy(), moving.array.copy()
    one.setflags(write=False)
    other.setflags(write=False)
    register(one, fixed.grid, other, moving.grid, settings=with_(heads.quick, preview=True))


def test_images_that_never_meet_are_refused(heads, fixed, moving):
    apart = AffineTransform(heads.pose_of((0.0, 0.0, 0.0), (900.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="too little in common"):
        register(fixed.array, fixed.grid, moving.array, moving.grid, settings=heads.quick, initial=apart)


def test_too_few_iterations_are_told(heads, fixed, moving):
    answer = register(fixed.array, fixed.grid, moving.array, moving.grid, settings=with_(heads.quick, max_iter=1))
    assert not answer.converged


def test_progress_and_cancelling(heads, fixed, moving):
    told = []
    cancel = threading.Event()

    def on_progress(what, fraction):
        told.append((what, fraction))
        if fraction > 0:
            cancel.set()

    with pytest.raises(CancelledError):
        register(
            fixed.array,
            fixed.grid,
            moving.array,
            moving.grid,
            settings=heads.quick,
            on_progress=on_progress,
            cancel=cancel,
        )
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert len(told) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"level_mm": (4.0, 8.0)},
        {"n_points": (1000,)},
        {"n_bins": (4, 40, 48, 48)},
        {"model": "spline"},
        {"level_mm": ()},
    ],
)
def test_settings_that_make_no_sense(changes):
    with pytest.raises(ParameterError):
        validated(RegistrationSettings, changes)
