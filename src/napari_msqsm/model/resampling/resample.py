"""An image on another grid, by one interpolation from its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from array_api_compat import device

from napari_msqsm._backend import is_gpu, like, namespace_of, to_numpy
from napari_msqsm.errors import ShapeMismatchError
from napari_msqsm.model.resampling.kernels import kernel_named
from napari_msqsm.model.resampling.labels import resample_labels
from napari_msqsm.model.resampling.masked import continued
from napari_msqsm.model.resampling.spline_coefficients import mirrored, spline_coefficients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.resampling.kernels import Kernel
    from napari_msqsm.model.transform import AffineTransform

INTERPOLATIONS = ("lanczos", "quintic", "cubic", "linear", "label")
_POINTS = 1 << 16
_POINTS_GPU = 1 << 22
_EDGE = 0.5 + 1e-4
_HALF = 0.5


def resample(
    array: Array,
    grid: Grid,
    onto: Grid,
    transform: AffineTransform,
    *,
    interpolation: str = "lanczos",
    mask: Array | None = None,
    outside: float = 0.0,
    on_progress: Callable[[str, float], None] | None = None,
) -> Array:
    """Interpolate an image at the voxels of another grid.

    Parameters
    ----------
    array
        (X, Y, Z) numbers, or labels for ``label``.
    grid
        Its grid.
    onto
        Grid of the result.
    transform
        Scanner positions on ``onto`` (fixed) → those on ``grid`` (moving), mm.
    interpolation
        ``lanczos`` (windowed sinc, five samples on each side), ``quintic`` or ``cubic`` (B-splines), ``linear``, or
        ``label`` (by signed distance, see `resample_labels`).
    mask
        (X, Y, Z) bool: where ``array`` has a value. What lies outside it does not enter the result, see `continued`;
        not for labels.
    outside
        Value where ``array`` has none: beyond its voxels, or outside ``mask``.
    on_progress
        Called with what is being done and the fraction that is done, 0…1, now and then; not for labels.

    Returns
    -------
    Array
        (X', Y', Z') on ``onto``; the floating-point type of ``array``, float32 for whole numbers, the same for labels.

    Raises
    ------
    ShapeMismatchError
        When an array does not lie on ``grid``.
    ParameterError
        When there is no such interpolation.

    Notes
    -----
    A voxel has the value of its centre, or, where it is longer than one and a half voxels of ``array``, the mean over
    points inside it that lie about one voxel of ``array`` apart: 1 mm images on 3 mm slices are averaged over the
    slice. Points up to half a voxel beyond the outermost centres are inside; the image is mirrored there. Of a voxel
    that is averaged, at least half must be inside. NaN spreads: give a mask that leaves it out.
    """
    for name, image in (("the array", array), ("the mask", mask)):
        if image is not None and tuple(image.shape) != grid.shape:
            raise ShapeMismatchError(f"{name} has shape {tuple(image.shape)} but its grid has {grid.shape}")
    if interpolation == "label":
        return like(resample_labels(to_numpy(array), grid, onto, transform), array)
    kernel = kernel_named(interpolation)
    xp = namespace_of(array)
    image = array if xp.isdtype(array.dtype, "real floating") else xp.astype(array, xp.float32)
    if mask is not None:
        image = like(continued(to_numpy(image), to_numpy(mask), grid), image)
    if kernel.spline_degree is not None:
        image = spline_coefficients(image, kernel.spline_degree)
    samples = _Samples.of(image, kernel)
    where = None if mask is None else xp.reshape(mask, (-1,))
    out = xp.empty(onto.shape, dtype=image.dtype, device=device(image))
    placement = np.linalg.inv(grid.affine) @ transform.matrix @ onto.affine
    for rows in _slabs(onto.shape, _POINTS_GPU if is_gpu(xp) else _POINTS):
        out[rows, ...] = _slab(samples, where, placement, rows, onto.shape, outside)
        if on_progress is not None:
            on_progress("resample", rows.stop / onto.shape[0])
    return out


def covered(grid: Grid, onto: Grid, transform: AffineTransform) -> NDArray[np.bool_]:
    """(X', Y', Z') voxels of ``onto`` whose centre lies inside the voxels of ``grid``; parameters as in `resample`."""
    placement = np.linalg.inv(grid.affine) @ transform.matrix @ onto.affine
    inside = np.ones(onto.shape, dtype=np.bool_)
    index = np.ogrid[tuple(slice(0, n) for n in onto.shape)]
    for row, n in zip(placement, grid.shape, strict=False):
        at = sum(step * along for step, along in zip(row, index, strict=False)) + row[3]
        inside &= (at >= -_EDGE) & (at <= n - 1 + _EDGE)
    return inside


class _Samples(NamedTuple):
    """Samples of an image with mirrored ones about it, as one line."""

    line: Array
    shape: tuple[int, int, int]
    steps: tuple[int, int]
    kernel: Kernel

    @classmethod
    def of(cls, image: Array, kernel: Kernel) -> _Samples:
        xp, margin = namespace_of(image), kernel.half_width + 1
        shape = tuple(image.shape)
        for axis, n in enumerate(shape):
            index = mirrored(np.arange(-margin, n + margin), n)
            image = xp.take(image, like(index, image), axis=axis)
        return cls(xp.reshape(image, (-1,)), shape, (image.shape[1] * image.shape[2], image.shape[2]), kernel)

    def at(self, positions: Sequence[Array]) -> Array:
        """Interpolated values at (n,) positions along the three axes, in voxels."""
        xp = namespace_of(self.line)
        floors = [xp.floor(position) for position in positions]
        weights = [
            self.kernel.weights(xp.astype(position - floor, self.line.dtype))
            for position, floor in zip(positions, floors, strict=True)
        ]
        x, y, z = (xp.astype(floor, xp.int64) + 2 for floor in floors)  # the first sample that counts
        step_x, step_y = self.steps
        first = x * step_x + y * step_y + z
        total = xp.zeros_like(weights[0][0])
        for i, weight_x in enumerate(weights[0]):
            plane = xp.zeros_like(total)
            for j, weight_y in enumerate(weights[1]):
                start = i * step_x + j * step_y
                row = xp.zeros_like(total)
                for k, weight_z in enumerate(weights[2]):
                    row += weight_z * xp.take(self.line[start + k :], first)
                plane += weight_y * row
            total += weight_x * plane
        return total


def _slab(
    samples: _Samples,
    where: Array | None,
    placement: NDArray[np.float64],
    rows: slice,
    shape: tuple[int, int, int],
    outside: float,
) -> Array:
    """Rows of the result: the mean over the points of each voxel that lie inside."""
    xp, line = namespace_of(samples.line), samples.line
    n = (rows.stop - rows.start) * shape[1] * shape[2]
    total, count = (
        xp.zeros(n, dtype=line.dtype, device=device(line)),
        xp.zeros(n, dtype=line.dtype, device=device(line)),
    )
    offsets = _offsets(placement)
    for offset in offsets:
        positions = _positions(placement, rows, shape, offset, line)
        inside = _inside(positions, samples.shape, where)
        if not xp.any(inside):
            continue
        if xp.all(inside):
            total += samples.at(positions)
        else:
            total[inside] += samples.at([position[inside] for position in positions])
        count += xp.astype(inside, line.dtype)
    enough = count >= _HALF * len(offsets)
    mean = total / xp.where(enough, count, xp.ones_like(count))
    return xp.reshape(xp.where(enough, mean, xp.full_like(mean, outside)), (rows.stop - rows.start, *shape[1:]))


def _offsets(placement: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    """Points inside a voxel, in parts of it, that lie about one voxel of the image apart."""
    parts = [max(1, round(float(length))) for length in np.linalg.norm(placement[:3, :3], axis=0)]
    x, y, z = ([(i + 0.5) / n - 0.5 for i in range(n)] for n in parts)
    return [(a, b, c) for a in x for b in y for c in z]


def _positions(
    placement: NDArray[np.float64],
    rows: slice,
    shape: tuple[int, int, int],
    offset: tuple[float, float, float],
    template: Array,
) -> list[Array]:
    """Positions along the three axes of the image, in voxels, of the points of a slab."""
    xp = namespace_of(template)
    ranges = ((rows.start, rows.stop), (0, shape[1]), (0, shape[2]))
    x, y, z = (
        xp.reshape(
            xp.arange(start, stop, dtype=xp.float64, device=device(template)) + shift,
            tuple(-1 if other == axis else 1 for other in range(3)),
        )
        for axis, ((start, stop), shift) in enumerate(zip(ranges, offset, strict=True))
    )
    return [
        xp.reshape(float(row[0]) * x + float(row[1]) * y + (float(row[2]) * z + float(row[3])), (-1,))
        for row in placement[:3]
    ]


def _inside(positions: Sequence[Array], shape: tuple[int, int, int], where: Array | None) -> Array:
    """Which points lie in a voxel of the image, and of its mask when there is one."""
    xp = namespace_of(*positions)
    inside = xp.ones_like(positions[0], dtype=xp.bool)
    for position, n in zip(positions, shape, strict=True):
        inside &= (position >= -_EDGE) & (position <= n - 1 + _EDGE)
    if where is None:
        return inside
    x, y, z = (
        xp.astype(xp.clip(xp.round(position), 0, n - 1), xp.int64) for position, n in zip(positions, shape, strict=True)
    )
    return inside & xp.take(where, (x * shape[1] + y) * shape[2] + z)


def _slabs(shape: tuple[int, int, int], points: int) -> Iterator[slice]:
    """Rows of a grid, a bounded number of points at a time."""
    step = max(1, math.floor(points / (shape[1] * shape[2])))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))
