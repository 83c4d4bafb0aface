"""Lesions on FLAIR that are hard to outline: faint, uneven, at the ventricle's wall, side by side, grown together.

Each scene is a box of a synthetic head with one or two lesions. They have bumpy outlines and uneven intensity, and a
voxel belongs to a lesion when at least half of it does. The image has the noise of a magnitude image and the shading of
a receive coil.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_msqsm.phantom.anatomy import Anatomy
from napari_msqsm.phantom.composition import Sampling
from napari_msqsm.phantom.contrasts import structural_images
from napari_msqsm.phantom.noise import WaveNoise
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.scan import scan_grid
from napari_msqsm.phantom.shapes import Points, coverage, ellipsoid
from napari_msqsm.phantom.subvoxels import averaged, parts_of
from napari_msqsm.phantom.tissue import BRAIN, Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.shapes import Point

KINDS = ("white matter", "periventricular", "juxtacortical", "neighbours", "confluent")
SLABS_MM, CUBES_MM = (0.75, 0.75, 3.0), (1.0, 1.0, 1.0)
RADII_MM = (2.0, 8.0)
LESION_OVER_WHITE_MATTER = (1.6, 2.4)
NOISE = (0.05, 0.10)
"""Standard deviation, as a part of the signal of white matter: 20 down to 10 times less than it."""
SHADING = 0.2
FIELD_OF_VIEW_MM = (60.0, 60.0, 54.0)
_PART_MM = 0.75
_STEP_MM = 1.5
_LOW_MM, _HIGH_MM = np.array([-58.0, -75.0, 0.0]), np.array([58.0, 50.0, 46.0])
_BUMPS_MM = 0.12
"""Of the outline, as a part of the radius."""
_UNEVEN = 0.08
_NEIGHBOUR_GAP_MM = 1.5
_OVERLAP = 0.25


@dataclass(frozen=True, eq=False)
class FlairScene:
    """One box of a head.

    Parameters
    ----------
    flair
        (X, Y, Z).
    voxel_size_mm
        Along its axes.
    lesions
        (X, Y, Z) 1 in the lesion that is meant, 2 in the other one of a pair.
    brain
        (X, Y, Z) brain with its fluid.
    kind
        One of `KINDS`.
    """

    flair: NDArray[np.float32]
    voxel_size_mm: tuple[float, float, float]
    lesions: NDArray[np.uint8]
    brain: NDArray[np.bool_]
    kind: str

    @property
    def volume_mm3(self) -> float:
        """Of the lesion that is meant."""
        return float(np.count_nonzero(self.lesions == 1) * np.prod(self.voxel_size_mm))

    def clicks(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """(n, 3) voxels anywhere in the lesion that is meant."""
        inside = np.argwhere(self.lesions == 1)
        return inside[rng.integers(0, len(inside), n)]


def flair_scene(seed: int, kind: str, voxel_size_mm: tuple[float, float, float]) -> FlairScene:
    """Draw a patient, and in it a lesion of a kind."""
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    anatomy = Anatomy.drawn(rng)
    radius_mm = float(np.exp(rng.uniform(*np.log(RADII_MM))))
    centres, radii = _places(rng, anatomy, kind, radius_mm)
    parts = parts_of(scan_grid(voxel_size_mm, FIELD_OF_VIEW_MM, tilt_deg=0.0, centre_mm=(0, 0, 0)), _PART_MM)
    size = [step / part for step, part in zip(voxel_size_mm, parts, strict=True)]
    at = np.array(centres[0]) + rng.uniform(-8.0, 8.0, 3)
    tilt_deg = float(rng.uniform(-20.0, 20.0))
    grid = scan_grid(size, FIELD_OF_VIEW_MM, tilt_deg=tilt_deg, centre_mm=(float(at[0]), float(at[1]), float(at[2])))
    head = SyntheticPatient(anatomy, (), 0.0)
    images, _ = structural_images(
        head, time_y=0.0, grid=grid, pose=np.eye(4), noise=0.0, subvoxel_mm=9.0, blank_air=False, rng=rng
    )
    sampling = Sampling(grid.affine, grid.shape)
    points, composition = sampling.points(), anatomy.compose(sampling)
    fluid = composition.share({Tissue.VENTRICLE}) + composition.share({Tissue.CSF})
    white = float(np.median(images["FLAIR"][composition.share({Tissue.WHITE_MATTER}) > 0.99]))
    bright = 1.0
    fine, shares = images["FLAIR"] / np.float32(white), []
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True)):
        reach = 2 * radius
        box = sampling.block([c - reach for c in centre], [c + reach for c in centre])
        share = np.zeros_like(fluid)
        share[box] = _bumpy(rng, points[box], centre, radius, max(size)) * (np.float32(1) - fluid[box])
        if number:
            share *= np.float32(1) - shares[0]
        if number == 0 or kind == "neighbours":
            bright = float(rng.uniform(*LESION_OVER_WHITE_MATTER))
        uneven = np.float32(bright) * (1 + np.float32(_UNEVEN) * WaveNoise.drawn(rng, (4.0, 12.0), 16)(points[box]))
        fine[box] += share[box] * (uneven - fine[box])
        shares.append(share)
    image = averaged(fine.astype(np.float32), parts)
    labels = np.zeros(image.shape, dtype=np.uint8)
    for number, share in enumerate(shares, start=1):
        labels[averaged(share.astype(np.float32), parts) >= 0.5] = number
    shade = 1 + np.float32(SHADING) * WaveNoise.drawn(rng, (100.0, 250.0), 6)(points)
    image *= averaged(shade, parts)
    noise = np.float32(rng.uniform(*NOISE))
    image = np.hypot(
        image + noise * rng.standard_normal(image.shape, np.float32),
        noise * rng.standard_normal(image.shape, np.float32),
    )
    brain = averaged(composition.share(BRAIN), parts) > 0.5
    size_mm = (float(voxel_size_mm[0]), float(voxel_size_mm[1]), float(voxel_size_mm[2]))
    return FlairScene(np.asarray(1000 * image, dtype=np.float32), size_mm, labels, brain, kind)


def _bumpy(
    rng: np.random.Generator, points: Points, centre: Point, radius_mm: float, edge_mm: float
) -> NDArray[np.float32]:
    a, b, c = (float(radius_mm * factor) for factor in rng.uniform(0.75, 1.3, 3))
    wave = WaveNoise.drawn(rng, (1.5 * radius_mm, 4 * radius_mm), 12)
    distance = ellipsoid(points, centre, (a, b, c), turn_z_deg=float(rng.uniform(-90, 90)))
    return coverage(distance + np.float32(_BUMPS_MM * radius_mm) * wave(points), edge_mm)


def _places(rng: np.random.Generator, anatomy: Anatomy, kind: str, radius_mm: float) -> tuple[list[Point], list[float]]:
    """Centres and radii of the lesion that is meant, and of the other one of a pair."""
    affine = np.diag([_STEP_MM] * 3 + [1.0])
    affine[:3, 3] = _LOW_MM
    x, y, z = (int(n) for n in np.ceil((_HIGH_MM - _LOW_MM) / _STEP_MM))
    composition = anatomy.compose(Sampling(affine, (x, y, z)))
    white = composition.share({Tissue.WHITE_MATTER}) > 0.9
    room = ndimage.distance_transform_edt(white, sampling=_STEP_MM)
    wall = ndimage.distance_transform_edt(composition.share({Tissue.VENTRICLE}) < 0.5, sampling=_STEP_MM)
    cortex = ndimage.distance_transform_edt(composition.share({Tissue.GREY_MATTER}) < 0.5, sampling=_STEP_MM)
    if kind == "periventricular":
        there = white & (np.abs(wall - 0.7 * radius_mm) < _STEP_MM) & (cortex > radius_mm)
    elif kind == "juxtacortical":
        there = white & (np.abs(cortex - 0.9 * radius_mm) < _STEP_MM) & (wall > radius_mm + 3.0)
    else:
        there = room >= min(radius_mm, float(room.max()) - _STEP_MM)
    candidates = np.argwhere(there)
    centre = _LOW_MM + _STEP_MM * candidates[rng.integers(len(candidates))] + rng.uniform(-0.7, 0.7, 3)
    centres, radii = [_point(centre)], [radius_mm]
    if kind in ("neighbours", "confluent"):
        other = float(radius_mm * rng.uniform(0.7, 1.1))
        apart = radius_mm + other + _NEIGHBOUR_GAP_MM if kind == "neighbours" else (1 - _OVERLAP) * (radius_mm + other)
        way = rng.normal(size=3) * (1.0, 1.0, 0.4)
        centres.append(_point(centre + apart * way / np.linalg.norm(way)))
        radii.append(other)
    return centres, radii


def _point(at: NDArray[np.float64]) -> Point:
    return float(at[0]), float(at[1]), float(at[2])
