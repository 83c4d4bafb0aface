"""Outer head: scalp, face and neck, skull, air spaces, eyes, and the cavity that holds the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.shapes import coverage, ellipsoid, path_box, smooth_intersection, smooth_union, tube
from napari_msqsm.phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.phantom.composition import Composition
    from napari_msqsm.phantom.shapes import Point, Points

HEAD_BOX: tuple[Point, Point] = ((-92.0, -128.0, -178.0), (92.0, 112.0, 104.0))
"""Box in template coordinates that holds everything that is not air outside the head."""

_SKULL_MM = 6.5
_SCALP_MM = 6.0


def cerebrum(points: Points) -> NDArray[np.float32]:
    """Signed distance to the smooth hull of both hemispheres."""
    folded = points.folded
    upper = ellipsoid(points, (0.0, -17.0, 12.0), (68.0, 87.0, 66.0))
    # the base is lower at the front lobes' back and rises towards the tentorium
    base = -(points.z + np.float32(21.0) - np.float32(0.16) * np.maximum(-points.y - np.float32(40.0), 0))
    hull = smooth_intersection(upper, base, 14.0)
    temporal = ellipsoid(folded, (43.0, -14.0, -20.0), (23.0, 44.0, 25.0), turn_z_deg=6.0, turn_x_deg=14.0)
    return smooth_union(hull, temporal, 5.0)


def cerebellum(points: Points) -> NDArray[np.float32]:
    """Signed distance to the smooth hull of the cerebellum."""
    hemisphere = ellipsoid(points.folded, (24.0, -63.0, -37.0), (29.0, 27.0, 21.0), turn_x_deg=-12.0)
    vermis = ellipsoid(points, (0.0, -62.0, -31.0), (14.0, 23.0, 22.0))
    return smooth_union(hemisphere, vermis, 4.0)


_STEM = ((0.0, -20.0, -6.0), (0.0, -23.0, -20.0), (0.0, -27.0, -33.0), (0.0, -33.0, -50.0), (0.0, -40.0, -70.0))
_STEM_RADII = (11.0, 13.5, 15.0, 9.0, 7.0)
_CORD = ((0.0, -40.0, -70.0), (0.0, -44.0, -165.0))


def brainstem(points: Points) -> NDArray[np.float32]:
    """Signed distance to midbrain, pons and medulla."""
    return tube(points, _STEM, _STEM_RADII)


def cavity(points: Points, brain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signed distance to the inside of the skull: the brain's hull, rounded off and with a rim of fluid."""
    filled = smooth_union(brain, ellipsoid(points, (0.0, -30.0, -18.0), (54.0, 60.0, 38.0)), 22.0)
    return filled - np.float32(2.6)


def compose_head(composition: Composition, points: Points, inside: NDArray[np.float32], edge_mm: float) -> None:
    """Paint soft tissue, bone, air spaces, eyes and intracranial fluid.

    Parameters
    ----------
    composition
        What to paint on.
    points
        Template coordinates of all its samples.
    inside
        Signed distance to the cavity of the skull.
    edge_mm
        Edge of a sample.
    """

    def cover(tissue: Tissue, distance: NDArray[np.float32], where: object = ...) -> None:
        composition.cover(tissue, coverage(distance, edge_mm), where)

    face = ellipsoid(points, (0.0, 26.0, -58.0), (60.0, 66.0, 62.0))
    nose = ellipsoid(points, (0.0, 92.0, -48.0), (13.0, 16.0, 22.0))
    neck = tube(points, ((0.0, -38.0, -60.0), (0.0, -40.0, -122.0)), (56.0, 54.0))
    cranium = inside - np.float32(_SKULL_MM + _SCALP_MM)
    outer = smooth_union(smooth_union(cranium, smooth_union(face, nose, 12.0), 22.0), neck, 24.0)
    cover(Tissue.SCALP, outer)
    cover(Tissue.MUSCLE, np.maximum(outer + np.float32(5.0), -(inside - np.float32(_SKULL_MM + 1.0))))
    cover(Tissue.BONE, inside - np.float32(_SKULL_MM))
    # diploe: marrow between two tables
    cover(Tissue.SCALP, np.maximum(np.abs(inside - np.float32(3.4)) - np.float32(1.1), -points.z - np.float32(15.0)))

    for tissue, box, distance in _small_parts():
        (x0, y0, z0), (x1, y1, z1) = box
        where = (
            (points.x > x0) & (points.x < x1) & (points.y > y0) & (points.y < y1) & (points.z > z0) & (points.z < z1)
        )
        if where.any():
            cover(tissue, np.maximum(distance(points[where].folded), np.float32(1.5) - inside[where]), where)
    cover(Tissue.CSF, inside)
    canal = np.abs(points.x) + np.abs(points.y + np.float32(42.0)) < np.float32(30.0)
    canal &= (points.z < -50.0) & (points.z > -170.0)
    if canal.any():
        near = points[canal]
        cover(Tissue.CSF, tube(near, _CORD, (9.5, 8.5)), canal)
        cover(Tissue.SPINAL_CORD, tube(near, _CORD, (6.5, 5.5)), canal)


