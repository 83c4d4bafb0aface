"""The head in a magnitude image (host only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.components import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD_SIGNAL = 0.15
"""Part of the range of the signal above which a voxel belongs to the head."""
_EMPTY = 0.3
"""An image whose darkest voxels are brighter than this part of the brightest has no air in it: a crop of brain."""


@dataclass(frozen=True, eq=False)
class Head:
    """Where the head is, and the ends of the robust range of the signal.

    Parameters
    ----------
    mask
        (X, Y, Z) without holes.
    has_air
        Whether there is air around it; otherwise the image is a crop of brain.
    dark, bright
        Quantiles of the signal: 2 % and 98 %.
    """

    mask: NDArray[np.bool_]
    has_air: bool
    dark: float
    bright: float


def head_of(magnitude: NDArray[Any]) -> Head:
    """Voxels of a magnitude image that are not air.

    Raises
    ------
    InputError
        When the image has no contrast.
    """
    if not np.any(magnitude > 0) or float(np.ptp(magnitude)) == 0.0:
        raise InputError("the magnitude has no contrast, so that no brain can be found; give a brain mask (--mask)")
    dark, bright = (float(level) for level in np.quantile(magnitude, (0.02, 0.98)))
    has_air = dark < _EMPTY * bright
    mask = filled(magnitude > dark + _HEAD_SIGNAL * (bright - dark)) if has_air else magnitude > 0
    return Head(np.asarray(mask, dtype=bool), has_air, dark, bright)
