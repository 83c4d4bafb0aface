"""Whether a lesion was there before, on synthetic FLAIR; T1 images scaled to each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import InputError
from napari_msqsm.lesions.enhancement import scaling_between
from napari_msqsm.lesions.onset import EarlierLook, lattice, look_back, place_of, sampled
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.contrasts import structural_images
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.scan import scan_grid

NEW_AT_Y = 2.0


@pytest.fixture(scope="module")
def person():
    """Every other lesion begins at two years, the others were there all the time."""
    drawn = SyntheticPatient.drawn(np.random.default_rng(5), n_lesions=8, times_y=(0.0, 1.0), heterogeneity_ppb=5.0)
    lesions = tuple(replace(one, onset_y=NEW_AT_Y * (n % 2)) for n, one in enumerate(drawn.lesions))
    return replace(drawn, lesions=lesions)


def patch(person, lesion, time_y, points, rng, *, voxel_mm=(1.0, 1.0, 3.0), error_mm=0.4):
    """FLAIR about a lesion, the head in another pose, aligned with an error."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(np.radians(rng.uniform(-4, 4, 3))).as_matrix()
    pose[:3, 3] = rng.uniform(-3, 3, 3)
    grid = scan_grid(voxel_mm, (46, 46, 48), tilt_deg=0.0, centre_mm=(pose @ [*lesion.centre, 1])[:3])
    made = {"noise": 0.03, "subvoxel_mm": 1.5, "blank_air": False, "rng": rng}
    flair = structural_images(person, time_y=time_y, grid=grid, pose=pose, **made)[0]["FLAIR"]
    wrong = np.eye(4)
    wrong[:3, 3] = error_mm * rng.standard_normal(3)
    return sampled(rng.uniform(50, 500) * flair, grid, AffineTransform(wrong @ pose), points)


@pytest.mark.parametrize("number", range(6))
def test_new_and_old_lesions_are_told_apart(person, number):
    rng = np.random.default_rng(number)
    lesion = person.lesions[number]
    points = lattice(np.array(lesion.centre) + 0.7 * rng.standard_normal(3))
    place = place_of(patch(person, lesion, 2.05, points, rng))
    assert place.clear
    look = look_back(place, patch(person, lesion, 1.0, points, rng))
    assert look.verdict == ("normal" if number % 2 else "there"), look


def test_between_white_matter_and_lesion_it_cannot_be_told(person):
    rng = np.random.default_rng(0)
    lesion = person.lesions[1]
    points = lattice(np.array(lesion.centre))
    now, then = (patch(person, lesion, t, points, np.random.default_rng(9), error_mm=0.0) for t in (2.05, 1.0))
    place = place_of(now)
    found = [look_back(place, part * now + (1 - part) * then).verdict for part in (0.0, 0.42, 1.0)]
    assert found == ["normal", "cannot tell", "there"]
    noisy = now + 0.4 * float(np.median(now)) * rng.standard_normal(now.shape).astype(np.float32)
    assert not place_of(noisy).clear
    assert look_back(place_of(noisy), then).verdict == "cannot tell"


def test_a_drawn_region_is_used_as_it_is(person):
    lesion = person.lesions[1]
    points = lattice(np.array(lesion.centre))
    flair = patch(person, lesion, 2.05, points, np.random.default_rng(3))
    drawn = np.linalg.norm(points - lesion.centre, axis=-1) < 3.0
    place = place_of(flair, drawn)
    np.testing.assert_array_equal(place.core, drawn)
    assert not np.any(place.white_matter & drawn)
    assert place.clear


def test_beyond_the_image_nothing_is_told(person):
    lesion = person.lesions[0]
    points = lattice(np.array(lesion.centre))
    flair = patch(person, lesion, 2.05, points, np.random.default_rng(3))
    place = place_of(flair)
    assert look_back(place, np.full_like(flair, np.nan)) == EarlierLook("not covered")
    nothing = place_of(np.full_like(flair, np.nan))
    assert not nothing.clear
    assert look_back(nothing, flair).verdict == "cannot tell"


def test_the_lattice_reads_the_right_places():
    grid = Grid((40, 36, 20), np.array([[0, 1.2, 0, -20.0], [-1, 0, 0, 25.0], [0, 0, 2.5, -24.0], [0, 0, 0, 1]]))
    index = np.indices(grid.shape).reshape(3, -1)
    at = (grid.affine[:3, :3] @ index + grid.affine[:3, 3:]).T
    ramp = (at @ [1.0, 2.0, -0.5]).reshape(grid.shape).astype(np.float32)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("y", 10, degrees=True).as_matrix()
    points = lattice(np.array([1.0, 2.0, 0.5]))
    found = sampled(ramp, grid, AffineTransform(turn), points)
    inside = np.isfinite(found)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(found[inside], (points @ turn[:3, :3].T @ [1.0, 2.0, -0.5])[inside], atol=1e-3)


def test_scaling_is_not_moved_by_what_enhances():
    rng = np.random.default_rng(0)
    before = rng.uniform(200, 900, 5000)
    after = 1.7 * before + 20 * rng.standard_normal(5000)
    before_noisy = before + 10 * rng.standard_normal(5000)
    after[:400] *= 2.5
    found = scaling_between(before_noisy, after)
    assert found.scale == pytest.approx(1.7, rel=0.01)
    assert found.noise == pytest.approx(np.hypot(20, 17), rel=0.15)
    with pytest.raises(InputError, match="only 50 places"):
        scaling_between(before[:50], after[:50])
