"""Moving the picture of the moving image by hand: what that does to its transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.transform import AffineTransform

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def shifted(transform: AffineTransform, shift_mm: ArrayLike) -> AffineTransform:
    """Move the picture of the moving image, as it is seen in the fixed scanner space.

    Parameters
    ----------
    transform
        Fixed position → moving position, T.
    shift_mm
        (3,) where the picture goes, d, in the fixed space, mm RAS+.

    Returns
    -------
    AffineTransform
        The picture M(T(x)) becomes M(T(x − d)).
    """
    motion = np.eye(4)
    motion[:3, 3] = np.asarray(shift_mm, dtype=np.float64)
    return _with_picture_moved(transform, motion)


def turned(transform: AffineTransform, axis: ArrayLike, angle_deg: float, centre_mm: ArrayLike) -> AffineTransform:
    """Turn the picture of the moving image about a point of the fixed scanner space.

    Parameters
    ----------
    transform
        Fixed position → moving position, T.
    axis
        (3,) direction of the axis in the fixed space, of any length.
    angle_deg
        Angle; positive turns counterclockwise for somebody at whom the axis points.
    centre_mm
        (3,) point that stays, c, mm RAS+.

    Returns
    -------
    AffineTransform
        The picture M(T(x)) becomes M(T(R⁻¹(x − c) + c)).

    Raises
    ------
    ParameterError
        When the axis has no length.
    """
    rotation = _rotation(axis, angle_deg)
    centre = np.asarray(centre_mm, dtype=np.float64)
    motion = np.eye(4)
    motion[:3, :3] = rotation
    motion[:3, 3] = centre - rotation @ centre
    return _with_picture_moved(transform, motion)


def motion_between(
    transform: AffineTransform, other: AffineTransform, centre_mm: ArrayLike
) -> tuple[NDArray[np.float64], float]:
    """How the picture moves from one transform to another.

    Parameters
    ----------
    transform, other
        Before and after.
    centre_mm
        (3,) point whose shift is told, mm RAS+ in the fixed space.

    Returns
    -------
    tuple
        (3,) shift of the picture there in mm, and the angle by which it turns in degrees; scales do not count.
    """
    centre = np.asarray(centre_mm, dtype=np.float64)
    motion = other.inverse().after(transform)
    left, _, right = np.linalg.svd(motion.matrix[:3, :3])
    cosine = (float(np.trace(left @ right)) - 1.0) / 2.0
    # the sine keeps small angles exact, for which the cosine is 1 in rounded numbers
    skew = left @ right - (left @ right).T
    sine = float(np.linalg.norm(skew)) / (2.0 * np.sqrt(2.0))
    return motion.apply(centre) - centre, float(np.degrees(np.arctan2(sine, cosine)))


def _with_picture_moved(transform: AffineTransform, motion: NDArray[np.float64]) -> AffineTransform:
    return transform.after(AffineTransform(motion).inverse())


def _rotation(axis: ArrayLike, angle_deg: float) -> NDArray[np.float64]:
    """Rotation matrix by Rodrigues' formula, 1 + sin α K + (1 − cos α) K²."""
    direction = np.asarray(axis, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    if direction.shape != (3,) or not np.isfinite(length) or length == 0:
        raise ParameterError(f"an axis to turn about needs three numbers that are not all zero, got {direction}")
    x, y, z = direction / length
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(angle_deg)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross))
