"""A multi-echo gradient-echo acquisition."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_msqsm import units
from napari_msqsm.errors import MetadataError, ShapeMismatchError

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.model.grid import Grid

_LONGEST_ECHO_S = 0.5
_STRONGEST_B0_T = 25.0


@dataclass(frozen=True, eq=False)
class MultiEchoSeries:
    """Magnitude and phase of every echo on one grid.

    Parameters
    ----------
    magnitude
        (echo, X, Y, Z), float32, arbitrary unit, ≥ 0.
    phase_rad
        (echo, X, Y, Z), float32, radians; a paramagnetic field makes it grow with echo time (the scanner's own
        sign has been taken out). ``None`` where only magnitudes are known, which suffices for R2* and weights.
    echo_times_s
        Increasing echo times in seconds.
    b0_tesla
        Field strength.
    grid
        Shape and affine.
    imaging_frequency_hz
        Scanner frequency; γ·B0 when not given.
    b0_direction
        Unit vector of B0 in voxel axes; from the affine when not given.
    assumptions
        One sentence for everything that was assumed and not read.
    """

    magnitude: Array
    phase_rad: Array | None
    echo_times_s: tuple[float, ...]
    b0_tesla: float
    grid: Grid
    imaging_frequency_hz: float = 0.0
    b0_direction: tuple[float, float, float] = (0.0, 0.0, 0.0)
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_echo_times(self.echo_times_s)
        if not (math.isfinite(self.b0_tesla) and 0 < self.b0_tesla <= _STRONGEST_B0_T):
            raise MetadataError(
                f"b0_tesla must lie between 0 and {_STRONGEST_B0_T:g} T, got {self.b0_tesla:g}; pass --b0 in tesla"
            )
        wanted = (len(self.echo_times_s), *self.grid.shape)
        for name, array in (("magnitude", self.magnitude), ("phase", self.phase_rad)):
            if array is not None and tuple(array.shape) != wanted:
                raise ShapeMismatchError(
                    f"{name} has shape {tuple(array.shape)} but {len(self.echo_times_s)} echo times on a grid of "
                    f"{self.grid.shape} need {wanted}; give one volume and one echo time per echo"
                )
        frequency = self.imaging_frequency_hz or units.imaging_frequency_hz(self.b0_tesla)
        expected = units.imaging_frequency_hz(self.b0_tesla)
        if not 0.9 < frequency / expected < 1.1:
            raise MetadataError(
                f"imaging_frequency_hz is {frequency:g} but {self.b0_tesla:g} T means {expected:.4g} Hz; "
                "pass the frequency in Hz (not MHz) or correct the field strength"
            )
        # NumPy scalars would turn float32 images into float64
        object.__setattr__(self, "echo_times_s", tuple(float(t) for t in self.echo_times_s))
        object.__setattr__(self, "b0_tesla", float(self.b0_tesla))
        object.__setattr__(self, "imaging_frequency_hz", float(frequency))
        direction = self.b0_direction if any(self.b0_direction) else self.grid.b0_direction
        norm = math.sqrt(sum(component * component for component in direction))
        if not math.isfinite(norm) or norm == 0:
            raise MetadataError(f"b0_direction must be a finite vector in voxel axes, got {direction}")
        x, y, z = (float(component) / norm for component in direction)
        object.__setattr__(self, "b0_direction", (x, y, z))

    @property
    def n_echoes(self) -> int:
        """Number of echoes."""
        return len(self.echo_times_s)

    @property
    def hz_per_ppm(self) -> float:
        """Field in Hz made by 1 ppm."""
        return units.hz_per_ppm(self.imaging_frequency_hz)

    def with_assumption(self, sentence: str) -> MultiEchoSeries:
        """Return the same series with one more assumption on record."""
        return replace(self, assumptions=(*self.assumptions, sentence))


def check_echo_times(echo_times_s: tuple[float, ...]) -> None:
    """Refuse echo times that are missing, unordered or in milliseconds.

    Raises
    ------
    MetadataError
        With one sentence that says which.
    """
    if not echo_times_s:
        raise MetadataError(
            "there are no echo times; pass --echo-times in seconds or keep EchoTime in the JSON sidecars"
        )
    if not all(math.isfinite(t) and t > 0 for t in echo_times_s):
        raise MetadataError(f"echo_times_s must be positive, got {echo_times_s}")
    if max(echo_times_s) > _LONGEST_ECHO_S:
        raise MetadataError(f"echo_times_s looks like milliseconds (max {max(echo_times_s):g}); pass seconds")
    if any(later <= earlier for earlier, later in itertools.pairwise(echo_times_s)):
        raise MetadataError(f"echo_times_s must increase from echo to echo, got {echo_times_s}; sort the echoes")
