"""Veins as tubes: sinuses, deep veins, cortical and medullary veins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_msqsm.phantom.shapes import Point


@dataclass(frozen=True)
class Vein:
    """A tube along a path."""

    path: tuple[Point, ...]
    radii_mm: tuple[float, ...]


def draw_veins(rng: np.random.Generator) -> tuple[Vein, ...]:
    """Draw one person's veins in template coordinates."""
    return (*_sinuses(), *_deep(rng), *_cortical(rng), *_medullary(rng))


def _sinuses() -> list[Vein]:
    angles = np.radians([18.0, 45.0, 70.0, 92.0, 115.0, 138.0, 160.0, 178.0])
    sagittal = tuple((0.0, -17.0 + 88.0 * float(np.cos(a)), 12.0 + 67.0 * float(np.sin(a))) for a in angles)
    confluence = (0.0, -102.0, -6.0)
    radii = (0.9, 1.4, 2.0, 2.5, 2.9, 3.3, 3.6, 3.9, 4.0)
    veins = [
        Vein((*sagittal, confluence), radii),
        Vein(((0.0, -42.0, 9.0), (0.0, -62.0, 4.0), confluence), (2.2, 2.4, 2.6)),
    ]
    for side in (-1.0, 1.0):
        way = (confluence, (side * 30.0, -97.0, -14.0), (side * 52.0, -76.0, -20.0), (side * 56.0, -54.0, -30.0))
        veins.append(Vein(way, (3.2, 3.2, 3.2, 3.0)))
    return veins


def _deep(rng: np.random.Generator) -> list[Vein]:
    veins = []
    for side in (-1.0, 1.0):
        bend = float(rng.normal(0, 1.0))
        veins += [
            Vein(((side * 2.2, 2.0, 9.0), (side * 2.6, -18.0, 15.0 + bend), (0.0, -40.0, 10.0)), (0.7, 1.1, 1.7)),
            Vein(((side * 2.2, 26.0, 11.0), (side * 2.4, 12.0, 9.0), (side * 2.2, 2.0, 9.0)), (0.4, 0.6, 0.7)),
            Vein(((side * 19.0, -20.0, 17.0), (side * 14.0, -6.0, 14.5), (side * 2.2, 2.0, 9.0)), (0.6, 0.8, 0.8)),
            Vein(((side * 26.0, -4.0, -14.0), (side * 16.0, -26.0, -8.0), (0.0, -41.0, 7.0)), (0.7, 1.0, 1.3)),
        ]
    return veins


def _on_hull(azimuth: float, height: float, shrink: float) -> Point:
    ring = float(np.sqrt(max(0.0, 1.0 - height**2)))
    return (
        68.0 * shrink * ring * float(np.cos(azimuth)),
        -17.0 + 87.0 * shrink * ring * float(np.sin(azimuth)),
        12.0 + 66.0 * shrink * height,
    )


def _cortical(rng: np.random.Generator) -> list[Vein]:
    """Veins over the convexity that climb towards the sagittal sinus."""
    veins = []
    for side in (-1.0, 1.0):
        for azimuth in np.linspace(-1.25, 1.25, 9):
            turn = float(azimuth + rng.normal(0, 0.08))
            heights = np.linspace(rng.uniform(0.05, 0.4), rng.uniform(0.93, 0.97), 6)
            path = []
            for height in heights:
                turn += float(rng.normal(0, 0.06))
                x, y, z = _on_hull(turn, float(height), float(rng.uniform(0.985, 1.0)))
                path.append((side * abs(x), y, z))
            veins.append(Vein(tuple(path), tuple(float(r) for r in np.linspace(0.6, rng.uniform(1.0, 1.5), 6))))
    return veins


def _medullary(rng: np.random.Generator) -> list[Vein]:
    """Fine veins through deep white matter, towards the edge of the lateral ventricles."""
    veins = []
    for side in (-1.0, 1.0):
        for y in np.linspace(-44.0, 32.0, 13):
            start = np.array([14.0 + 0.004 * (y + 5.0) ** 2 + rng.normal(0, 1.0), y, 21.0 - 0.006 * (y - 5.0) ** 2])
            middle = start + np.array([rng.uniform(7, 11), rng.normal(0, 2.0), rng.uniform(6, 10)])
            end = middle + np.array([rng.uniform(7, 12), rng.normal(0, 3.0), rng.uniform(4, 10)])
            path = tuple((side * float(p[0]), float(p[1]), float(p[2])) for p in (start, middle, end))
            veins.append(Vein(path, (float(rng.uniform(0.5, 0.8)), 0.5, 0.35)))
    return veins
