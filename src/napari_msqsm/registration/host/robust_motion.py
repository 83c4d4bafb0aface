r"""Rigid motion that most blocks agree on.

Block b would lower its misfit most by moving by :math:`d_b = A_b^{-1} g_b`. One motion of the head, of parameters p
about its middle, moves it by :math:`P_b p`, and

.. math:: p = \arg\min \sum_b w_b\,(P_b p - d_b)^T A_b\,(P_b p - d_b)

so that a block says nothing along its edges. Blocks that do not agree lose their weight w (Tukey's biweight of their
distance in standard deviations, renewed in every round).

Source: iteratively reweighted least squares, Holland PW, Welsch RE, Commun Stat 1977;6:813
(doi 10.1080/03610927708827533).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.registration.host.frames import rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 20
_TUKEY = 4.0
_MEDIAN_OF_CHI3 = 1.538
"""Median length of a vector of three standard normal numbers."""
_FLOOR = 0.02
"""Of a block's mean curvature, added along its edges before its displacement is weighed."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion and what it rests on.

    Parameters
    ----------
    matrix
        (4, 4) position → position, mm.
    stretch
        Relative stretch along x, y, z; zeros unless asked for.
    stretch_sd
        Standard deviation of each.
    weight
        (block,) 0…1, how much each block was believed.
    """

    matrix: NDArray[np.float64]
    stretch: NDArray[np.float64]
    stretch_sd: NDArray[np.float64]
    weight: NDArray[np.float64]


def robust_motion(
    centre_mm: NDArray[Any],
    curvature: NDArray[Any],
    slope: NDArray[Any],
    usable: NDArray[np.bool_],
    *,
    stretch: bool = False,
) -> Motion:
    """Fit one motion to all blocks.

    Parameters
    ----------
    centre_mm
        (block, 3) positions.
    curvature, slope
        (block, 3, 3) and (block, 3): A and g of the formula, in units of the noise.
    usable
        (block,) blocks that count.
    stretch
        Whether the head may also stretch along the three axes.
    """
    n = 9 if stretch else 6
    middle = centre_mm[usable].mean(axis=0)
    arm = centre_mm - middle
    design = np.zeros((len(arm), 3, n))
    design[:, :, :3] = np.eye(3)
    design[:, 0, 4], design[:, 0, 5] = arm[:, 2], -arm[:, 1]
    design[:, 1, 3], design[:, 1, 5] = -arm[:, 2], arm[:, 0]
    design[:, 2, 3], design[:, 2, 4] = arm[:, 1], -arm[:, 0]
    if stretch:
        design[:, [0, 1, 2], [6, 7, 8]] = arm
    mean_curvature = np.trace(curvature, axis1=1, axis2=2)[:, None, None] * (_FLOOR / 3.0)
    spread = np.linalg.inv(curvature + (3.0 * mean_curvature + 1e-9) * np.eye(3))
    weight = usable.astype(np.float64)
    parameters = np.zeros(n)
    normal = np.eye(n)
    noise = 1.0
    curved = curvature @ design
    for _ in range(_ROUNDS):
        weighed = (design * weight[:, None, None]).reshape(-1, n)
        normal = weighed.T @ curved.reshape(-1, n)
        before, parameters = parameters, np.linalg.lstsq(normal, weighed.T @ slope.reshape(-1), rcond=1e-12)[0]
        left = slope - curved @ parameters
        distance = np.sqrt(np.maximum(np.sum(left * (spread @ left[..., None])[..., 0], axis=1), 0.0))
        noise = float(np.median(distance[usable])) / _MEDIAN_OF_CHI3 + 1e-9
        weight = usable * np.clip(1.0 - (distance / (_TUKEY * noise)) ** 2, 0.0, None) ** 2
        if np.max(np.abs(parameters - before)) < 1e-6:
            break
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(parameters[3:6])
    matrix[:3, 3] = parameters[:3] + middle - matrix[:3, :3] @ middle
    if not stretch:
        return Motion(matrix, np.zeros(3), np.zeros(3), weight)
    sd = noise * np.sqrt(np.diag(np.linalg.pinv(normal)))[6:]
    return Motion(matrix, parameters[6:], sd, weight)
