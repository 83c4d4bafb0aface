"""Shifts of the tissue about a lesion, on synthetic scans with the head in another pose each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import InputError
from napari_msqsm.lesions.local_shift import MISALIGNED_MM, local_shift
from napari_msqsm.lesions.surroundings import Scan
from napari_msqsm.model.grid import Grid, reoriented
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of

SHAPE, VOXEL_MM, NOISE_PPM = (60, 60, 15), np.array([0.75, 0.75, 3.0]), 0.006


@pytest.fixture(scope="module")
def person():
    """All lesions begin at the first session."""
    drawn = SyntheticPatient.drawn(np.random.default_rng(5), n_lesions=8, times_y=(0.0, 1.0), heterogeneity_ppb=5.0)
    return replace(drawn, lesions=tuple(replace(one, onset_y=0.0) for one in drawn.lesions))


def scanned(person, lesion, time_y, rng, *, shift_mm=(0, 0, 0), baseline=False, noise_ppm=NOISE_PPM):
    """χ about a lesion, with a transform that is wrong by a shift; and the voxels of the lesion."""
    pose = np.eye(4)
    if not baseline:
        pose[:3, :3] = Rotation.from_rotvec(np.radians(rng.uniform(-4, 4, 3))).as_matrix()
        pose[:3, 3] = rng.uniform(-3, 3, 3)
    affine = np.diag([*VOXEL_MM, 1.0])
    middle = (pose @ [*lesion.centre, 1])[:3]
    affine[:3, 3] = middle + (rng.uniform(-0.5, 0.5, 3) - (np.array(SHAPE) - 1) / 2) * VOXEL_MM
    grid = Grid(SHAPE, affine)
    parts = parts_of(grid, 1.0)
    head = person.sampled(fine_sampling(grid, pose, parts)[0], time_y)
    chi = averaged(head.chi_ppm(), parts)
    chi = chi + noise_ppm * rng.standard_normal(chi.shape).astype(np.float32)
    brain = averaged(head.brain_share(), parts) > 0.5
    inside = averaged(head.lesion_share(lesion), parts) >= 0.5
    wrong = np.eye(4)
    wrong[:3, 3] = -np.array(shift_mm)
    return Scan(chi.astype(np.float32), brain, grid, AffineTransform(pose @ wrong)), inside


def found(person, number, shift_mm, *, seed=0, times_y=(0.0, 2.0), noise_ppm=NOISE_PPM):
    rng, lesion = np.random.default_rng(seed), person.lesions[number]
    onset, inside = scanned(person, lesion, times_y[0], rng, baseline=True, noise_ppm=noise_ppm)
    later, _ = scanned(person, lesion, times_y[1], rng, shift_mm=shift_mm, noise_ppm=noise_ppm)
    return local_shift(inside, onset.grid, [onset], [later])


@pytest.mark.parametrize(("number", "shift_mm"), [(0, (1.2, -0.4, 0.3)), (1, (0, 0, 2.0)), (2, (-0.3, 0.9, -1.1))])
def test_a_known_shift_is_found(person, number, shift_mm):
    shift = found(person, number, shift_mm, seed=number)
    assert shift.settled
    error = np.array(shift.shift_mm) - shift_mm
    assert np.linalg.norm(error) < 0.25
    assert np.all(np.abs(error) < 3.5 * np.array(shift.error_mm))
    assert shift.misaligned
    assert shift.correlation_after > max(0.9, shift.correlation_before)


@pytest.mark.parametrize("number", [1, 4])
def test_a_lesion_that_changes_without_moving_gives_no_shift(person, number):
    """Its χ rises by 20 ppb, its rim appears, and it grows."""
    shift = found(person, number, (0, 0, 0), seed=10 + number)
    assert shift.distance_mm < 0.25
    assert not shift.misaligned


def test_a_strong_change_inside_is_left_out(person):
    rng, lesion = np.random.default_rng(4), person.lesions[0]
    onset, inside = scanned(person, lesion, 0.0, rng, baseline=True)
    later, there = scanned(person, lesion, 0.0, rng)
    plain = local_shift(inside, onset.grid, [onset], [later])
    half = there & (np.indices(SHAPE)[0] > SHAPE[0] / 2)
    image = later.image + 0.3 * half.astype(np.float32)
    changed = local_shift(inside, onset.grid, [onset], [replace(later, image=image)])
    np.testing.assert_allclose(changed.shift_mm, plain.shift_mm, atol=0.1)
    beside = np.roll(half, 14, axis=0)
    other = replace(later, image=later.image + 0.3 * beside.astype(np.float32))
    near = np.roll(inside, 14, axis=0)
    without = local_shift(inside, onset.grid, [onset], [other], others=near | np.roll(near, 5, axis=0))
    np.testing.assert_allclose(without.shift_mm, plain.shift_mm, atol=0.25)


def test_gain_offset_order_of_axes_and_a_second_image_do_not_matter(person):
    rng, lesion = np.random.default_rng(6), person.lesions[2]
    onset, inside = scanned(person, lesion, 0.0, rng, baseline=True)
    later, _ = scanned(person, lesion, 1.0, rng, shift_mm=(0.5, 0.5, -0.5))
    plain = local_shift(inside, onset.grid, [onset], [later])
    scaled = replace(later, image=3.0 * later.image + 1.0)
    np.testing.assert_allclose(local_shift(inside, onset.grid, [onset], [scaled]).shift_mm, plain.shift_mm, atol=2e-3)
    image, grid = reoriented(later.image, later.grid, "PIL")
    turned = Scan(image, reoriented(later.mask, later.grid, "PIL")[0], grid, later.transform)
    np.testing.assert_allclose(local_shift(inside, onset.grid, [onset], [turned]).shift_mm, plain.shift_mm, atol=2e-3)
    twice = local_shift(inside, onset.grid, [onset, onset], [later, later])
    np.testing.assert_allclose(twice.shift_mm, plain.shift_mm, atol=2e-3)
    assert twice.n_voxels == 2 * plain.n_voxels


def test_what_lies_beyond_reach_is_not_trusted(person):
    shift = found(person, 0, (7.0, 0, 0))
    assert not shift.settled or np.linalg.norm(np.array(shift.shift_mm) - (7, 0, 0)) < 0.3
    assert not shift.misaligned


def test_small_or_uncertain_shifts_are_not_flagged(person):
    shift = found(person, 0, (0.3, 0, 0))
    assert 0.1 < shift.distance_mm < MISALIGNED_MM
    assert not shift.misaligned
    assert not replace(shift, shift_mm=(1.0, 0, 0), error_mm=(0.5, 0.1, 0.1)).misaligned
    assert replace(shift, shift_mm=(1.0, 0, 0), error_mm=(0.1, 0.1, 0.1), correlation_after=1.0).misaligned


def test_refusals(person):
    rng, lesion = np.random.default_rng(7), person.lesions[0]
    onset, inside = scanned(person, lesion, 0.0, rng, baseline=True)
    with pytest.raises(InputError, match="no region"):
        local_shift(np.zeros_like(inside), onset.grid, [onset], [onset])
    with pytest.raises(InputError, match="outside the mask of a session"):
        local_shift(inside, onset.grid, [onset], [replace(onset, mask=np.zeros_like(onset.mask))])
    thin = np.zeros_like(onset.mask)
    thin[30, :, 7] = True
    with pytest.raises(InputError, match="places about the lesion"):
        local_shift(inside, onset.grid, [onset], [replace(onset, mask=thin)])
