"""What gadolinium changed: T1 images before and after, scaled to each other and subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SIGNAL = 0.2
"""Of the median: fluid and air say nothing of the scale, and their ratio is noise."""
_LEAST_SAMPLES = 100
_SD_OF_MAD = 1.4826


@dataclass(frozen=True)
class Scaling:
    """How the image before gadolinium is made comparable with the one after.

    Parameters
    ----------
    scale
        Factor on the image before.
    noise
        Standard deviation of the difference where nothing changed, in units of the image after: what enhances stands
        out of this.
    n_samples
        What both rest on.
    """

    scale: float
    noise: float
    n_samples: int


def scaling_between(before: NDArray[np.float64], after: NDArray[np.float64]) -> Scaling:
    """Scale two T1 images to each other by what did not enhance.

    The scale minimises ``Σ |after − scale · before|``: it is the median of ``after/before`` weighted by ``before``.
    What enhances, a small part of the brain, does not move it.

    Parameters
    ----------
    before, after
        (n,) values at the same places of the brain.

    Raises
    ------
    InputError
        When too few places have a signal in both.

    Notes
    -----
    One factor for all of the brain: shading that changed between the two images stays in the difference. Normal
    tissue enhances by some parts in a hundred through its blood; the factor takes that with it.
    """
    finite = np.isfinite(before) & np.isfinite(after) & (before > 0) & (after > 0)
    one, two = before[finite], after[finite]
    if one.size:
        strong = (one > _LEAST_SIGNAL * np.median(one)) & (two > _LEAST_SIGNAL * np.median(two))
        one, two = one[strong], two[strong]
    if one.size < _LEAST_SAMPLES:
        raise InputError(
            f"only {one.size} places of the brain have a signal before and after gadolinium; look at the alignment of "
            "both T1 images"
        )
    ratio = two / one
    order = np.argsort(ratio, kind="stable")
    weight = np.cumsum(one[order])
    scale = float(ratio[order][np.searchsorted(weight, 0.5 * weight[-1])])
    difference = two - scale * one
    noise = _SD_OF_MAD * float(np.median(np.abs(difference - np.median(difference))))
    return Scaling(scale, noise, int(one.size))
