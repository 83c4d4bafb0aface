r"""Signal loss by a field that changes across the voxel.

.. math:: h(t) = \prod_{k=x,y,z} \operatorname{sinc}(g_k t), \quad \operatorname{sinc}(u) = \frac{\sin \pi u}{\pi u}

with g_k the change of the field over the voxel along axis k, in Hz: the average of exp(2πi g·r t) over a box.

Source: Fernández-Seara MA, Wehrli FW, MRM 2000;44:358
(doi 10.1002/1522-2594(200009)44:3<358::AID-MRM3>3.0.CO;2-O).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.qsm.stencils import gradient, pairs_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm._backend import Array

_PER_VOXEL = (1.0, 1.0, 1.0)


def field_change_over_voxel_hz(total_field_hz: Array, mask: Array) -> list[Array]:
    """Change of the field over each voxel, along the three axes.

    Parameters
    ----------
    total_field_hz
        (X, Y, Z), unwrapped.
    mask
        (X, Y, Z) bool; only differences between two of its voxels are used.

    Returns
    -------
    list of Array
        Three (X, Y, Z) in Hz: the mean of the forward and backward difference, one of them at the edge of the mask,
        zero where there is neither.
    """
    xp = namespace_of(total_field_hz, mask)
    changes = []
    differences = gradient(xp.where(mask, total_field_hz, xp.zeros_like(total_field_hz)), _PER_VOXEL)
    for axis, (difference, pair) in enumerate(zip(differences, pairs_inside(mask), strict=True)):
        known = xp.astype(pair, difference.dtype)
        used = difference * known
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        total, number = xp.asarray(used, copy=True), xp.asarray(known, copy=True)
        total[ahead] += used[behind]
        number[ahead] += known[behind]
        changes.append(total / xp.where(number > 0, number, xp.ones_like(number)))
    return changes


def squared_dephasing(changes_hz: Sequence[Array], time_s: float) -> Array:
    """Factor h² of the squared magnitude at one echo time, between 0 and 1."""
    xp = namespace_of(*changes_hz)
    factor = xp.ones_like(changes_hz[0])
    for change in changes_hz:
        angle = change * (math.pi * time_s)
        near_zero = xp.abs(angle) < 1e-3
        safe = xp.where(near_zero, xp.ones_like(angle), angle)
        factor = factor * xp.where(near_zero, xp.ones_like(angle), xp.sin(safe) / safe)
    return factor * factor
