"""Rim and core on a grid, and the contrast between them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.phantom.lesions import RIM_COURSE, Lesion
from napari_msqsm.phantom.rims import rim_recovery, rim_regions
from napari_msqsm.phantom.shapes import Points
from napari_msqsm.phantom.subvoxels import averaged, fine_sampling, parts_of
from napari_msqsm.phantom.veins import Vein

TIME_Y = 3.0


def _lesion(lesion_id=1, centre=(2.0, -1.0, 4.0), rim_ppb=22.0, rim_mm=1.25, vein=None):
    return Lesion(lesion_id, centre, (5.5, 6.0, 5.0), rim_ppb, rim_mm, False, RIM_COURSE, 0.0, 1.0, vein)


def _grid(voxel_size_mm=(0.5, 0.5, 0.5), extent_mm=24.0):
    shape = tuple(round(extent_mm / step) for step in voxel_size_mm)
    affine = np.diag([*voxel_size_mm, 1.0])
    affine[:3, 3] = -extent_mm / 2 + np.array(voxel_size_mm) / 2
    return Grid(shape, affine)


def _true_chi_ppm(lesions, grid, pose):
    """χ of lesions in white matter of 0, averaged over voxels."""
    parts = parts_of(grid, 0.25)
    points = fine_sampling(grid, pose, parts)[0].points()
    chi = np.zeros(points.x.shape, np.float32)
    for lesion in lesions:
        chi += np.where(lesion.distance(points, TIME_Y) < 0, lesion.chi_ppb(points, TIME_Y), 0) * np.float32(1e-3)
    return averaged(chi, parts)


@pytest.fixture
def moved():
    pose = np.eye(4)
    c, s = np.cos(0.2), np.sin(0.2)
    pose[:3, :3] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    pose[:3, 3] = (1.0, -2.0, 0.5)
    return pose


def test_rim_encloses_core_and_lies_where_the_head_has_moved_to(moved):
    lesion, grid = _lesion(), _grid()
    (region,) = rim_regions([lesion], grid=grid, pose=moved, time_y=TIME_Y)
    assert not np.any(region.rim & region.core)
    volume = (region.rim.sum() + region.core.sum()) * grid.voxel_volume_mm3
    assert volume == pytest.approx(4 / 3 * np.pi * 5.5 * 6.0 * 5.0, rel=0.2)  # without its outermost voxels
    core_radius = (region.core.sum() * grid.voxel_volume_mm3 * 3 / (4 * np.pi)) ** (1 / 3)
    assert (5.5 * 6.0 * 5.0) ** (1 / 3) - core_radius == pytest.approx(lesion.rim_mm, abs=0.2)
    centre = grid.affine @ [*np.argwhere(region.core).mean(axis=0), 1.0]
    np.testing.assert_allclose(centre, moved @ [*lesion.centre, 1.0], atol=0.2)
    assert region.contrast_ppb == pytest.approx(22.0 * RIM_COURSE(TIME_Y) / 35.0, rel=1e-6)


def test_the_true_map_has_all_of_its_own_contrast_and_thick_slices_less_of_the_heads(moved):
    lesions = [_lesion()]
    for voxel, least, most in (((0.5, 0.5, 0.5), 0.85, 1.0), ((0.75, 0.75, 3.0), 0.5, 0.85)):
        grid = _grid(voxel)
        regions = rim_regions(lesions, grid=grid, pose=moved, time_y=TIME_Y)
        true = _true_chi_ppm(lesions, grid, moved)
        (found,) = rim_recovery(true, true, regions, mask=np.ones(grid.shape, bool))
        assert found.of_voxels == 1.0
        assert least < found.of_head < most


def test_half_the_contrast_is_half_recovered_whatever_the_zero(moved):
    lesions, grid = [_lesion()], _grid((0.75, 0.75, 1.5))
    regions = rim_regions(lesions, grid=grid, pose=moved, time_y=TIME_Y)
    true = _true_chi_ppm(lesions, grid, moved)
    (found,) = rim_recovery(0.5 * true + 0.02, true, regions, mask=np.ones(grid.shape, bool))
    assert found.of_voxels == pytest.approx(0.5, abs=1e-4)


def test_the_central_vein_is_left_out(moved):
    vein = Vein(((2.0, -1.0, -6.0), (2.0, -1.0, 14.0)), (0.7, 0.7))
    (plain,) = rim_regions([_lesion()], grid=_grid(), pose=np.eye(4), time_y=TIME_Y)
    (without,) = rim_regions([_lesion(vein=vein)], grid=_grid(), pose=np.eye(4), time_y=TIME_Y)
    lost = (plain.core | plain.rim) & ~(without.core | without.rim)
    along_z = np.argwhere(lost) @ np.diag([0.5, 0.5, 0.5]) + _grid().affine[:3, 3]
    assert lost.any()
    assert np.linalg.norm(along_z[:, :2] - np.array([2.0, -1.0]), axis=1).max() < 1.7


def test_lesions_without_rim_outside_the_grid_or_the_map_are_left_out():
    grid = _grid()
    shared = {"grid": grid, "pose": np.eye(4)}
    assert rim_regions([_lesion(rim_ppb=0.0)], time_y=TIME_Y, **shared) == ()
    assert rim_regions([_lesion(centre=(9.0, 0.0, 0.0))], time_y=TIME_Y, **shared) == ()
    assert rim_regions([_lesion()], time_y=-1.0, **shared) == ()
    regions = rim_regions([_lesion()], time_y=TIME_Y, **shared)
    chi = np.zeros(grid.shape)
    assert rim_recovery(chi, chi, regions, mask=~regions[0].rim) == ()


def test_height_of_the_rim_is_what_the_lesion_shows():
    lesion = _lesion()
    line = np.linspace(-5.4, 5.4, 200, dtype=np.float32)
    points = Points(line + np.float32(2.0), np.full_like(line, -1.0), np.full_like(line, 4.0))
    assert np.ptp(lesion.chi_ppb(points, TIME_Y)) == pytest.approx(lesion.rim_height_ppb(TIME_Y), rel=1e-4)
