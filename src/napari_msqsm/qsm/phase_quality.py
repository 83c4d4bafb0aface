"""How smooth the phase is around each voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


def phase_quality(phase_rad: Array, magnitude: Array) -> Array:
    r"""Coherence of the phase that is gained between the first two echoes, over 3×3×3 voxels.

    .. math:: q = \tfrac{1}{27} \left| \sum_{\text{neighbours}} e^{i(\varphi_2 - \varphi_1)} \right|

    1 where that phase is even, 1/√27 = 0.19 in noise, (1 + 2 cos g)/3 where it grows by g radians a voxel. A field that
    steep cannot be unwrapped and dephases the voxel. Voxels without signal count as noise.

    Parameters
    ----------
    phase_rad
        (echo, X, Y, Z); with one echo its own phase is taken.
    magnitude
        (echo, X, Y, Z).

    Returns
    -------
    Array
        (X, Y, Z).
    """
    xp = namespace_of(phase_rad, magnitude)
    last = 1 if phase_rad.shape[0] > 1 else 0
    gained = phase_rad[last, ...] - phase_rad[0, ...] if last else phase_rad[0, ...]
    there = xp.isfinite(gained) & (magnitude[0, ...] > 0) & (magnitude[last, ...] > 0)
    nothing = xp.zeros_like(gained)
    parts = [_neighbourhood_mean(xp.where(there, wave(gained), nothing)) for wave in (xp.cos, xp.sin)]
    return xp.sqrt(parts[0] * parts[0] + parts[1] * parts[1])


def _neighbourhood_mean(image: Array) -> Array:
    """Mean over 3×3×3 voxels; the border counts twice where the image ends."""
    xp = namespace_of(image)
    for axis in range(3):
        n = image.shape[axis]
        at = [slice(None)] * 3

        def part(start: int, stop: int, of: Array = image, axis: int = axis, at: list[slice] = at) -> Array:
            return of[(*at[:axis], slice(start, stop), *at[axis + 1 :])]

        before = xp.concat([part(0, 1), part(0, n - 1)], axis=axis)
        after = xp.concat([part(1, n), part(n - 1, n)], axis=axis)
        image = (image + before + after) / 3.0
    return image
