"""Heads made of smooth shapes, sampled on any grid in any pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.settings import RegistrationSettings

# scalp, skull, fluid, cortex, white matter, ventricles, nuclei, lesions
CONTRASTS = {
    "GRE": (0.50, 0.10, 0.95, 0.75, 0.60, 0.90, 0.40, 0.80),
    "FLAIR": (0.60, 0.08, 0.12, 0.70, 0.50, 0.10, 0.55, 0.95),
    "T1w": (0.90, 0.10, 0.25, 0.50, 0.75, 0.22, 0.65, 0.45),
    "T2w": (0.45, 0.08, 1.00, 0.65, 0.45, 1.00, 0.40, 0.85),
}
SEMI_AXES_MM = np.array([54.0, 66.0, 50.0])
NUCLEI_MM = ((14.0, 4.0, -4.0, 6.0), (-15.0, 2.0, -3.0, 7.0), (-22.0, -20.0, 8.0, 4.0), (8.0, 26.0, 12.0, 4.0))
LESIONS_MM = ((20.0, 22.0, 14.0, 5.0), (-18.0, 10.0, 22.0, 4.0), (12.0, -34.0, 10.0, 4.5))

QUICK = RegistrationSettings(
    level_mm=(9.0, 4.5, 3.0),
    n_points=(3_000, 8_000, 25_000),
    n_bins=(24, 32, 32),
    tolerance_mm=(0.3, 0.05, 0.003),
    shading_from_mm=4.6,
    interior_depth_mm=8.0,
    capture_deg=0.0,
    capture_mm=0.0,
)
"""Coarse images, few points, no far starting positions."""


@dataclass(frozen=True, eq=False)
class Scan:
    """An image and its grid."""

    array: np.ndarray
    grid: Grid


def pose_of(turn_deg=(0.0, 0.0, 0.0), shift_mm=(0.0, 0.0, 0.0)):
    """(4, 4) head → scanner position."""
    pose = np.eye(4)
    pose[:3, :3] = rotation(np.radians(np.asarray(turn_deg)))
    pose[:3, 3] = shift_mm
    return pose


def scan(
    contrast="GRE",
    *,
    voxel_mm=(3.0, 3.0, 3.0),
    pose=None,
    field_of_view_mm=(135.0, 156.0, 126.0),
    axes=None,
    shading=0.0,
    noise=0.01,
    lesions=True,
    seed=0,
):
    """Image of the head; ``axes`` (3, 3) are the directions of the voxel axes, the scanner's when not given."""
    shape = tuple(round(extent / edge) for extent, edge in zip(field_of_view_mm, voxel_mm, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if axes is None else np.asarray(axes)) * np.asarray(voxel_mm)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    # slices are averages over their thickness
    parts = [max(1, round(edge / min(voxel_mm))) for edge in voxel_mm]
    offsets = [(np.arange(n) + 0.5) / n - 0.5 for n in parts]
    total = np.zeros(shape)
    index = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij"), axis=-1)
    to_head = np.linalg.inv(np.eye(4) if pose is None else pose) @ affine
    for shift in np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).reshape(-1, 3):
        total += _signal((index + shift) @ to_head[:3, :3].T + to_head[:3, 3], contrast, min(voxel_mm), lesions)
    total /= np.prod(parts)
    if shading:
        x, y, z = (np.linspace(-1, 1, n) for n in shape)
        total *= np.exp(shading * (x[:, None, None] - 0.8 * y[None, :, None] + 0.5 * (z * z)[None, None, :]))
    rng = np.random.default_rng(seed)
    total = np.hypot(total + noise * rng.standard_normal(shape), noise * rng.standard_normal(shape))
    return Scan((1000 * total).astype(np.float32), Grid(shape, affine))


def _signal(at, contrast, edge_mm, lesions):
    scalp, skull, fluid, cortex, white, ventricle, nucleus, lesion = CONTRASTS[contrast]

    def inside(distance):
        return 1 / (1 + np.exp(np.clip(distance * (4 / edge_mm), -40, 40)))

    x, y, z = np.moveaxis(at, -1, 0)
    radius = np.linalg.norm(at / SEMI_AXES_MM, axis=-1)
    depth = (radius - 1) * 55.0
    folds = 2.5 * np.sin(x / 5.0 + 0.7) * np.sin(y / 6.0) * np.sin(z / 5.5 + 0.3)
    image = inside(depth) * scalp
    for distance, value in ((depth + 4, skull), (depth + 9, fluid), (depth + 11 + 0.5 * folds, cortex)):
        image += inside(distance) * (value - image)
    image += inside(depth + 17 + folds) * (white - image)
    for side, size in ((1, 1.0), (-1, 1.25)):
        horn = np.sqrt(((x - side * 9) / 5) ** 2 + ((y + 4 - 0.2 * z) / 22) ** 2 + ((z - 8) / 6) ** 2) - size
        image += inside(horn * 5) * (ventricle - image)
    for spots, value in ((NUCLEI_MM, nucleus), (LESIONS_MM if lesions else (), lesion)):
        for cx, cy, cz, r in spots:
            distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) - r
            image += inside(distance) * (value - image)
    return image


def brain_points(seed=0, count=300):
    """Points of the brain, mm, in head coordinates."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * rng.uniform(0, 0.8, (count, 1)) ** (1 / 3) * SEMI_AXES_MM


@pytest.fixture(scope="session")
def heads():
    """Functions of this file for tests: scan, pose_of, brain_points, QUICK."""
    import types

    return types.SimpleNamespace(
        scan=scan,
        pose_of=pose_of,
        points=brain_points(),
        quick=QUICK,
        contrasts=tuple(CONTRASTS),
        semi_axes_mm=SEMI_AXES_MM,
    )
