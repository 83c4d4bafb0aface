"""The files of one part of a gradient-echo series: in order of echo, on one grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import RawImage, load_raw
from napari_msqsm.io.sidecar import beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid

EchoPart = Literal["magnitude", "phase", "real part", "imaginary part"]
_ECHO_NUMBER = re.compile(r"(?:^|_)(?:echo-|echo|e)(\d+)(?=_|\.|$)", re.IGNORECASE)
_TIME_TOLERANCE_S = 1e-5
_IMAGE_TYPES: dict[EchoPart, set[str]] = {
    "magnitude": {"M", "MAGNITUDE"},
    "phase": {"P", "PHASE"},
    "real part": {"R", "REAL"},
    "imaginary part": {"I", "IMAGINARY"},
}
"""Words of DICOM's ImageType, which converters copy into sidecars."""


@dataclass(frozen=True, eq=False)
class EchoStack:
    """All echoes of one part, (echo, X, Y, Z), in order of echo.

    ``reordered`` when the files came in another order; ``order_known`` when sidecars or names tell it.
    """

    name: EchoPart
    paths: tuple[Path, ...]
    images: tuple[RawImage, ...]
    sidecars: tuple[Mapping[str, Any], ...]
    echoes: NDArray[Any]
    reordered: bool
    order_known: bool

    @property
    def n_echoes(self) -> int:
        """Number of echoes."""
        return int(self.echoes.shape[0])

    def path_of(self, echo: int) -> Path:
        """File that holds an echo."""
        return self.paths[echo] if len(self.paths) > 1 else self.paths[0]

    @property
    def times_s(self) -> tuple[float, ...] | None:
        """Echo times of the sidecars; None where they are not complete."""
        for key in ("EchoTime", "EchoTimes"):
            listed = self.sidecars[0].get(key)
            if len(self.paths) == 1 and isinstance(listed, list):
                return tuple(number(time, key) for time in listed)
        times = [side.get("EchoTime") for side in self.sidecars]
        if self.n_echoes == len(times) and all(time is not None for time in times):
            return tuple(number(time, "EchoTime") for time in times)
        return None


def read_echoes(name: EchoPart, paths: Sequence[Path], sidecars: Mapping[Path, Mapping[str, Any]] | None) -> EchoStack:
    """Read one file per echo in any order, or one 4-D stack.

    Raises
    ------
    InputError
        When a file cannot be used.
    ShapeMismatchError
        When the files do not lie on one grid.
    """
    found = [(Path(path), sidecars[path] if sidecars is not None else beside(Path(path))) for path in paths]
    if len({path for path, _ in found}) < len(found):
        raise InputError(f"the same {name} file was given twice; give one file per echo")
    for path, side in found:
        _check_kind(name, path, side)
    keys = _order_keys(found)
    given = [path for path, _ in found]
    if keys is not None:
        found = [item for _, item in sorted(zip(keys, found, strict=True), key=lambda pair: pair[0])]
    images = [load_raw(path, what=name) for path, _ in found]
    for (path, _), image in zip(found, images, strict=True):
        if np.iscomplexobj(image.array):
            raise InputError(
                f"{name} {path} holds complex numbers; write its real and imaginary parts as two files and give them "
                "with --real and --imaginary"
            )
        if image.array.ndim == 4 and len(found) > 1:
            raise InputError(f"{name} {path} is a 4-D stack {image.array.shape} among several files; give it alone")
        if not image.grid.same_as(images[0].grid):
            raise ShapeMismatchError(
                f"{name} {path} ({_describe(image.grid)}) and {found[0][0]} ({_describe(images[0].grid)}) do not lie "
                "on one grid; give echoes of one acquisition"
            )
    if images[0].array.ndim == 4:
        echoes = np.ascontiguousarray(np.moveaxis(images[0].array, -1, 0))
    else:
        echoes = np.stack([image.array for image in images])
    return EchoStack(
        name=name,
        paths=tuple(path for path, _ in found),
        images=tuple(images),
        sidecars=tuple(side for _, side in found),
        echoes=echoes,
        reordered=given != [path for path, _ in found],
        order_known=keys is not None,
    )


