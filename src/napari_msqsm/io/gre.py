"""A multi-echo gradient-echo series from its files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError, MetadataError, ShapeMismatchError
from napari_msqsm.io.nifti import RawImage, load_raw
from napari_msqsm.io.phase import PHASE_SIGN_OF_VENDOR, alternate_slices_flipped, phase_scale, vendor_of
from napari_msqsm.io.sidecar import beside
from napari_msqsm.model.series import MultiEchoSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session

_ECHO_NUMBER = re.compile(r"(?:^|_)(?:echo-|echo|e)(\d+)(?=_|\.|$)", re.IGNORECASE)
_HZ_PER_MHZ = 1e6
_TIME_TOLERANCE_S = 1e-5
_SIGNAL = 0.1
"""Part of the bright voxels' magnitude above which a voxel has signal."""

EchoPart = Literal["magnitude", "phase", "real part", "imaginary part"]


@dataclass(frozen=True, eq=False)
class _Part:
    """All echoes of one part, in order of echo."""

    name: EchoPart
    paths: tuple[Path, ...]
    images: tuple[RawImage, ...]
    sidecars: tuple[Mapping[str, Any], ...]
    echoes: NDArray[Any]

    @property
    def n_echoes(self) -> int:
        return int(self.echoes.shape[0])


def load_gre(
    magnitude: Sequence[Path] = (),
    phase: Sequence[Path] = (),
    *,
    real: Sequence[Path] = (),
    imaginary: Sequence[Path] = (),
    echo_times_s: Sequence[float] | None = None,
    b0_tesla: float | None = None,
    imaging_frequency_hz: float | None = None,
    b0_direction: tuple[float, float, float] | None = None,
    phase_sign: Literal[1, -1] | None = None,
    phase_range: tuple[float, float] | None = None,
    sidecars: Mapping[Path, Mapping[str, Any]] | None = None,
) -> MultiEchoSeries:
    """Read magnitude and phase, or real and imaginary parts, of every echo.

    Parameters
    ----------
    magnitude, phase, real, imaginary
        One file per echo in any order, or one 4-D stack. Phase may be left out where a field is given later.
    echo_times_s, b0_tesla, imaging_frequency_hz
        Override what the sidecars say.
    b0_direction
        Direction of B0 in voxel axes; from the affine when not given.
    phase_sign
        +1 where stored phase grows with echo time in a stronger field, −1 for the opposite; the vendor's when not
        given.
    phase_range
        Stored values that mean −π and +π.
    sidecars
        Metadata of each file; the JSON of the same name beside it when not given.

    Returns
    -------
    MultiEchoSeries
        Everything that was assumed is listed in its ``assumptions``.

    Raises
    ------
    InputError
        When a file cannot be used.
    MetadataError
        When echo times, field strength or the scale of the phase are missing or impossible.
    ShapeMismatchError
        When the files do not lie on one grid.
    """
    if bool(real) != bool(imaginary):
        raise InputError("only one of real and imaginary parts was given; give both")
    if real and (magnitude or phase):
        raise InputError("real and imaginary parts were given beside magnitude or phase; give one kind")
    if not real and not magnitude:
        raise InputError("there are no magnitude images; give one file per echo or a 4-D stack")
    first = _read_part("real part" if real else "magnitude", real or magnitude, sidecars)
    second_name: EchoPart = "imaginary part" if real else "phase"
    second = _read_part(second_name, imaginary or phase, sidecars) if (imaginary or phase) else None
    if second is not None:
        _check_pair(first, second)
    metadata = _merged(first, second)
    assumptions = [text for image in first.images for text in image.assumptions][:1]
    times = _echo_times(first, second, echo_times_s, assumptions)
    b0 = _b0_tesla(metadata, b0_tesla)
    if real:
        assert second is not None
        signal, axes = alternate_slices_flipped(first.echoes + np.complex64(1j) * second.echoes)
        if axes:
            assumptions.append("alternate slices had opposite signs (as GE stores them); they were corrected")
        _refuse_not_finite(first, np.abs(signal))
        values, radians = np.abs(signal), np.angle(signal).astype(np.float32)
    else:
        values, radians = first.echoes, None
        _refuse_not_finite(first, values)
        if float(values.min()) < 0:
            raise InputError(f"magnitude {first.paths[0]} holds negative values; is it a phase image?")
        if second is not None:
            radians, values = _phase(second, values, phase_range, metadata, assumptions)
    if radians is not None:
        radians = radians * np.float32(_sign(phase_sign, metadata, assumptions))
    if not values.any():
        raise InputError(f"{first.name} {first.paths[0]} is zero everywhere; convert it again")
    frequency = imaging_frequency_hz or float(metadata.get("ImagingFrequency", 0.0)) * _HZ_PER_MHZ
    if not frequency:
        assumptions.append(f"the scanner frequency is not known; γ·B0 at {b0:g} T is used")
    return MultiEchoSeries(
        magnitude=values,
        phase_rad=radians,
        echo_times_s=times,
        b0_tesla=b0,
        grid=first.images[0].grid,
        imaging_frequency_hz=frequency,
        b0_direction=b0_direction or (0.0, 0.0, 0.0),
        assumptions=tuple(assumptions),
    )


