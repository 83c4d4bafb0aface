"""Connected components (host only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def connected_to(region: NDArray[np.bool_], seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those face-connected components of a region that touch a seed or the border of the image."""
    outside = np.pad(seed, 1, constant_values=True)
    inner = np.pad(region, 1)
    reached = ndimage.binary_dilation(outside) & inner
    return np.asarray(ndimage.binary_propagation(reached, mask=inner))[1:-1, 1:-1, 1:-1]
