r"""What a registration may do to the head: rigid, stretched along the image axes, or affine.

A point x of the fixed scanner space goes to

.. math:: c_m + L\,(x - c_f), \quad L = Q_m D R D Q_f^T

with c_f the centre of the sample points, Q the directions of the voxel axes of the two images, R a rotation and D the
square roots of the stretches (1 when rigid): half of the stretch is on the side of each image, so that the inverse of
such a map is such a map, with the stretches inverted. An affine map has any L.

Steps are measured in mm: turns and stretches are multiplied by a lever of the head's size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.registration.host.frames import nearest_rotation, rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.registration.settings import Model

LEVER_MM = 60.0
"""Distance from the centre at which a turn of 1 rad or a stretch of 1 counts as that many mm."""


@dataclass(frozen=True, eq=False)
class Motion:
    """One map fixed → moving, and the steps that its model may take from there.

    Parameters
    ----------
    model
        What may change.
    linear
        (3, 3) L.
    centre_mm, image_mm
        (3,) c_f and where it goes, c_m.
    fixed_axes, moving_axes
        (3, 3) Q of the fixed and moving image, columns in matching order.
    turn, root_stretch
        (3, 3) R and (3,) the diagonal of D; of an affine motion not used.
    """

    model: Model
    linear: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    image_mm: NDArray[np.float64]
    fixed_axes: NDArray[np.float64]
    moving_axes: NDArray[np.float64]
    turn: NDArray[np.float64]
    root_stretch: NDArray[np.float64]

    @classmethod
    def rigid(cls, matrix: NDArray[Any], *, fixed_affine: NDArray[Any], moving_affine: NDArray[Any]) -> Motion:
        """Rigid motion nearest to a (4, 4) map, about the fixed scanner's origin."""
        turn = nearest_rotation(matrix[:3, :3])
        fixed_axes = nearest_rotation(_directions(fixed_affine))
        moving_axes = _matching(_directions(moving_affine), turn @ fixed_axes)
        return cls(
            model="rigid",
            linear=turn,
            centre_mm=np.zeros(3),
            image_mm=np.asarray(matrix[:3, 3], dtype=np.float64),
            fixed_axes=fixed_axes,
            moving_axes=moving_axes,
            turn=moving_axes.T @ turn @ fixed_axes,
            root_stretch=np.ones(3),
        )

    @classmethod
    def initial(cls, matrix: NDArray[Any], model: Model, rigid: Motion) -> Motion:
        """Motion of a model nearest to a (4, 4) map; ``rigid`` is the rigid one."""
        if model == "rigid":
            return rigid
        image = np.asarray(matrix[:3, 3], dtype=np.float64)
        if model == "affine":
            return replace(rigid, model=model, linear=np.asarray(matrix[:3, :3], dtype=np.float64), image_mm=image)
        between = rigid.moving_axes.T @ matrix[:3, :3] @ rigid.fixed_axes
        root = np.sqrt(np.clip(np.diag(rigid.turn.T @ between), 0.2, 5.0))
        linear = rigid.moving_axes @ (root[:, None] * rigid.turn * root) @ rigid.fixed_axes.T
        return replace(rigid, model=model, linear=linear, image_mm=image, root_stretch=root)

    @property
    def axis_scales(self) -> tuple[float, float, float]:
        """Stretches along the fixed image's axes, in the order of the scanner's x, y, z that they are nearest to."""
        stretch = self.root_stretch**2
        if self.model == "affine":
            stretch = np.linalg.norm(self.linear @ self.fixed_axes, axis=0)
        order = np.argmax(np.abs(_signed_order(self.fixed_axes)), axis=1)
        x, y, z = stretch[order]
        return float(x), float(y), float(z)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) fixed → moving scanner position, mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.linear
        matrix[:3, 3] = self.image_mm - self.linear @ self.centre_mm
        return matrix

    def allowing(self, model: Model) -> Motion:
        """Return the same map, free to change in the ways of another model."""
        return replace(self, model=model)

    def about(self, centre_mm: NDArray[Any] | tuple[float, float, float]) -> Motion:
        """Return the same map, described from another centre."""
        centre = np.asarray(centre_mm, dtype=np.float64)
        return replace(self, centre_mm=centre, image_mm=self.image_mm + self.linear @ (centre - self.centre_mm))

    def stepped(self, step_mm: NDArray[Any]) -> Motion:
        """Map after a step: shift (3), turn (3) and stretch (3), or shift (3) and the change of L (9), all in mm.

        The shift is taken half-way through the turn: a step back in the inverse map is the inverse of a step.
        """
        if self.model == "affine":
            image = self.image_mm + step_mm[:3]
            linear = self.linear + step_mm[3:].reshape(3, 3) / LEVER_MM @ self.linear
            return replace(self, image_mm=image, linear=linear)
        half, further = (rotation(part * step_mm[3:6] / LEVER_MM) for part in (0.5, 1.0))
        image = self.image_mm + self.moving_axes @ half @ self.moving_axes.T @ step_mm[:3]
        turn = further @ self.turn
        if self.model == "rigid":
            linear = self.moving_axes @ further @ self.moving_axes.T @ self.linear
            return replace(self, image_mm=image, linear=linear, turn=turn)
        root = self.root_stretch * np.exp(0.5 * step_mm[6:] / LEVER_MM)
        linear = self.moving_axes @ (root[:, None] * turn * root) @ self.fixed_axes.T
        return replace(self, image_mm=image, linear=linear, turn=turn, root_stretch=root)

    def by_step(self, by_matrix: NDArray[Any]) -> NDArray[np.float64]:
        """Turn the (3, 4) derivative by the matrix into that by the step, at no step."""
        shift = by_matrix[:, 3]
        by_linear = by_matrix[:, :3] - np.outer(shift, self.centre_mm)
        if self.model == "affine":
            return np.concatenate([shift, (by_linear @ self.linear.T).ravel() / LEVER_MM])
        if self.model == "rigid":
            outer = self.moving_axes.T @ by_linear @ self.linear.T @ self.moving_axes
            return np.concatenate([shift, [float(np.sum(outer * _cross(axis))) / LEVER_MM for axis in range(3)]])
        changes = [_cross(axis) @ self.turn for axis in range(3)]
        for axis in range(3):
            half = np.zeros(3)
            half[axis] = 0.5
            changes.append(half[:, None] * self.turn + self.turn * half)
        outer = self.moving_axes.T @ by_linear @ self.fixed_axes * np.outer(self.root_stretch, self.root_stretch)
        return np.concatenate([shift, [float(np.sum(outer * change)) / LEVER_MM for change in changes]])


def _directions(affine: NDArray[Any]) -> NDArray[np.float64]:
    columns = affine[:3, :3]
    return np.asarray(columns / np.linalg.norm(columns, axis=0), dtype=np.float64)


def _matching(axes: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """Rotation whose columns are the axes, in the order and sense that is nearest to other directions."""
    return nearest_rotation(axes @ _signed_order(axes.T @ wanted))


def _signed_order(cosines: NDArray[Any]) -> NDArray[np.float64]:
    """Signed permutation matrix nearest to a matrix of cosines: the largest first."""
    order = np.zeros((3, 3))
    left, right = {0, 1, 2}, {0, 1, 2}
    while left:
        i, j = max(((i, j) for i in left for j in right), key=lambda pair: abs(cosines[pair]))
        order[i, j] = 1.0 if cosines[i, j] >= 0 else -1.0
        left.remove(i)
        right.remove(j)
    return order


def _cross(axis: int) -> NDArray[np.float64]:
    """(3, 3) change of a rotation with its angle about an axis, at none."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((3, 3))
    matrix[j, i], matrix[i, j] = 1.0, -1.0
    return matrix
