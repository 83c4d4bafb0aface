"""Classes of tissue as a mixture of Gaussians, with the shading of the images estimated at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDS = 25
_TOLERANCE = 1e-3
OUTLIERS = 0.02
_LEAST_WEIGHT = 1e-3
_LEAST_LEVEL = 1e-3
_FIRST_TISSUE = 1
"""The class before it is fluid."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians over the grey levels of several images.

    Parameters
    ----------
    means, covariances, weights
        (class, channel), (class, channel, channel) and (class,).
    outlier_density
        Uniform density of what belongs to no class.
    """

    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    weights: NDArray[np.float64]
    outlier_density: float

    def log_likelihood(self, levels: NDArray[np.floating]) -> NDArray[np.float64]:
        """(class, n) logarithm of the density of (channel, n) grey levels in every class."""
        out = np.empty((len(self.means), levels.shape[1]))
        for number, (mean, covariance) in enumerate(zip(self.means, self.covariances, strict=True)):
            away = levels - mean[:, None]
            root = np.linalg.cholesky(2 * np.pi * covariance)
            white = np.linalg.solve(root, away)
            out[number] = -np.pi * np.einsum("cn,cn->n", white, white) - np.log(np.diag(root)).sum()
        return out

    def posterior(self, levels: NDArray[np.floating]) -> NDArray[np.float64]:
        """(class, n) probability of every class, what belongs to none left out of the sum."""
        density = np.exp(self.log_likelihood(levels)) * self.weights[:, None]
        return np.asarray(density / (density.sum(axis=0) + OUTLIERS * self.outlier_density))


def fit_mixture(
    images: Sequence[NDArray[np.float32]],
    shaded: Sequence[bool],
    mask: NDArray[np.bool_],
    start: NDArray[np.float64],
    *,
    shading_mm: float,
    voxel_size_mm: Sequence[float],
) -> tuple[Mixture, list[NDArray[np.float32]]]:
    r"""Fit classes and shading by expectation maximisation.

    Parameters
    ----------
    images
        (X, Y, Z) each, positive.
    shaded
        For each image, whether it has coil shading.
    mask
        (X, Y, Z) voxels that count.
    start
        (class, n) first guess of the posterior, n voxels of the mask.
    shading_mm, voxel_size_mm
        Standard deviation of the Gaussian that shading is smooth over, and voxel edges.

    Returns
    -------
    mixture, shading
        The classes of the images divided by their shading, and (X, Y, Z) shading of each image.

    Notes
    -----
    Wells WM et al., IEEE Trans Med Imaging 1996;15:429 (doi 10.1109/42.511747): the shading is the smoothed ratio of
    what is seen to what the classes let expect. Differs: classes are Gaussian in the grey level, not in its logarithm
    (fluid is near zero on T1 and FLAIR); a uniform class takes outliers such as lesions and vessels; all classes but
    the first, which is fluid, share their covariance, since one of its own would let grey matter take in all voxels
    that are partly fluid and leave the rest of it to white matter; and the ratio is that of least squares.
    """
    width = [shading_mm / step for step in voxel_size_mm]
    seen = np.stack([image[mask].astype(np.float64) for image in images])
    shading = [np.ones(mask.shape, dtype=np.float32) for _ in images]
    levels, posterior = seen.copy(), start
    span = np.prod([max(float(np.ptp(np.quantile(channel, (0.005, 0.995)))), _LEAST_LEVEL) for channel in seen])
    mixture = _maximised(levels, posterior, float(1.0 / span))
    for _ in range(_ROUNDS):
        posterior = mixture.posterior(levels)
        for number, image_is_shaded in enumerate(shaded):
            if not image_is_shaded:
                continue
            expected = np.einsum("kn,k->n", posterior, mixture.means[:, number])
            total, share = np.zeros(mask.shape), np.zeros(mask.shape)
            total[mask], share[mask] = expected * seen[number], expected * expected
            ratio = ndimage.gaussian_filter(total, width, mode="nearest")
            ratio /= np.maximum(ndimage.gaussian_filter(share, width, mode="nearest"), 1e-12)
            ratio /= max(float(np.mean(ratio[mask])), _LEAST_LEVEL)
            shading[number] = np.clip(ratio, 0.2, 5.0).astype(np.float32)
            levels[number] = seen[number] / shading[number][mask]
        before = mixture.means
        mixture = _maximised(levels, posterior, mixture.outlier_density)
        if np.max(np.abs(mixture.means - before)) < _TOLERANCE * float(np.max(np.abs(before))):
            break
    return mixture, shading


def _maximised(levels: NDArray[np.float64], posterior: NDArray[np.float64], outlier_density: float) -> Mixture:
    total = np.maximum(posterior.sum(axis=1), _LEAST_WEIGHT)
    means = posterior @ levels.T / total[:, None]
    floor = np.diag(np.square(1e-3 * np.maximum(levels.std(axis=1), 1e-9)))
    covariances = []
    for mean, chance, sum_ in zip(means, posterior, total, strict=True):
        away = levels - mean[:, None]
        covariances.append((away * chance) @ away.T / sum_ + floor)
    tissue = np.stack(covariances[_FIRST_TISSUE:])
    shares = total[_FIRST_TISSUE:] / total[_FIRST_TISSUE:].sum()
    covariances[_FIRST_TISSUE:] = [np.einsum("k,kij->ij", shares, tissue)] * len(tissue)
    return Mixture(means, np.stack(covariances), total / total.sum(), outlier_density)
