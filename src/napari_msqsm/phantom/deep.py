"""Deep grey nuclei, corpus callosum, ventricles: smooth shapes in template (MNI-like) coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.shapes import Points, ellipsoid, path_box, smooth_union, tube
from napari_msqsm.phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.phantom.shapes import Point


@dataclass(frozen=True)
class Part:
    """One structure: its tissue, a box that holds its right half, its distance in folded coordinates."""

    tissue: Tissue
    low: Point
    high: Point
    distance: Callable[[Points], NDArray[np.float32]]

    @property
    def box(self) -> tuple[Point, Point]:
        """Box that holds both halves."""
        reach = self.high[0]
        return (-reach, self.low[1], self.low[2]), (reach, self.high[1], self.high[2])


def parts(ventricle_scale: float) -> list[Part]:
    """Structures in the order in which they are painted.

    Parameters
    ----------
    ventricle_scale
        Width of the ventricles; 1 is a young adult, 1.4 marked atrophy.
    """
    return [*_white_matter(), *_nuclei(), *_ventricles(ventricle_scale)]


def _ball(tissue: Tissue, centre: Point, radii: Point, turn_z: float = 0.0, turn_x: float = 0.0) -> Part:
    reach = max(radii) + 2.0
    low = (centre[0] - reach, centre[1] - reach, centre[2] - reach)
    high = (centre[0] + reach, centre[1] + reach, centre[2] + reach)
    return Part(tissue, low, high, lambda p: ellipsoid(p, centre, radii, turn_z_deg=turn_z, turn_x_deg=turn_x))


def _tube(tissue: Tissue, path: tuple[Point, ...], radii: tuple[float, ...]) -> Part:
    low, high = path_box(path, radii, 2.0)
    return Part(tissue, low, high, lambda p: tube(p, path, radii))


def _white_matter() -> list[Part]:
    arch = ((0.0, 24.0, -2.0), (0.0, 31.0, 6.0), (0.0, 25.0, 17.0), (0.0, 8.0, 25.0), (0.0, -14.0, 26.0),
            (0.0, -32.0, 20.0), (0.0, -40.0, 11.0))  # fmt: skip
    radii = (3.0, 5.5, 4.0, 3.2, 3.2, 3.8, 5.5)

    def callosum(p: Points) -> NDArray[np.float32]:
        return tube(Points(np.maximum(p.x - np.float32(18.0), 0), p.y, p.z), arch, radii)

    low, high = path_box(arch, radii, 2.0)
    peduncle = ((22.0, -8.0, 6.0), (13.0, -15.0, -9.0), (6.0, -20.0, -20.0))
    return [
        Part(Tissue.WHITE_MATTER, low, (high[0] + 20.0, high[1], high[2]), callosum),
        _tube(Tissue.WHITE_MATTER, peduncle, (5.0, 7.0, 7.0)),
        _tube(Tissue.WHITE_MATTER, ((3.0, -36.0, 14.0), (3.5, -16.0, 19.0), (2.5, 2.0, 10.0), (2.0, 0.0, 0.0)),
              (1.6, 1.6, 1.8, 1.5)),
    ]  # fmt: skip


def _nuclei() -> list[Part]:
    caudate = ((11.5, 18.0, -1.0), (13.5, 15.0, 8.0), (15.5, 2.0, 17.0), (18.5, -14.0, 21.0), (24.0, -28.0, 16.0))

    def dentate(p: Points) -> NDArray[np.float32]:
        shell = np.abs(ellipsoid(p, (15.0, -57.0, -34.0), (7.5, 8.5, 5.5), turn_z_deg=-20.0)) - np.float32(1.3)
        return np.asarray(np.maximum(shell, np.float32(9.5) - p.x))

    return [
        _ball(Tissue.THALAMUS, (11.5, -18.0, 7.5), (8.2, 15.0, 9.5), 28.0),
        _ball(Tissue.THALAMUS, (17.0, -26.0, 6.0), (6.5, 7.0, 7.0)),
        _tube(Tissue.CAUDATE, caudate, (6.2, 5.6, 3.8, 2.6, 1.6)),
        _ball(Tissue.PUTAMEN, (25.5, 3.0, 2.0), (5.4, 17.0, 10.5), 14.0),
        _ball(Tissue.CAUDATE, (11.0, 14.0, -7.0), (7.0, 6.0, 4.5)),
        _ball(Tissue.PALLIDUM, (18.8, -3.0, 0.0), (4.2, 9.5, 6.8), 24.0),
        _ball(Tissue.RED_NUCLEUS, (4.9, -20.0, -9.0), (3.0, 3.2, 3.9)),
        _ball(Tissue.SUBSTANTIA_NIGRA, (10.0, -16.5, -12.0), (2.0, 7.5, 3.6), -42.0, 20.0),
        Part(Tissue.DENTATE, (5.0, -70.0, -44.0), (26.0, -44.0, -24.0), dentate),
    ]


def _ventricles(scale: float) -> list[Part]:
    body = ((7.0, 27.0, 3.0), (8.0, 20.0, 11.0), (8.5, 2.0, 19.0), (11.0, -16.0, 20.5), (17.0, -32.0, 15.0),
            (24.5, -40.0, 6.0))  # fmt: skip
    body_radii = tuple(r * scale for r in (3.4, 4.4, 4.2, 4.2, 5.4, 6.0))
    horns = ((25.0, -62.0, 6.0), (24.5, -42.0, 5.0), (30.0, -30.0, -8.0), (33.5, -14.0, -19.0))
    horn_radii = tuple(r * scale for r in (2.0, 5.6, 3.4, 2.4))
    low, high = path_box(body, body_radii, 3.0)
    low = (low[0], -68.0, -25.0)

    def lateral(p: Points) -> NDArray[np.float32]:
        return smooth_union(tube(p, body, body_radii), tube(p, horns, horn_radii), 5.0)

    def third(p: Points) -> NDArray[np.float32]:
        return np.asarray(np.maximum(p.x - np.float32(1.6 * scale), ellipsoid(p, (0.0, -8.0, 1.0), (1e3, 14.0, 10.0))))

    glomus = ((23.0, -38.0, 7.0), (20.0, -33.0, 13.0))
    return [
        Part(Tissue.VENTRICLE, low, (46.0, high[1], high[2]), lateral),
        _tube(Tissue.CHOROID_PLEXUS, glomus, (2.4, 1.4)),
        Part(Tissue.VENTRICLE, (0.0, -26.0, -12.0), (8.0, 10.0, 14.0), third),
        _tube(Tissue.VENTRICLE, ((0.0, -24.0, -2.0), (0.0, -33.0, -16.0), (0.0, -41.0, -26.0)), (0.9, 0.9, 1.4)),
        _ball(Tissue.VENTRICLE, (0.0, -43.5, -33.0), (6.5 * scale, 3.6 * scale, 10.0), 0.0, -16.0),
    ]