def _small_parts() -> list[tuple[Tissue, tuple[Point, Point], Callable[[Points], NDArray[np.float32]]]]:
    """Paired and midline parts: tissue, box that holds both sides, distance in folded coordinates."""
    airway = ((0.0, 44.0, -52.0), (0.0, 8.0, -58.0), (0.0, -4.0, -85.0), (0.0, 0.0, -165.0))
    radii = (9.0, 9.0, 8.0, 9.0)
    ear = ((78.0, -26.0, -36.0), (50.0, -24.0, -33.0))
    low, high = path_box(airway, radii)
    return [
        (
            Tissue.AIR,
            ((-30.0, 62.0, -14.0), (30.0, 92.0, 26.0)),
            lambda p: ellipsoid(p, (11.0, 76.0, 3.0), (12.0, 6.0, 13.0), turn_x_deg=18.0),
        ),
        (
            Tissue.AIR,
            ((-16.0, 34.0, -44.0), (16.0, 76.0, -14.0)),
            lambda p: ellipsoid(p, (6.0, 54.0, -30.0), (6.5, 18.0, 10.0)),
        ),
        (
            Tissue.AIR,
            ((-20.0, 4.0, -48.0), (20.0, 36.0, -20.0)),
            lambda p: ellipsoid(p, (7.0, 19.0, -34.0), (8.0, 11.0, 9.5)),
        ),
        (
            Tissue.AIR,
            ((-48.0, 26.0, -84.0), (48.0, 72.0, -42.0)),
            lambda p: ellipsoid(p, (28.0, 48.0, -62.0), (14.0, 17.0, 16.0)),
        ),
        (
            Tissue.AIR,
            ((-8.0, 40.0, -76.0), (8.0, 96.0, -44.0)),
            lambda p: ellipsoid(p, (3.5, 68.0, -60.0), (2.5, 26.0, 14.0)),
        ),
        (Tissue.AIR, (low, high), lambda p: tube(p, airway, radii)),
        (
            Tissue.AIR,
            path_box(((-95.0, -26.0, -36.0), (95.0, -24.0, -33.0)), (5.0,)),
            lambda p: tube(p, ear, (4.2, 3.4)),
        ),
        (
            Tissue.AIR,
            ((-76.0, -56.0, -58.0), (76.0, -26.0, -30.0)),
            lambda p: ellipsoid(p, (58.0, -42.0, -44.0), (8.0, 9.0, 10.0)),
        ),
        (
            Tissue.EYE,
            ((-50.0, 48.0, -50.0), (50.0, 82.0, -20.0)),
            lambda p: ellipsoid(p, (33.0, 67.0, -34.0), (12.5, 12.5, 12.5)),
        ),
    ]
