"""White matter, grey matter and fluid of the brain, from whichever images there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.lesions.reference.mixture import OUTLIERS, fit_mixture
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.lesions.reference.mixture import Mixture
    from napari_msqsm.model.grid import Grid

FLUID, GREY, WHITE = 0, 1, 2
_COARSE_MM = 2.5
_LEAST_VOXELS = 500
_OTSU_BINS = 128


class TissueSettings(Settings):
    """How tissue is told apart."""

    shading_mm: float = quantity(
        30.0, gt=0, unit="mm", help="Standard deviation of the Gaussian that coil shading is smooth over."
    )
    neighbours: float = quantity(
        1.5, ge=0, help="How much a voxel is expected to be what its neighbours are; 0 looks at each voxel alone."
    )
    neighbour_mm: float = quantity(1.0, gt=0, unit="mm", help="How far neighbours are looked at (Gaussian).")
    rounds: int = quantity(4, ge=0, le=50, help="How often neighbours are looked at.")


class Channel(NamedTuple):
    """An image that tissue is told by.

    Parameters
    ----------
    name
        ``T1w``, ``FLAIR``, ``magnitude`` or ``R2star``.
    image
        (X, Y, Z) on the common grid.
    """

    name: str
    image: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Tissues:
    """Tissue of every voxel.

    Parameters
    ----------
    chance
        (3, X, Y, Z) probability of fluid, grey and white matter; 0 outside the brain.
    used
        Names of the images that they were told by.
    """

    chance: NDArray[np.float32]
    used: tuple[str, ...]

    @property
    def white(self) -> NDArray[np.bool_]:
        """(X, Y, Z) voxels that are more probably white matter than anything else."""
        return np.asarray(self.chance[WHITE] > 0.5)


def tissue_classes(
    channels: Sequence[Channel], brain: NDArray[np.bool_], grid: Grid, *, settings: TissueSettings | None = None
) -> Tissues:
    """Tell white matter, grey matter and fluid apart.

    Parameters
    ----------
    channels
        One image or more of `Channel`; what is known of their contrast is only what fluid looks like in them, and that
        white matter is brighter than grey matter on T1 and darker on FLAIR.
    brain
        (X, Y, Z).
    grid
        Of all images.

    Raises
    ------
    InputError
        When there is no image, too little brain, or an image shows no fluid or no two tissues.
    """
    settings = settings or TissueSettings()
    if not channels:
        raise InputError("no image was given to tell tissue by; give T1w, FLAIR, or magnitude and R2*")
    for name, image in (*channels, ("brain", brain)):
        if image.shape != grid.shape:
            raise ShapeMismatchError(f"the image {name} has shape {image.shape} but its grid has {grid.shape}")
    if np.count_nonzero(brain) < _LEAST_VOXELS:
        raise InputError(f"the brain mask has {np.count_nonzero(brain)} voxels; too few to tell tissue apart")
    every = [max(1, round(_COARSE_MM / step)) for step in grid.voxel_size_mm]
    thin = tuple(slice(None, None, n) for n in every)
    size = [step * n for step, n in zip(grid.voxel_size_mm, every, strict=True)]
    scale = [max(float(np.median(image[brain])), 1e-6) for _, image in channels]
    images = [
        np.clip(image / level, 0, None).astype(np.float32) for (_, image), level in zip(channels, scale, strict=True)
    ]
    small = [image[thin] for image in images]
    start = _start([name for name, _ in channels], small, brain[thin])
    shaded = [name != "R2star" for name, _ in channels]
    mixture, shading = fit_mixture(
        small, shaded, brain[thin], start, shading_mm=settings.shading_mm, voxel_size_mm=size
    )
    for number, field in enumerate(shading):
        if shaded[number]:
            images[number] = images[number] / _stretched(field, every, brain.shape)
    chance = _with_neighbours(mixture, images, brain, grid, settings)
    return Tissues(chance, tuple(name for name, _ in channels))


def _start(
    names: Sequence[str], images: Sequence[NDArray[np.float32]], brain: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """First guess: fluid by the image that shows it best, then the two tissues by Otsu's threshold."""
    by_name = dict(zip(names, images, strict=True))
    if "R2star" in by_name:
        fluid = by_name["R2star"][brain] < 0.5
    elif "T1w" in by_name:
        fluid = by_name["T1w"][brain] < 0.4
    else:
        fluid = by_name[names[0]][brain] < 0.55
    best = next(name for name in ("T1w", "FLAIR", "R2star", "magnitude") if name in by_name)
    values = by_name[best][brain]
    bright = values > otsu(values[~fluid])
    white = ~bright if best == "FLAIR" else bright
    labels = np.where(fluid, FLUID, np.where(white, WHITE, GREY))
    start = np.full((3, labels.size), 0.05)
    start[labels, np.arange(labels.size)] = 0.9
    return start


def otsu(values: NDArray[Any]) -> float:
    """Threshold that parts values into two classes of least variance (Otsu N, 1979, doi 10.1109/TSMC.1979.4310076)."""
    low, high = np.quantile(values, (0.002, 0.998))
    counts, edges = np.histogram(values, bins=_OTSU_BINS, range=(float(low), float(high)))
    middle = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * np.square(sums / below - (sums[-1] - sums) / above)
    return float(edges[1 + int(np.nanargmax(between[:-1]))])


def _stretched(field: NDArray[np.float32], every: Sequence[int], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Linear interpolation of a field from every n-th voxel."""
    out = field
    for axis, (n, length) in enumerate(zip(every, shape, strict=True)):
        at = np.minimum(np.arange(length) / n, out.shape[axis] - 1)
        low = np.minimum(at.astype(np.intp), max(out.shape[axis] - 2, 0))
        share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        near = np.take(out, low, axis=axis)
        out = near + share * (np.take(out, np.minimum(low + 1, out.shape[axis] - 1), axis=axis) - near)
    return out


def _with_neighbours(
    mixture: Mixture,
    images: Sequence[NDArray[np.float32]],
    brain: NDArray[np.bool_],
    grid: Grid,
    settings: TissueSettings,
) -> NDArray[np.float32]:
    """Posterior of every voxel with a prior from its neighbours (mean field of a Markov random field)."""
    levels = np.stack([image[brain] for image in images])
    own = mixture.log_likelihood(levels)
    density = np.exp(own)
    outliers = mixture.outlier_density * OUTLIERS
    chance = np.zeros((3, *brain.shape), dtype=np.float32)
    posterior = density * mixture.weights[:, None]
    chance[:, brain] = posterior / (posterior.sum(axis=0) + outliers)
    width = [settings.neighbour_mm / step for step in grid.voxel_size_mm]
    for _ in range(settings.rounds):
        prior = np.stack([ndimage.gaussian_filter(one, width)[brain] for one in chance])
        posterior = density * mixture.weights[:, None] * np.exp(settings.neighbours * 3.0 * prior)
        chance[:, brain] = posterior / (posterior.sum(axis=0) + outliers * np.exp(settings.neighbours))
    return chance
