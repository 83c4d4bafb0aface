"""What a registration hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.registration.settings import Model


@dataclass(frozen=True, eq=False)
class Registration:
    """How two images lie on each other.

    Parameters
    ----------
    transform
        Fixed scanner position → moving scanner position, mm RAS+.
    model
        What it was allowed to do.
    similarity
        Normalised mutual information at the finest level, from 1 (nothing in common) to 2 (one tells the other).
    overlap
        0…1, part of the fixed head that lies inside the moving image.
    axis_scales
        Stretch fixed → moving along the fixed image's axes, in the order of the scanner's x, y, z; 1 when rigid.
    converged
        Whether the finest level settled before its last iteration, on a stretch that a scanner may have.
    record
        Settings, starts, and iterations, evaluations and similarity of every level; plain values.
    """

    transform: AffineTransform
    model: Model
    similarity: float
    overlap: float
    axis_scales: tuple[float, float, float]
    converged: bool
    record: Mapping[str, Any] = field(default_factory=dict)
