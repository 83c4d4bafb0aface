"""Affine transforms on disk: ITK text (and the binary ``.mat`` of ANTs), FLIRT's ``.mat``, a plain 4×4 matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ParameterError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.itk_transform import Block, blocks_in, text_of, transform_of
from napari_msqsm.model.transform import AffineTransform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

_ITK_ENDINGS = (".txt", ".tfm")
_FLIRT_ENDING = ".mat"
_LARGEST_BYTES = 1 << 20
_ITK_MATLAB_FIXED = "fixed"


def read_transform(path: Path, *, fixed_grid: Grid | None = None, moving_grid: Grid | None = None) -> AffineTransform:
    """Read a linear transform fixed → moving.

    What the file holds tells its format: ITK's text (every linear transform, or a composite of such; ``.txt``,
    ``.tfm``), ITK's binary ``.mat`` as ANTs writes it, or four rows of four numbers. These are FLIRT's matrix in a
    file that ends in ``.mat``, and otherwise a matrix fixed → moving in mm RAS+.

    Parameters
    ----------
    path
        The file.
    fixed_grid, moving_grid
        Grids of the two images (FLIRT: reference and input); needed for FLIRT's matrices only.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    MetadataError
        When it is not one linear transform, has no inverse, or is a mirror.
    ParameterError
        When it is FLIRT's and a grid is missing.
    """
    path = Path(path)
    content = _content(path)
    try:
        text = content.decode("utf-8")
        if "\0" in text:
            raise UnicodeError
    except UnicodeError:
        return _checked(path, lambda: transform_of(_matlab_blocks(path)))
    if text.lstrip().lower().startswith("#insight transform") or "Transform:" in text:
        return _checked(path, lambda: transform_of(blocks_in(text)))
    matrix = _four_rows(text)
    if matrix is None:
        raise MetadataError(
            f"transform {path} is neither ITK text nor four rows of four numbers; give ITK's .txt or FLIRT's .mat"
        )
    if path.suffix.lower() != _FLIRT_ENDING:
        return _checked(path, lambda: AffineTransform(matrix))
    fixed, moving = _both_grids(path, fixed_grid, moving_grid)
    return _checked(path, lambda: from_flirt(matrix, fixed_grid=fixed, moving_grid=moving))


def write_transform(
    path: Path, transform: AffineTransform, *, fixed_grid: Grid | None = None, moving_grid: Grid | None = None
) -> None:
    """Write a transform atomically: ITK text for ``.txt`` and ``.tfm``, FLIRT's matrix for ``.mat``.

    Parameters
    ----------
    path
        Where to.
    transform
        Fixed → moving.
    fixed_grid, moving_grid
        Grids of the two images (FLIRT: reference and input); needed for ``.mat`` only.

    Raises
    ------
    ParameterError
        When the file has another ending, or a grid is missing.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending in _ITK_ENDINGS:
        text = text_of(transform)
    elif ending == _FLIRT_ENDING:
        fixed, moving = _both_grids(path, fixed_grid, moving_grid)
        rows = to_flirt(transform, fixed_grid=fixed, moving_grid=moving)
        text = "".join("  ".join(repr(float(value) + 0.0) for value in row) + "\n" for row in rows)
    else:
        raise ParameterError(f"a transform cannot be written as {path.name}; use .txt (ITK) or .mat (FLIRT)")
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")


def from_flirt(matrix: NDArray[np.float64], *, fixed_grid: Grid, moving_grid: Grid) -> AffineTransform:
    """Make the transform that a matrix of FLIRT stands for.

    Parameters
    ----------
    matrix
        (4, 4) FLIRT's coordinates of its input (moving) → those of its reference (fixed).
    fixed_grid, moving_grid
        Grids of reference and input.
    """
    world_of_moving = moving_grid.affine @ np.linalg.inv(flirt_coordinates(moving_grid))
    flirt_of_fixed = flirt_coordinates(fixed_grid) @ np.linalg.inv(fixed_grid.affine)
    return AffineTransform(world_of_moving @ AffineTransform(matrix).inverse().matrix @ flirt_of_fixed)


def to_flirt(transform: AffineTransform, *, fixed_grid: Grid, moving_grid: Grid) -> NDArray[np.float64]:
    """(4, 4) matrix of FLIRT, input (moving) → reference (fixed), of a transform fixed → moving."""
    flirt_of_moving = flirt_coordinates(moving_grid) @ np.linalg.inv(moving_grid.affine)
    world_of_fixed = fixed_grid.affine @ np.linalg.inv(flirt_coordinates(fixed_grid))
    return np.asarray(np.linalg.inv(flirt_of_moving @ transform.matrix @ world_of_fixed), dtype=np.float64)


def flirt_coordinates(grid: Grid) -> NDArray[np.float64]:
    """(4, 4) voxel index → FLIRT's coordinates: mm along the voxel axes from the centre of the first voxel.

    The x axis is turned round where the affine has a positive determinant, so that FLIRT's space is always
    left-handed (radiological).
    """
    scale = np.diag((*grid.voxel_size_mm, 1.0))
    if np.linalg.det(grid.affine[:3, :3]) > 0:
        scale[0, 3] = (grid.shape[0] - 1) * scale[0, 0]
        scale[0, 0] = -scale[0, 0]
    return scale


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"transform {path} does not exist or is not a file; check the path")
    try:
        if (n := path.stat().st_size) > _LARGEST_BYTES:
            raise InputError(f"transform {path} has {n} bytes, too many for a linear one; is it a deformation field?")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"transform {path} cannot be read ({error.strerror})") from None


def _checked(path: Path, make: Callable[[], AffineTransform]) -> AffineTransform:
    try:
        transform = make()
    except MetadataError as error:
        raise MetadataError(f"transform {path} cannot be used: {error}") from None
    if np.linalg.det(transform.matrix[:3, :3]) < 0:
        raise MetadataError(
            f"transform {path} would mirror the head; it belongs to other images, or left and right are confused"
        )
    return transform


def _matlab_blocks(path: Path) -> list[Block]:
    """Read the transform in a binary Matlab file (version 4), as ITK writes it."""
    from scipy.io import loadmat

    try:
        variables = loadmat(path, appendmat=False)
    except Exception:  # noqa: BLE001  whatever a damaged file makes the reader raise
        raise MetadataError("it is neither text nor a binary .mat of ITK; write it as ITK text") from None
    found = {name: np.asarray(value, dtype=np.float64).ravel() for name, value in variables.items() if name[0] != "_"}
    fixed = found.pop(_ITK_MATLAB_FIXED, np.zeros(0))
    return [Block(name, values, fixed) for name, values in found.items()]


def _four_rows(text: str) -> NDArray[np.float64] | None:
    rows = [line.split("#")[0].replace(",", " ").split() for line in text.splitlines()]
    rows = [row for row in rows if row]
    if len(rows) != 4 or any(len(row) != 4 for row in rows):
        return None
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        return None


def _both_grids(path: Path, fixed: Grid | None, moving: Grid | None) -> tuple[Grid, Grid]:
    if fixed is None or moving is None:
        raise ParameterError(
            f"{path.name} is in the format of FLIRT, whose matrices hold for two images; give the fixed and the "
            "moving image, or use ITK text (.txt)"
        )
    return fixed, moving
