"""Registration of a 1 mm image of the synthetic head onto a gradient echo of 0.75×0.75×3 mm.

Every benchmark records CPU seconds, peak memory above the images, iterations and evaluations, similarity and the error
over the brain (mm). SimpleITK, where it is installed, is timed beside it with its own mutual information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.phantom.contrasts import structural_images
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.scan import gradient_echo, scan_grid
from napari_msqsm.phantom.scanner import SIEMENS
from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.register import register
from napari_msqsm.registration.settings import RegistrationSettings

CENTRE_MM = (0.0, -4.0, 6.0)
SUBVOXEL_MM, NOISE = 1.5, 0.02


@dataclass(frozen=True, eq=False)
class ImagePair:
    """Two images, the true transform and points of the brain."""

    fixed: np.ndarray
    fixed_grid: Grid
    moving: np.ndarray
    moving_grid: Grid
    truth: AffineTransform
    points_mm: np.ndarray

    def error_mm(self, transform: AffineTransform) -> float:
        return float(self.truth.distance_mm(transform, self.points_mm).mean())


@pytest.fixture(scope="module")
def pair() -> ImagePair:
    rng = np.random.default_rng(4)
    patient = SyntheticPatient.drawn(rng, n_lesions=8, times_y=(0.0, 1.0), heterogeneity_ppb=4.0)
    grid = scan_grid((0.75, 0.75, 3.0), (210.0, 234.0, 144.0), tilt_deg=8.0, centre_mm=CENTRE_MM)
    made = {"noise": NOISE, "subvoxel_mm": SUBVOXEL_MM, "blank_air": False, "rng": rng}
    scan = gradient_echo(patient, time_y=0.0, grid=grid, pose=np.eye(4), scanner=SIEMENS, n_echoes=2, **made)
    pose = np.eye(4)
    pose[:3, :3] = rotation(np.radians((4.0, -6.0, 5.0)))
    pose[:3, 3] = 5.0, -4.0, 7.0
    moving_grid = scan_grid((1.0, 1.0, 1.0), (180.0, 240.0, 200.0), tilt_deg=0.0, centre_mm=CENTRE_MM)
    images, _ = structural_images(patient, time_y=1.0, grid=moving_grid, pose=pose, **made)
    header = np.eye(4)  # the headers do not agree either
    header[:3, :3] = rotation(np.radians((10.0, 8.0, -12.0)))
    header[:3, 3] = -12.0, 15.0, -10.0
    brain = np.argwhere(scan.truth.brain_mask)[::500]
    return ImagePair(
        np.sqrt((np.abs(scan.signal) ** 2).sum(axis=0)),
        grid,
        images["FLAIR"],
        Grid(moving_grid.shape, header @ moving_grid.affine),
        AffineTransform(header @ pose),
        brain @ grid.affine[:3, :3].T + grid.affine[:3, 3],
    )


@pytest.mark.parametrize("model", ["rigid", "scale9", "affine"])
@pytest.mark.parametrize("preview", [False, True], ids=["full", "preview"])
def bench_register(record, pair, model, preview):
    def figures(found):
        rows = found.record["levels"]
        return {
            "iterations": sum(row["iterations"] for row in rows),
            "evaluations": sum(row["evaluations"] for row in rows),
            "similarity": found.similarity,
            "residual": pair.error_mm(found.transform),
        }

    record(
        register,
        pair.fixed,
        pair.fixed_grid,
        pair.moving,
        pair.moving_grid,
        settings=RegistrationSettings(model=model, preview=preview),
        figures=figures,
    )


def bench_simpleitk(record, pair):
    sitk = pytest.importorskip("SimpleITK", reason="the comparison needs SimpleITK")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def image_of(array, grid):
        image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
        lps = np.diag([-1.0, -1.0, 1.0]) @ grid.affine[:3]
        spacing = np.linalg.norm(lps[:, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
        image.SetOrigin(lps[:, 3].tolist())
        return image

    def run():
        fixed, moving = image_of(pair.fixed, pair.fixed_grid), image_of(pair.moving, pair.moving_grid)
        start = sitk.CenteredTransformInitializer(
            fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
        )
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(48)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.05, 1)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200, relaxationFactor=0.6)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([2, 1, 0])
        method.SetInitialTransform(start, inPlace=False)
        found = method.Execute(fixed, moving)
        return method, found

    def figures(result):
        method, found = result
        lps = np.diag([-1.0, -1.0, 1.0])
        moved = np.array([found.TransformPoint((lps @ point).tolist()) for point in pair.points_mm]) @ lps
        return {
            "iterations": method.GetOptimizerIteration(),
            "similarity": -method.GetMetricValue(),
            "residual": float(np.linalg.norm(moved - pair.truth.apply(pair.points_mm), axis=1).mean()),
        }

    record(run, figures=figures)
