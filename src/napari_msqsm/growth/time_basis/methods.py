"""Time bases by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.growth.time_basis.octile_bins import octile_bins
from napari_msqsm.growth.time_basis.octile_poly import octile_poly
from napari_msqsm.growth.time_basis.poly import poly
from napari_msqsm.growth.time_basis.spline import spline

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_msqsm.growth.time_basis.basis import TimeBasis

    Make = Callable[[NDArray[np.float64], int], TimeBasis]

TIME_BASES: dict[str, Make] = {
    "spline": spline,
    "octile-bins": octile_bins,
    "octile-poly": octile_poly,
    "poly": poly,
}
