"""Multiple-sclerosis lesions: where, of what shape, and how their susceptibility goes with age.

The curves follow the paper's findings (Zhang S et al., AJNR 2019;40:987, doi 10.3174/ajnr.A6071): χ rises after the
lesion first enhances, to a peak after one to two years; without a rim it falls after 1.5 years, with a rim it stays up
for four.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_msqsm.phantom.composition import Sampling
from napari_msqsm.phantom.shapes import ellipsoid
from napari_msqsm.phantom.tissue import Tissue
from napari_msqsm.phantom.veins import Vein

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.anatomy import Anatomy
    from napari_msqsm.phantom.shapes import Point, Points

Range = tuple[float, float]
RIM_RADIUS_MM: Range = (4.2, 6.5)
NO_RIM_RADIUS_MM: Range = (3.0, 5.0)
RIM_PPB: Range = (18.0, 25.0)
_HALO_MM = 0.6
_PLACE_STEP_MM = 2.0
_LEAST_ROOM_MM = 4.0


@dataclass(frozen=True)
class TimeCourse:
    """Mean χ of a lesion above normal-appearing white matter, in ppb, against its age in years.

    Rises from ``start_ppb`` by ``gain_ppb`` with ``rise_y``; from ``decay_onset_y`` on it falls with ``decay_y``.
    """

    start_ppb: float
    gain_ppb: float
    rise_y: float
    decay_onset_y: float
    decay_y: float

    def __call__(self, age_y: float) -> float:
        """Value at an age; zero before the lesion is there."""
        if age_y < 0:
            return 0.0
        value = self.start_ppb + self.gain_ppb * (1.0 - math.exp(-age_y / self.rise_y))
        return value * math.exp(-max(0.0, age_y - self.decay_onset_y) / self.decay_y)


RIM_COURSE = TimeCourse(start_ppb=9.0, gain_ppb=26.0, rise_y=0.55, decay_onset_y=4.0, decay_y=5.0)
NO_RIM_COURSE = TimeCourse(start_ppb=5.0, gain_ppb=20.0, rise_y=0.5, decay_onset_y=1.5, decay_y=2.2)


@dataclass(frozen=True)
class Lesion:
    """One lesion.

    Parameters
    ----------
    lesion_id
        Label in the segmentation, from 1.
    centre, radii_mm
        Of the ellipsoid at onset, in head coordinates.
    rim_ppb
        χ of the rim above that of the core, at full height; 0 for a lesion without a rim.
    rim_mm
        Thickness of the rim.
    shell
        Whether the contrast agent enhances the shell alone (shell) or all of it (nodular).
    course
        Mean χ against age.
    onset_y
        When it first enhances, in years since the first session; negative when before.
    growth
        Factor on the radii that is reached with a time constant of a year.
    vein
        The central vein, if it has one.
    """

    lesion_id: int
    centre: Point
    radii_mm: Point
    rim_ppb: float
    rim_mm: float
    shell: bool
    course: TimeCourse
    onset_y: float
    growth: float = 1.0
    vein: Vein | None = None

    @property
    def rim(self) -> bool:
        """Whether it has a paramagnetic rim."""
        return self.rim_ppb > 0

    def distance(self, points: Points, time_y: float) -> NDArray[np.float32]:
        """Signed distance to its edge at a time, negative inside."""
        age = time_y - self.onset_y
        scale = 1.0 + (self.growth - 1.0) * (1.0 - math.exp(-max(0.0, age)))
        a, b, c = (radius * scale for radius in self.radii_mm)
        return ellipsoid(points, self.centre, (a, b, c))

    def chi_ppb(self, points: Points, time_y: float) -> NDArray[np.float32]:
        """χ above white matter inside it, in ppb; the mean over the lesion is that of its time course."""
        distance = self.distance(points, time_y)
        mean = self.course(time_y - self.onset_y)
        if not self.rim:
            return np.full_like(distance, mean)
        height = self.rim_height_ppb(time_y)
        in_rim = (distance > -self.rim_mm).astype(np.float32)
        inside = distance < 0
        share = float(in_rim[inside].mean()) if inside.any() else 0.0
        return np.float32(mean) + np.float32(height) * (in_rim - np.float32(share))

    def rim_height_ppb(self, time_y: float) -> float:
        """χ of the rim above that of the core at a time; 0 without a rim and before the onset."""
        mean = self.course(time_y - self.onset_y)
        return self.rim_ppb * min(1.0, mean / (self.course.start_ppb + self.course.gain_ppb))

    def enhances(self, time_y: float) -> bool:
        """Whether gadolinium enhances it: for two months after onset."""
        return 0.0 <= time_y - self.onset_y < 0.17

    def enhancement(self, points: Points, time_y: float) -> NDArray[np.float32]:
        """Share of full enhancement, 0 … 1."""
        distance = self.distance(points, time_y)
        inside = distance < _HALO_MM
        if self.shell:
            return (inside & (distance > -1.6)).astype(np.float32)
        return inside.astype(np.float32)


def drawn_lesions(
    rng: np.random.Generator,
    anatomy: Anatomy,
    *,
    n_lesions: int,
    times_y: tuple[float, ...],
    radius_mm: Range | None = None,
    rim_ppb: Range = RIM_PPB,
) -> tuple[Lesion, ...]:
    """Lesions inside the white matter around and above the ventricles, apart from one another, half of them with a rim.

    Parameters
    ----------
    rng
        Source of all draws.
    anatomy
        Whose white matter.
    n_lesions
        How many; fewer where there is no more room.
    times_y
        Session times in years; most lesions first enhance at the first session, some at the second.
    radius_mm
        Range of radii; when not given, 4.2 … 6.5 with a rim and 3 … 5 without.
    rim_ppb
        Range of the χ of rims above that of the core, at full height.
    """
    places, room_mm = _places(anatomy)
    lesions: list[Lesion] = []
    for index in rng.permutation(len(places)):
        if len(lesions) == n_lesions:
            break
        number = len(lesions) + 1
        rim = number % 2 == 1
        size = rng.uniform(*(radius_mm or (RIM_RADIUS_MM if rim else NO_RIM_RADIUS_MM)))
        a, b, c = (float(size * factor) for factor in rng.uniform(0.87, 1.15, 3))
        x, y, z = (float(value) for value in places[index] + rng.uniform(-0.7, 0.7, 3))
        gaps = [math.dist((x, y, z), other.centre) - size - max(other.radii_mm) for other in lesions]
        if room_mm[index] < size or (gaps and min(gaps) < 7.0):
            continue
        onset = times_y[1] if len(times_y) > 2 and number % 5 == 0 else times_y[0]
        lesions.append(
            Lesion(
                lesion_id=number,
                centre=(x, y, z),
                radii_mm=(a, b, c),
                rim_ppb=float(rng.uniform(*rim_ppb)) if rim else 0.0,
                rim_mm=float(rng.uniform(1.0, 1.5)),
                shell=rim and bool(rng.uniform() < 0.6),
                course=RIM_COURSE if rim else NO_RIM_COURSE,
                onset_y=onset,
                growth=float(rng.uniform(1.02, 1.12)) if rim else float(rng.uniform(0.85, 0.95)),
                vein=_central_vein((x, y, z), (a, b, c)) if rng.uniform() < 0.7 else None,
            )
        )
    return tuple(lesions)


def _places(anatomy: Anatomy) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of the white matter at the height of the ventricles and above, and their distance to other tissue."""
    low, high = np.array([-60.0, -75.0, 8.0]), np.array([60.0, 50.0, 44.0])
    affine = np.diag([_PLACE_STEP_MM] * 3 + [1.0])
    affine[:3, 3] = low
    x, y, z = (int(n) for n in np.ceil((high - low) / _PLACE_STEP_MM))
    white = anatomy.compose(Sampling(affine, (x, y, z))).share({Tissue.WHITE_MATTER}) > 0.9
    room = ndimage.distance_transform_edt(white, sampling=_PLACE_STEP_MM)
    index = np.argwhere(room >= _LEAST_ROOM_MM)
    return low + index * _PLACE_STEP_MM, room[tuple(index.T)]


def _central_vein(centre: Point, radii: Point) -> Vein:
    """Through the lesion, towards the ventricle and on."""
    reach = max(radii) + 3.0
    towards = np.array([-math.copysign(1.0, centre[0]), 0.15, -0.35])
    towards = towards / np.linalg.norm(towards)
    start, end = np.array(centre) - reach * towards, np.array(centre) + reach * towards
    return Vein(
        (
            (float(start[0]), float(start[1]), float(start[2])),
            (float(end[0]), float(end[1]), float(end[2])),
        ),
        (0.6, 0.7),
    )
