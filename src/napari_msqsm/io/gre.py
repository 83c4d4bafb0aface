"""A multi-echo gradient-echo series from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from napari_msqsm import units
from napari_msqsm.errors import InputError, MetadataError, ParameterError
from napari_msqsm.io.echo_files import EchoPart, EchoStack, check_pair, echo_number, number, read_echoes
from napari_msqsm.io.phase import PHASE_SIGN_OF_VENDOR, alternate_slices_flipped, phase_scale, vendor_of
from napari_msqsm.model.series import MultiEchoSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.study import Session

_HZ_PER_MHZ = 1e6
_LEAST_VOXELS = 3
_ALTERNATE = "alternate slices had opposite signs (as GE stores them); they were corrected"
_TIME_TOLERANCE_S = 1e-5
_SIGNAL = 0.1
"""Part of the bright voxels' magnitude above which a voxel has signal."""


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
    if b0_direction is not None and not any(b0_direction):
        raise ParameterError("--b0-direction is 0 0 0, wanted the direction of B0 in voxel axes")
    if imaging_frequency_hz is not None and not imaging_frequency_hz > 0:
        raise ParameterError(f"--imaging-frequency is {imaging_frequency_hz:g}, wanted a frequency in Hz above 0")
    if bool(real) != bool(imaginary):
        raise InputError("only one of real and imaginary parts was given; give both")
    if real and (magnitude or phase):
        raise InputError("real and imaginary parts were given beside magnitude or phase; give one kind")
    if not real and not magnitude:
        raise InputError("there are no magnitude images; give one file per echo or a 4-D stack")
    first = read_echoes("real part" if real else "magnitude", real or magnitude, sidecars)
    second_name: EchoPart = "imaginary part" if real else "phase"
    second = read_echoes(second_name, imaginary or phase, sidecars) if (imaginary or phase) else None
    if second is not None:
        check_pair(first, second)
    metadata = _merged(first, second)
    if min(first.images[0].grid.shape) < _LEAST_VOXELS:
        raise InputError(
            f"{first.name} {first.paths[0]} has shape {first.images[0].grid.shape}; a field needs at least "
            f"{_LEAST_VOXELS} voxels along every axis"
        )
    assumptions = [text for image in first.images for text in image.assumptions][:1]
    if first.reordered or (second is not None and second.reordered):
        assumptions.append("the files were put in order of echo: " + ", ".join(path.name for path in first.paths))
    times = _echo_times(first, second, echo_times_s, assumptions)
    b0, frequency = _magnet(metadata, b0_tesla, imaging_frequency_hz, assumptions)
    if real:
        assert second is not None
        for part in (first, second):
            _refuse_not_finite(part)
            if float(part.echoes.min()) >= 0:
                raise InputError(f"{part.name} {part.paths[0]} holds no negative values; is it a magnitude image?")
        signal, axes = alternate_slices_flipped(first.echoes + np.complex64(1j) * second.echoes)
        if axes:
            assumptions.append(_ALTERNATE)
        values, radians = np.abs(signal), np.angle(signal).astype(np.float32)
    else:
        values, radians = first.echoes, None
        _refuse_not_finite(first)
        if float(values.min()) < 0:
            echo = int(values.min(axis=(1, 2, 3)).argmin())
            raise InputError(f"magnitude {first.path_of(echo)} holds negative values; is it a phase image?")
        if second is not None:
            radians, values = _phase(second, values, phase_range, metadata, assumptions)
    if radians is not None:
        radians = radians * np.float32(_sign(phase_sign, metadata, assumptions))
    if not values.any():
        raise InputError(f"{first.name} {first.paths[0]} is zero everywhere; convert it again")
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
        why = "; ".join(session.unusable) or next(iter(session.missing), "no gradient-echo series")
        raise InputError(f"{session.label} cannot be reconstructed: {why}")
    sidecars = {echo.path: echo.sidecar for echo in session.gre}
    if paths["mag"] and paths["phase"]:
        return load_gre(paths["mag"], paths["phase"], phase_sign=phase_sign, phase_range=phase_range, sidecars=sidecars)
    return load_gre(real=paths["real"], imaginary=paths["imag"], phase_sign=phase_sign, sidecars=sidecars)


