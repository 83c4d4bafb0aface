"""Smooth random functions of position: sums of plane waves, defined everywhere, so that a moved head is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.phantom.shapes import Points


@dataclass(frozen=True, eq=False)
class WaveNoise:
    """Gaussian-like random function of unit variance.

    Parameters
    ----------
    wave_vectors
        (n, 3), radians per mm.
    phases
        (n,), radians.
    """

    wave_vectors: NDArray[np.float32]
    phases: NDArray[np.float32]

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, wavelength_mm: tuple[float, float], n_waves: int, *, squash_z: float = 1.0
    ) -> WaveNoise:
        """Draw waves of random direction with wavelengths in a range."""
        directions = rng.normal(size=(n_waves, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        shortest, longest = (float(value) for value in np.log(wavelength_mm))
        lengths = np.exp(rng.uniform(shortest, longest, size=n_waves))
        vectors = directions * (2 * np.pi / lengths)[:, None] * np.array([1.0, 1.0, squash_z])
        return cls(vectors.astype(np.float32), rng.uniform(0, 2 * np.pi, n_waves).astype(np.float32))

    def __call__(self, points: Points) -> NDArray[np.float32]:
        """Value at every point."""
        total = np.zeros_like(points.x)
        for (a, b, c), phase in zip(self.wave_vectors, self.phases, strict=True):
            total += np.cos(a * points.x + b * points.y + c * points.z + phase)
        total *= np.float32(np.sqrt(2.0 / len(self.phases)))
        return total

    def with_slope(self, points: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Value and length of the gradient (per mm) at every point."""
        total, gx, gy, gz = (np.zeros_like(points.x) for _ in range(4))
        for (a, b, c), phase in zip(self.wave_vectors, self.phases, strict=True):
            argument = a * points.x + b * points.y + c * points.z + phase
            total += np.cos(argument)
            sine = np.sin(argument)
            gx += a * sine
            gy += b * sine
            gz += c * sine
        scale = np.float32(np.sqrt(2.0 / len(self.phases)))
        return total * scale, np.sqrt(gx * gx + gy * gy + gz * gz) * scale