def load_session_gre(
    session: Session,
    *,
    phase_sign: Literal[1, -1] | None = None,
    phase_range: tuple[float, float] | None = None,
) -> MultiEchoSeries:
    """Read the gradient-echo series of a session of a study.

    Raises
    ------
    InputError
        When the session has no magnitude and phase (or real and imaginary parts), besides all that `load_gre` raises.
    """
    paths = {
        part: [echo.path for echo in session.gre if echo.part == part] for part in ("mag", "phase", "real", "imag")
    }
    if not session.can_reconstruct:
        missing = "; ".join(session.missing) or "no gradient-echo series"
        raise InputError(f"{session.label} cannot be reconstructed: {missing}")
    sidecars = {echo.path: echo.sidecar for echo in session.gre}
    if paths["mag"] and paths["phase"]:
        return load_gre(paths["mag"], paths["phase"], phase_sign=phase_sign, phase_range=phase_range, sidecars=sidecars)
    return load_gre(real=paths["real"], imaginary=paths["imag"], phase_sign=phase_sign, sidecars=sidecars)


def _read_part(name: EchoPart, paths: Sequence[Path], sidecars: Mapping[Path, Mapping[str, Any]] | None) -> _Part:
    found = [(Path(path), sidecars[path] if sidecars is not None else beside(Path(path))) for path in paths]
    if len({path for path, _ in found}) < len(found):
        raise InputError(f"the same {name} file was given twice; give one file per echo")
    found = _in_echo_order(found)
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
    return _Part(name, tuple(path for path, _ in found), tuple(images), tuple(side for _, side in found), echoes)


def _in_echo_order(found: list[tuple[Path, Mapping[str, Any]]]) -> list[tuple[Path, Mapping[str, Any]]]:
    """By EchoTime where every sidecar has one, else by the echo number in the name, else as given."""
    times = [side.get("EchoTime") for _, side in found]
    if all(isinstance(time, int | float) for time in times):
        return sorted(found, key=lambda item: float(item[1]["EchoTime"]))
    numbers = {path: _echo_number(path) for path, _ in found}
    if all(number is not None for number in numbers.values()):
        return sorted(found, key=lambda item: numbers[item[0]] or 0)
    return found


def _echo_number(path: Path) -> int | None:
    match = _ECHO_NUMBER.search(path.name)
    return int(match.group(1)) if match else None


def _check_pair(first: _Part, second: _Part) -> None:
    if first.n_echoes != second.n_echoes:
        raise ShapeMismatchError(
            f"there are {first.n_echoes} echoes of {first.name} and {second.n_echoes} of {second.name}; give both of "
            "every echo"
        )
    one, other = first.images[0].grid, second.images[0].grid
    if not one.same_as(other):
        raise ShapeMismatchError(
            f"{second.name} {second.paths[0]} ({_describe(other)}) and {first.name} {first.paths[0]} "
            f"({_describe(one)}) do not lie on one grid; give images of one acquisition"
        )
    for path, partner in zip(first.paths, second.paths, strict=False):
        numbers = _echo_number(path), _echo_number(partner)
        if None not in numbers and numbers[0] != numbers[1]:
            raise InputError(f"{path.name} would be paired with {partner.name}; give the same echoes of both")


