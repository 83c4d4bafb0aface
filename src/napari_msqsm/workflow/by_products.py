"""Images that a finished reconstruction also holds: T2*, SWI, and where χ can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.qsm.quality.confidence import confidence_map
from napari_msqsm.qsm.swi import swi
from napari_msqsm.qsm.t2star import t2star_from_r2star

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.qsm.reconstruct import Reconstruction

NAMES = ("T2starmap", "swi", "confidence")


def by_products_of(result: Reconstruction, series: MultiEchoSeries) -> dict[str, NDArray[Any]]:
    """Compute them from a reconstruction that lies in host memory.

    Parameters
    ----------
    result
        With the local field, the noise and the misfit.
    series
        Its echoes.

    Returns
    -------
    dict
        By the names in `NAMES`: T2* in s, the unit of the magnitude, and 0 … 1.
    """
    images = (
        t2star_from_r2star(result.r2star_hz, mask=result.mask | (result.r2star_hz > 0)),
        swi(
            root_sum_of_squares(series.magnitude),
            local_field_hz=result.local_field_hz,
            mask=result.local_field_hz != 0,
            hz_per_ppm=series.hz_per_ppm,
        ),
        confidence_map(
            noise_sd_hz=result.noise_sd_hz,
            fit_residual=result.fit_residual,
            local_field_hz=result.local_field_hz,
            mask=result.mask,
        ),
    )
    return dict(zip(NAMES, images, strict=True))