def _merged(first: EchoStack, second: EchoStack | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for side in (*first.sidecars, *(second.sidecars if second else ())):
        merged |= side
    return merged


def _echo_times(
    first: EchoStack, second: EchoStack | None, declared: Sequence[float] | None, assumptions: list[str]
) -> tuple[float, ...]:
    read = first.times_s or (second.times_s if second else None)
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
        elif len(first.paths) > 1 and any(echo_number(path) is None for path in first.paths):
            assumptions.append("the files are taken in the order given, the first for the first echo time")
    if len(times) != first.n_echoes:
        raise MetadataError(
            f"there are {len(times)} echo times for {first.n_echoes} echoes of {first.name}; give one per echo"
        )
    return times


def _magnet(
    metadata: Mapping[str, Any], b0_tesla: float | None, frequency_hz: float | None, assumptions: list[str]
) -> tuple[float, float]:
    """Field strength in tesla and scanner frequency in Hz; one follows from the other, what is declared goes first."""
    read_b0, read_mhz = metadata.get("MagneticFieldStrength"), metadata.get("ImagingFrequency")
    b0 = b0_tesla if b0_tesla is not None else None if read_b0 is None else number(read_b0, "MagneticFieldStrength")
    frequency = frequency_hz or (0.0 if read_mhz is None else number(read_mhz, "ImagingFrequency") * _HZ_PER_MHZ)
    if b0 is None and not frequency:
        raise MetadataError(
            "the field strength is not known; pass --b0 in tesla or keep MagneticFieldStrength in the JSON"
        )
    if b0 is None:
        b0 = frequency / units.GYROMAGNETIC_RATIO_HZ_PER_T
        assumptions.append(f"the field strength follows from the scanner frequency: {b0:.3f} T")
    elif not frequency:
        frequency = units.imaging_frequency_hz(b0)
        assumptions.append(f"the scanner frequency is not known; γ·B0 at {b0:g} T is used")
    elif b0_tesla is not None and not frequency_hz:
        expected = units.imaging_frequency_hz(b0)
        if abs(frequency - expected) > 0.1 * expected:
            frequency = expected
            assumptions.append(f"the field strength given ({b0:g} T) replaces the frequency of the sidecar")
    return b0, frequency


def _phase(
    part: EchoStack,
    magnitude: NDArray[Any],
    phase_range: tuple[float, float] | None,
    metadata: Mapping[str, Any],
    assumptions: list[str],
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    missing = ~np.isfinite(part.echoes)
    empty = missing.all(axis=(1, 2, 3))
    if empty.any():
        raise InputError(f"phase {part.path_of(int(empty.argmax()))} holds nothing but NaN; convert it again")
    if missing.any():
        gone = missing.any(axis=0)
        lost = _holes(gone, magnitude[0])
        if lost:
            raise InputError(
                f"phase {part.paths[0]} holds NaN in {lost} voxels inside the head, where there is signal; convert it "
                "again, or set their magnitude to 0 to leave them out"
            )
        magnitude = np.where(gone, np.float32(0), magnitude)
        assumptions.append(
            f"{int(np.count_nonzero(gone))} voxels around the head have no phase (NaN); they are left out"
        )
    scale = phase_scale(
        part.images,
        names=[path.name for path in part.paths],
        phase_range=phase_range,
        units=str(metadata.get("Units", "")),
        manufacturer=str(metadata.get("Manufacturer", "")),
    )
    if scale.assumption:
        assumptions.append(scale.assumption)
    radians = np.where(missing, np.float32(0), scale.to_radians(part.echoes))
    signal, axes = alternate_slices_flipped(magnitude * np.exp(1j * radians).astype(np.complex64))
    if axes:
        assumptions.append(_ALTERNATE)
        radians = np.angle(signal).astype(np.float32)
    return radians, magnitude


def _holes(missing: NDArray[np.bool_], magnitude: NDArray[Any]) -> int:
    """Voxels with signal that lack phase and are not connected to the border of the image."""
    bright = magnitude > _SIGNAL * float(np.quantile(magnitude, 0.98))
    parts, _ = ndimage.label(np.pad(missing, 1, constant_values=True))
    around = parts[1:-1, 1:-1, 1:-1] == parts[0, 0, 0]
    return int(np.count_nonzero(missing & bright & ~around))


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


def _refuse_not_finite(part: EchoStack) -> None:
    bad = np.count_nonzero(~np.isfinite(part.echoes), axis=(1, 2, 3))
    if bad.any():
        path = part.path_of(int(bad.argmax()))
        raise InputError(f"{part.name} {path} holds {int(bad.sum())} NaN or infinite values; convert it again")