def _check_kind(name: EchoPart, path: Path, sidecar: Mapping[str, Any]) -> None:
    """Refuse a file that its sidecar calls another part."""
    words = sidecar.get("ImageType")
    said = {str(word).upper() for word in words} if isinstance(words, list) else set()
    kinds = [kind for kind, own in _IMAGE_TYPES.items() if own & said]
    if kinds and name not in kinds:
        raise InputError(f"{name} {path} is a {kinds[0]} by its sidecar (ImageType); give the {name} there")


def _order_keys(found: list[tuple[Path, Mapping[str, Any]]]) -> list[float] | None:
    """EchoTime where every sidecar has one, else the echo number in the name; None where neither is known."""
    times = [side.get("EchoTime") for _, side in found]
    keys: list[float]
    if all(time is not None and not isinstance(time, list) for time in times):
        keys = [number(time, "EchoTime") for time in times]
    else:
        numbers = [echo_number(path) for path, _ in found]
        keys = [float(n) for n in numbers if n is not None]
        if len(keys) < len(found):
            return [0.0] if len(found) == 1 else None
    for (path, _), key in zip(found, keys, strict=True):
        if keys.count(key) > 1:
            raise InputError(f"two files claim to be the same echo, such as {path.name}; give one file per echo")
    return keys


def echo_number(path: Path) -> int | None:
    """Echo number in a file name: 2 in ``…_echo-2_…`` or ``…_e2.nii``."""
    match = _ECHO_NUMBER.search(path.name)
    return int(match.group(1)) if match else None


def check_pair(first: EchoStack, second: EchoStack) -> None:
    """Refuse two parts that are not the same echoes on the same grid.

    Raises
    ------
    InputError, MetadataError, ShapeMismatchError
        With one sentence that says how they differ.
    """
    if first.n_echoes != second.n_echoes:
        raise ShapeMismatchError(
            f"there are {first.n_echoes} echoes of {first.name} and {second.n_echoes} of {second.name}; give both of "
            "every echo"
        )
    both = set(first.paths) & set(second.paths)
    if both:
        raise InputError(f"{min(both)} was given as {first.name} and as {second.name}; give one file for each")
    for known, unknown in ((first, second), (second, first)):
        if known.reordered and not unknown.order_known:
            raise InputError(
                f"{known.paths[0].name} … were put in order of echo, but nothing says which echo "
                f"{unknown.paths[0].name} is; keep EchoTime beside both or write echo-1, echo-2 … into their names"
            )
    one, other = first.images[0].grid, second.images[0].grid
    if not one.same_as(other):
        raise ShapeMismatchError(
            f"{second.name} {second.paths[0]} ({_describe(other)}) and {first.name} {first.paths[0]} "
            f"({_describe(one)}) do not lie on one grid; give images of one acquisition"
        )
    for path, partner in zip(first.paths, second.paths, strict=False):
        numbers = echo_number(path), echo_number(partner)
        if None not in numbers and numbers[0] != numbers[1]:
            raise InputError(f"{path.name} would be paired with {partner.name}; give the same echoes of both")
    one_times, other_times = first.times_s, second.times_s
    if one_times and other_times:
        apart = max(abs(a - b) for a, b in zip(one_times, other_times, strict=True))
        if apart > _TIME_TOLERANCE_S:
            raise MetadataError(
                f"{first.name} and {second.name} have different echo times ({one_times} and {other_times}); give "
                "images of one acquisition"
            )


def number(value: Any, name: str) -> float:
    """Metadata value as a number.

    Raises
    ------
    MetadataError
        When it is not one.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise MetadataError(f"{name} in the sidecar is {value!r}, not a number; correct it") from None


def _describe(grid: Grid) -> str:
    size = "×".join(f"{edge:.3g}" for edge in grid.voxel_size_mm)
    return f"shape {grid.shape}, {size} mm"
