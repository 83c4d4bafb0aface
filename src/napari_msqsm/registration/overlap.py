"""How much of a head another image covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from array_api_compat import device

from napari_msqsm._backend import namespace_of
from napari_msqsm.registration.host.frames import inverse, rows
from napari_msqsm.registration.interpolation import mapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.registration.pyramid import LevelImage


def part_inside(head: LevelImage, other: LevelImage, matrix: NDArray[Any], *, head_level: float) -> float:
    """Part of the voxels above ``head_level`` that lies inside another image.

    Parameters
    ----------
    head
        A coarse image of the head.
    other
        The other image; only its grid counts.
    matrix
        (4, 4) map from the head's scanner space to the other image's.
    """
    xp = namespace_of(head.array)
    axes = [xp.arange(n, dtype=head.array.dtype, device=device(head.array)) for n in head.shape]
    grids = xp.meshgrid(*axes, indexing="ij")
    at = mapped(rows(inverse(other.affine) @ matrix @ head.affine), (grids[0], grids[1], grids[2]))
    counted = head.array > head_level
    inside = counted
    for u, n in zip(at, other.shape, strict=True):
        inside = xp.logical_and(inside, xp.logical_and(u >= -0.5, u <= n - 0.5))
    total = int(xp.count_nonzero(counted))
    return int(xp.count_nonzero(inside)) / total if total else 0.0
