"""An image at every level, and what the comparison there needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.interior import interior
from napari_msqsm.registration.prepared import HEAD_LEVEL, scaled
from napari_msqsm.registration.pyramid import at_level
from napari_msqsm.registration.shading import without_shading

if TYPE_CHECKING:
    from napari_msqsm.registration.prepared import PreparedImage
    from napari_msqsm.registration.pyramid import LevelImage
    from napari_msqsm.registration.settings import RegistrationSettings

_HEAD_MM = 4.0


@dataclass(frozen=True, eq=False)
class Level:
    """One image at one level.

    Parameters
    ----------
    image
        Grey levels 0…1.
    edges
        Image whose gradient is followed: one level coarser, so that noise draws no points.
    head, head_level
        Smooth image, and the grey level above which a position belongs to the head.
    weights
        How much each position counts: images that are multiplied; none when all count alike.
    """

    image: LevelImage
    edges: LevelImage
    head: LevelImage
    head_level: float
    weights: tuple[LevelImage, ...]


class Levels:
    """An image smoothed and decimated to every level; shading is removed where that is asked for.

    Parameters
    ----------
    prepared
        The image at full resolution.
    settings
        Voxel edges of the levels, and how wide shading is.
    what
        Name of the image, for messages.
    """

    def __init__(self, prepared: PreparedImage, settings: RegistrationSettings, *, what: str) -> None:
        self._settings, self._what = settings, what
        self._weights = () if prepared.weight is None else (prepared.weight,)
        self._images: list[LevelImage] = []
        image = prepared.image
        for level_mm in reversed(settings.levels_mm):
            image = at_level(image, level_mm)
            self._images.insert(0, image)
        coarse = [i for i, level_mm in enumerate(settings.levels_mm) if level_mm >= _HEAD_MM]
        self._smooth = self._images[coarse[-1]] if coarse else at_level(image, _HEAD_MM)

    @property
    def coarsest(self) -> LevelImage:
        """The first level's image."""
        return self._images[0]

    def at(self, number: int, *, unshaded: bool, inside: bool = False) -> Level:
        """Level of a number, 0 the coarsest.

        Parameters
        ----------
        number
            Which.
        unshaded
            Whether coil shading is removed.
        inside
            Whether only the interior of the head counts.
        """
        image = self._images[number]
        if unshaded:
            flat = without_shading(image, self._smooth, shading_mm=self._settings.shading_mm)
            image = scaled(flat, what=self._what)
        weights = self._weights
        if inside:
            depth_mm = self._settings.interior_depth_mm
            weights = (*weights, interior(self._smooth, head_level=HEAD_LEVEL, depth_mm=depth_mm))
        return Level(image, self._images[max(number - 1, 0)], self._smooth, HEAD_LEVEL, weights)


def centre_of_mass(image: LevelImage, above: float) -> tuple[float, float, float]:
    """Centre of an image's grey levels, mm; of its grid where nothing exceeds ``above``."""
    xp = namespace_of(image.array)
    mass = xp.where(image.array > above, image.array, xp.zeros_like(image.array))
    total = float(xp.sum(mass))
    centre = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        along = xp.sum(mass, axis=others)
        places = xp.arange(along.shape[0], dtype=along.dtype, device=device(along))
        centre.append(float(xp.sum(along * places)) / total if total > 0 else (along.shape[0] - 1) / 2)
    x, y, z = (sum(row[a] * centre[a] for a in range(3)) + row[3] for row in image.to_mm)
    return x, y, z
