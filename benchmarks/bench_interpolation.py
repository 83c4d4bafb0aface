"""Means of lesions that do not change, at a follow-up whose head is turned: what each rule of measurement makes up.

Every benchmark records, for lesions with and without a rim apart, the mean error and the mean absolute error of the
value at the follow-up against that of the same rule at the baseline, and how far that lies from the mean of the lesion
itself (partial volume; the same at every session). The native value is that of the map as it was scanned, the
registered one that of the map carried to the baseline grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.lesions.carry import carry_roi
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.resampling.labels import resample_labels
from napari_msqsm.model.resampling.resample import resample
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.followed import FollowedLesion, lesion_in_patient, lone_lesion
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N_LESIONS, LEAST_RADIUS_MM, NOISE_PPM, TIME_Y = 24, 3.5, 0.006, 2.0
IDENTITY = AffineTransform.identity()
KERNELS = ("lanczos", "quintic", "cubic", "linear")


class Weights(NamedTuple):
    """A rule: weights on a grid of a region of the baseline."""

    name: str
    make: Callable[[FollowedLesion, Grid, AffineTransform], NDArray[Any]]


def distance_of(one: FollowedLesion) -> NDArray[np.float64]:
    size = one.baseline.grid.voxel_size_mm
    inside = ndimage.distance_transform_edt(one.roi, sampling=size)
    return np.asarray(inside - ndimage.distance_transform_edt(~one.roi, sampling=size))


def hard(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Voxels at whose centre the interpolated signed distance is positive."""
    distance = resample(distance_of(one), one.baseline.grid, onto, transform.inverse(), interpolation="linear")
    return np.asarray(distance > 0)


def hard_volume(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Whole voxels, as many as keep the volume."""
    return resample_labels(one.roi.astype(np.uint8), one.baseline.grid, onto, transform.inverse())


def drawing(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Weights by linear interpolation of the voxels that were drawn."""
    return resample(one.roi, one.baseline.grid, onto, transform.inverse(), interpolation="linear")


def solid(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """The part of each voxel that the smooth solid fills."""
    return carry_roi(one.roi, one.baseline.grid, onto, transform).weights


def solid_cut(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """The same, with the central vein cut out."""
    return carry_roi(one.roi, one.baseline.grid, onto, transform, cut=one.baseline.vein).weights


def squared(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Our rule: the square of that part."""
    return np.square(solid(one, onto, transform))


def squared_cut(one: FollowedLesion, onto: Grid, transform: AffineTransform) -> NDArray[Any]:
    """Our rule, with the central vein cut out."""
    return np.square(solid_cut(one, onto, transform))


RULES = (
    Weights("hard, distance > 0", hard),
    Weights("hard, volume kept", hard_volume),
    Weights("interpolated drawing", drawing),
    Weights("smooth solid", solid),
    Weights("smooth solid, vein cut out", solid_cut),
    Weights("smooth solid, squared", squared),
    Weights("smooth solid, squared, vein cut out", squared_cut),
)


@pytest.fixture(scope="module")
def lone() -> tuple[FollowedLesion, ...]:
    rng = np.random.default_rng(5)
    return tuple(lone_lesion(rng, rim=number % 2 == 0) for number in range(2 * N_LESIONS))


@pytest.fixture(scope="module")
def in_patient() -> tuple[FollowedLesion, ...]:
    rng = np.random.default_rng(11)
    patient = SyntheticPatient.drawn(rng, n_lesions=N_LESIONS, times_y=(0.0, TIME_Y), heterogeneity_ppb=5.0)
    large = [lesion for lesion in patient.lesions if min(lesion.radii_mm) >= LEAST_RADIUS_MM]
    return tuple(lesion_in_patient(rng, patient, lesion) for lesion in large)


@pytest.mark.parametrize("noise_ppm", [0.0, NOISE_PPM], ids=["no noise", "6 ppb"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("case", ["lone", "in_patient"])
def bench_native(record, request, case, rule, noise_ppm):
    lesions = request.getfixturevalue(case)
    record(measured, lesions, rule, noise_ppm, None, figures=figures)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("rule", [RULES[1], RULES[5], RULES[6]], ids=lambda rule: rule.name)
@pytest.mark.parametrize("case", ["lone", "in_patient"])
def bench_registered(record, request, case, rule, kernel):
    lesions = request.getfixturevalue(case)
    record(measured, lesions, rule, 0.0, kernel, figures=figures)


def measured(
    lesions: tuple[FollowedLesion, ...], rule: Weights, noise_ppm: float, kernel: str | None
) -> NDArray[np.float64]:
    """Rows of: rim, error, baseline value minus the mean of the lesion itself (ppb)."""
    rng = np.random.default_rng(3)
    rows = []
    for one in lesions:
        before, after = (
            scan.chi_ppm + np.float32(noise_ppm) * rng.standard_normal(scan.chi_ppm.shape, np.float32)
            for scan in (one.baseline, one.followup)
        )
        weights = rule.make(one, one.baseline.grid, IDENTITY)
        first = mean_ppb(before, weights)
        if kernel is None:
            then = mean_ppb(after, rule.make(one, one.followup.grid, one.transform))
        else:
            carried = resample(after, one.followup.grid, one.baseline.grid, one.transform, interpolation=kernel)
            then = mean_ppb(carried, weights)
        rows.append((one.rim, then - first, first - one.mean_ppb))
    return np.array(rows)


def mean_ppb(chi_ppm: NDArray[Any], weights: NDArray[Any]) -> float:
    return PPB_PER_PPM * float(np.average(chi_ppm, weights=weights))


def figures(rows: NDArray[np.float64]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, chosen in (("rim+", rows[:, 0] > 0), ("rim-", rows[:, 0] == 0)):
        found[f"{name} lesions"] = int(np.count_nonzero(chosen))
        found[f"{name} bias_ppb"] = float(rows[chosen, 1].mean())
        found[f"{name} mae_ppb"] = float(np.abs(rows[chosen, 1]).mean())
        found[f"{name} baseline_minus_lesion_ppb"] = float(rows[chosen, 2].mean())
    return found


@pytest.mark.parametrize("kernel", [*KERNELS, "label"])
def bench_whole_map(record, kernel):
    """A map of 256×288×52 voxels onto a grid of the same size."""
    grid = Grid((256, 288, 52), np.diag((0.75, 0.75, 3.0, 1.0)))
    turn = lone_lesion(np.random.default_rng(0), rim=True).transform.matrix[:3, :3]
    centre = np.array([96.0, 108.0, 78.0])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, centre - turn @ centre
    image = np.random.default_rng(0).standard_normal(grid.shape, np.float32)
    if kernel == "label":
        image = np.zeros(grid.shape, np.float32)
        for label in range(10):
            image[80 + 8 * label : 86 + 8 * label, 100:110, 20:23] = label + 1
    record(resample, image, grid, grid, AffineTransform(pose), interpolation=kernel)
