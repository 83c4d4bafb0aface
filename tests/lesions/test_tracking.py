"""Lesions over sessions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.lesions.label_cloud import LabelCloud
from napari_msqsm.lesions.overlaps import beyond, overlaps
from napari_msqsm.lesions.tracking import identities, matched, states
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.transform import AffineTransform

SHAPE = (60, 60, 24)
VOXEL_MM = (1.0, 1.0, 3.0)


def cloud(balls, *, rng=None, stretch=1.0, error_mm=(0, 0, 0), shape=SHAPE):
    """Balls (label, centre and radius in the common space, mm) scanned with the head in another pose each time."""
    pose = np.eye(4)
    if rng is not None:
        pose[:3, :3] = Rotation.from_rotvec(np.radians(rng.uniform(-5, 5, 3))).as_matrix() * stretch
        pose[:3, 3] = rng.uniform(-3, 3, 3)
    affine = np.diag([*VOXEL_MM, 1.0])
    affine[:3, 3] = -np.array(VOXEL_MM) * (np.array(SHAPE) - 1) / 2
    grid = Grid(shape, affine)
    true, labels = AffineTransform(pose), np.zeros(shape, np.uint16)
    parts = np.array(np.meshgrid([-0.25, 0.25], [-0.25, 0.25], [-0.375, -0.125, 0.125, 0.375])).reshape(3, -1)
    for label, centre, radius in balls:
        middle = np.linalg.inv(affine) @ [*true.apply(centre), 1]
        reach = np.ceil(1.2 * radius / np.array(VOXEL_MM)) + 1
        box = tuple(slice(max(0, int(m - r)), max(0, int(m + r) + 2)) for m, r in zip(middle[:3], reach, strict=True))
        index = np.mgrid[tuple(slice(each.start, min(each.stop, n)) for each, n in zip(box, shape, strict=True))]
        share = np.zeros(index.shape[1:])
        for part in parts.T:
            scanner = np.moveaxis(index + part[:, None, None, None], 0, -1) @ affine[:3, :3].T + affine[:3, 3]
            share += (np.linalg.norm(true.inverse().apply(scanner) - centre, axis=-1) < radius) / parts.shape[1]
        labels[box][share >= 0.5] = label
    wrong = np.eye(4)
    wrong[:3, 3] = error_mm
    return LabelCloud(labels, grid, AffineTransform(wrong @ pose))


def state_of(earlier, later, label):
    return next(one for one in states(earlier, later) if one.label == label)


def test_volume_and_surface_are_those_of_the_common_space():
    rng = np.random.default_rng(0)
    for stretch in (1.0, 1.1):
        found = cloud([(3, (0, 0, 0), 9.0)], rng=rng, stretch=stretch)
        assert found.volumes_mm3[3] == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.04)
        assert found.surfaces_mm2[3] == pytest.approx(4 * np.pi * 81, rel=0.12)


@pytest.mark.parametrize("radius", [2.5, 4.0, 6.0])
def test_an_unchanged_lesion_is_stable_whatever_the_pose(radius):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(12):
        balls = [(1, rng.uniform(-12, 12, 3), radius)]
        error = 0.7 * rng.standard_normal(3) / np.sqrt(3)
        found.append(state_of(cloud(balls, rng=rng), cloud(balls, rng=rng, error_mm=error), 1).state)
    assert found.count("stable") >= 11, found


@pytest.mark.parametrize("radius", [2.5, 4.0, 6.0])
def test_growth_by_a_voxel_all_around_is_seen(radius):
    rng = np.random.default_rng(2)
    found = []
    for _ in range(8):
        centre = rng.uniform(-12, 12, 3)
        small, large = (cloud([(1, centre, r)], rng=rng) for r in (radius, radius + 1.0))
        found += [state_of(small, large, 1).state, state_of(large, small, 1).state]
    assert found.count("enlarging") == 8, found
    assert found.count("shrinking") == 8


def test_new_gone_merged_split_and_not_covered():
    rng = np.random.default_rng(3)
    earlier = cloud([(1, (-8, 0, 0), 4), (2, (0, 0, 0), 4), (3, (15, 10, 0), 4), (4, (0, 20, 0), 5)], rng=rng)
    later = cloud([(1, (-4, 0, 0), 9), (4, (0, 17, 0), 2.5), (5, (0, 23, 0), 2.5), (6, (15, -15, 6), 4)], rng=rng)
    found = {one.label: one for one in states(earlier, later)}
    assert found[1].state == "enlarging"
    assert (found[2].state, found[2].others) == ("merged", (1,))
    assert found[3].state == "gone"
    assert found[4].state == "shrinking"
    assert (found[5].state, found[5].others) == ("split", (4,))
    assert (found[6].state, found[6].others) == ("new", ())
    assert found[3].after_mm3 == 0
    slab = LabelCloud(later.labels[:, :32], Grid((60, 32, 24), later.grid.affine), later.transform)
    assert 4 in beyond(earlier, slab)
    gone = {one.label: one.state for one in states(earlier, slab)}
    assert (gone[3], gone[4]) == ("not covered", "not covered")
    assert gone[2] == "merged"


def test_a_new_lesion_beside_an_old_one_is_new():
    earlier = cloud([(1, (0, 0, 0), 3.5)])
    later = cloud([(1, (0, 0, 0), 3.5), (2, (7.5, 0, 0), 3.0)])
    assert {one.label: one.state for one in states(earlier, later)} == {1: "stable", 2: "new"}


def test_unrelated_numbers_are_matched():
    rng = np.random.default_rng(4)
    places = [(-15, -10, 0), (0, 0, 6), (12, 8, -6), (-12, 14, 3), (14, -14, 9)]
    radii = [2.2, 4, 5, 3, 6]
    numbers = [4, 1, 5, 2, 3]
    known = cloud([(n, p, r) for n, (p, r) in enumerate(zip(places, radii, strict=True), start=1)], rng=rng)
    strange = cloud(
        [(n, p, r) for n, p, r in zip(numbers, places, radii, strict=True)], rng=rng, error_mm=(0.5, -0.4, 0.3)
    )
    assert identities(matched(known, strange)) == dict(zip(numbers, range(1, 6), strict=True))


def test_a_part_that_split_off_and_a_new_lesion_have_no_number_yet():
    known = cloud([(7, (0, 0, 0), 7)])
    strange = cloud([(1, (-3.5, 0, 0), 3.3), (2, (4.5, 0, 0), 2.5), (3, (-16, 10, 0), 3)])
    found = matched(known, strange)
    assert identities(found) == {1: 7}
    assert [each.first for each in found[2]] == [7]
    assert found[3] == ()


def test_order_and_direction_of_axes_do_not_matter():
    rng = np.random.default_rng(5)
    one = cloud([(1, (0, 0, 0), 4), (2, (9, 3, 0), 3)], rng=rng)
    other = cloud([(1, (0, 0, 0), 5), (2, (9, 3, 1), 3)], rng=rng)
    labels, grid = reoriented(other.labels, other.grid, "PIR")
    turned = LabelCloud(labels, grid, other.transform)
    for found, wanted in zip(states(one, turned), states(one, other), strict=True):
        assert (found.label, found.state) == (wanted.label, wanted.state)
        assert found.after_mm3 == pytest.approx(wanted.after_mm3)
        assert found.limit_mm3 == pytest.approx(wanted.limit_mm3)
    first, second = overlaps(one, turned), overlaps(one, other)
    assert [(each.first, each.second) for each in first] == [(1, 1), (2, 2)]
    np.testing.assert_allclose([each.volume_mm3 for each in first], [each.volume_mm3 for each in second])


def test_empty_sessions_and_refusals():
    none, some = cloud([]), cloud([(1, (0, 0, 0), 4)])
    assert states(none, none) == ()
    assert [one.state for one in states(none, some)] == ["new"]
    assert [one.state for one in states(some, none)] == ["gone"]
    assert matched(none, some) == {1: ()}
    with pytest.raises(ShapeMismatchError, match="the labels have shape"):
        LabelCloud(np.zeros((2, 2, 2)), some.grid, some.transform)
