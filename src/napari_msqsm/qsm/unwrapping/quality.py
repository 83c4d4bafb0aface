"""Quality-guided unwrapping; the work is done on the host (see `host/unwrap_quality.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm._backend import like, to_numpy
from napari_msqsm.qsm.host.unwrap_quality import unwrap_by_quality
from napari_msqsm.qsm.unwrapping.result import Unwrapped
from napari_msqsm.settings import Settings, quantity

if TYPE_CHECKING:
    from napari_msqsm._backend import Array


class QualitySettings(Settings):
    """Quality-guided unwrapping along a spanning tree, after ROMEO."""

    method: Literal["quality"] = "quality"
    magnitude_weight: bool = quantity(
        True, help="Trust neighbours of similar magnitude more.", source="doi 10.1002/mrm.28563"
    )


def quality(
    wrapped_field_hz: Array,
    *,
    period_hz: float,
    mask: Array,
    magnitude: Array | None = None,
    noise_sd_hz: Array | None = None,
    fit_residual: Array | None = None,
    settings: QualitySettings | None = None,
) -> Unwrapped:
    """Unwrap along the spanning tree of the most trusted pairs of neighbours.

    Parameters
    ----------
    wrapped_field_hz
        (X, Y, Z), known up to multiples of ``period_hz``; where it is not finite is outside the mask.
    period_hz
        The field that turns the phase by 2π.
    mask
        (X, Y, Z) bool.
    magnitude, noise_sd_hz, fit_residual
        (X, Y, Z) each, what is known of a voxel's reliability.
    settings
        What is used of it.

    Returns
    -------
    Unwrapped
        The field, zero outside the mask.
    """
    settings = settings or QualitySettings()
    found = unwrap_by_quality(
        to_numpy(wrapped_field_hz),
        period_hz=period_hz,
        mask=to_numpy(mask),
        magnitude=to_numpy(magnitude) if settings.magnitude_weight and magnitude is not None else None,
        noise_sd_hz=None if noise_sd_hz is None else to_numpy(noise_sd_hz),
        fit_residual=None if fit_residual is None else to_numpy(fit_residual),
    )
    return Unwrapped(like(found, wrapped_field_hz))