def _merged(first: _Part, second: _Part | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for side in (*first.sidecars, *(second.sidecars if second else ())):
        merged |= side
    return merged


def _echo_times(
    first: _Part, second: _Part | None, declared: Sequence[float] | None, assumptions: list[str]
) -> tuple[float, ...]:
    read = _times_of(first) or (_times_of(second) if second else None)
    if declared is None:
        if read is None:
            raise MetadataError(
                f"there are no echo times for {first.paths[0]}; pass --echo-times in seconds or keep EchoTime in the "
                "JSON sidecars"
            )
        times = read
    else:
        times = tuple(float(time) for time in declared)
        if read is not None and len(read) == len(times):
            apart = max(abs(a - b) for a, b in zip(read, times, strict=True))
            if apart > _TIME_TOLERANCE_S:
                assumptions.append(f"the echo times given replace those of the sidecars ({apart * 1e3:.3g} ms apart)")
        elif len(first.paths) > 1 and any(_echo_number(path) is None for path in first.paths):
            assumptions.append("the files are taken in the order given, the first for the first echo time")
    if len(times) != first.n_echoes:
        raise MetadataError(
            f"there are {len(times)} echo times for {first.n_echoes} echoes of {first.name}; give one per echo"
        )
    return times


def _times_of(part: _Part) -> tuple[float, ...] | None:
    for key in ("EchoTime", "EchoTimes"):
        listed = part.sidecars[0].get(key)
        if len(part.paths) == 1 and isinstance(listed, list):
            return tuple(float(time) for time in listed)
    times = [side.get("EchoTime") for side in part.sidecars]
    if part.n_echoes == len(times) and all(isinstance(time, int | float) for time in times):
        return tuple(float(time) for time in times if time is not None)
    return None


def _b0_tesla(metadata: Mapping[str, Any], declared: float | None) -> float:
    value = declared if declared is not None else metadata.get("MagneticFieldStrength")
    if value is None:
        raise MetadataError(
            "the field strength is not known; pass --b0 in tesla or keep MagneticFieldStrength in the JSON"
        )
    return float(value)


def _phase(
    part: _Part,
    magnitude: NDArray[Any],
    phase_range: tuple[float, float] | None,
    metadata: Mapping[str, Any],
    assumptions: list[str],
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    missing = ~np.isfinite(part.echoes)
    if missing.all():
        raise InputError(f"phase {part.paths[0]} holds nothing but NaN; convert it again")
    if missing.any():
        bright = magnitude > _SIGNAL * float(np.quantile(magnitude, 0.98))
        lost = int(np.count_nonzero(missing & bright))
        if lost:
            raise InputError(
                f"phase {part.paths[0]} holds NaN in {lost} voxels that have signal; convert it again or set their "
                "magnitude to 0"
            )
        magnitude = np.where(missing.any(axis=0), np.float32(0), magnitude)
        count = int(np.count_nonzero(missing.any(axis=0)))
        assumptions.append(f"{count} voxels without signal have no phase (NaN); they are left out")
    scale = phase_scale(
        part.images,
        names=[path.name for path in part.paths],
        phase_range=phase_range,
        units=str(metadata.get("Units", "")),
        manufacturer=str(metadata.get("Manufacturer", "")),
    )
    if scale.assumption:
        assumptions.append(scale.assumption)
    return np.where(missing, np.float32(0), scale.to_radians(part.echoes)), magnitude


def _sign(declared: Literal[1, -1] | None, metadata: Mapping[str, Any], assumptions: list[str]) -> int:
    if declared is not None:
        return declared
    manufacturer = str(metadata.get("Manufacturer", "")).strip()
    vendor = vendor_of(manufacturer)
    if vendor:
        sign = PHASE_SIGN_OF_VENDOR[vendor]
        assumptions.append(f"phase sign: {sign:+d}, as {manufacturer} stores it")
        return sign
    assumptions.append(
        "phase sign: +1 is assumed (stored phase grows where the field is higher); the vendor is not known"
    )
    return 1


def _refuse_not_finite(part: _Part, values: NDArray[Any]) -> None:
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise InputError(f"{part.name} {part.paths[0]} holds {bad} NaN or infinite values; convert it again")


def _describe(grid: Grid) -> str:
    size = "×".join(f"{edge:.3g}" for edge in grid.voxel_size_mm)
    return f"shape {grid.shape}, {size} mm"
