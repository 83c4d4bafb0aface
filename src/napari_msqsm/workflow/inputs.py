"""Everything a reconstruction starts from, read and checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_msqsm.errors import MetadataError, ParameterError, ShapeMismatchError
from napari_msqsm.io.gre import load_gre, load_session_gre
from napari_msqsm.io.nifti import load_mask, load_volume
from napari_msqsm.model.gre_files import GreFiles

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.series import MultiEchoSeries
    from napari_msqsm.model.study import Session


_WEAKEST_PEAK_PPM = 2e-3
_STRONGEST_PPM = {"local field": 1.0, "total field": 50.0}
"""Of the strongest hundredth of the voxels."""
_GIVEN_MASKS = {"brain_mask": "brain mask", "csf_mask": "CSF mask"}


@dataclass(frozen=True)
class FilesRequest:
    """Files of one reconstruction outside a BIDS dataset.

    Parameters
    ----------
    gre
        The echoes.
    mask, csf_mask
        Masks to use instead of automatic ones.
    reference_mask
        Region whose mean χ becomes zero, instead of that of the settings.
    total_field, local_field
        Start further down the chain; at most one.
    field_unit
        ``hz`` or ppm of that field.
    noise_sd
        Standard deviation of the field, in Hz.
    """

    gre: GreFiles = field(default_factory=GreFiles)
    mask: Path | None = None
    csf_mask: Path | None = None
    reference_mask: Path | None = None
    total_field: Path | None = None
    local_field: Path | None = None
    field_unit: Literal["hz", "ppm"] | None = None
    noise_sd: Path | None = None

    def __post_init__(self) -> None:
        given = self.total_field or self.local_field
        if self.total_field and self.local_field:
            raise ParameterError("--total-field and --local-field were both given; give the one to start from")
        if given and self.field_unit is None:
            raise ParameterError("a field was given without its unit; pass --field-unit hz or ppm")
        if self.field_unit is not None and not given:
            raise ParameterError("--field-unit was given without a field; pass --total-field or --local-field")
        if not self.gre.paths:
            raise ParameterError("there are no images; pass --magnitude and --phase (or --real and --imaginary)")

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read."""
        extra = (self.mask, self.csf_mask, self.reference_mask, self.total_field, self.local_field, self.noise_sd)
        return self.gre.paths + tuple(path for path in extra if path is not None)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What `napari_msqsm.qsm.reconstruct.reconstruct` takes, in host memory.

    ``declared_sign`` is the sign of the phase that the user gave, None where it was assumed.
    """

    series: MultiEchoSeries
    files: tuple[Path, ...]
    declared_sign: int | None = None
    mask: NDArray[np.bool_] | None = None
    csf_mask: NDArray[np.bool_] | None = None
    reference_mask: NDArray[np.bool_] | None = None
    total_field_hz: NDArray[np.float32] | None = None
    local_field_hz: NDArray[np.float32] | None = None
    noise_sd_hz: NDArray[np.float32] | None = None

    @property
    def has_field(self) -> bool:
        """Whether the reconstruction starts from a field, so that the phase plays no part."""
        return self.total_field_hz is not None or self.local_field_hz is not None


def read_files(request: FilesRequest) -> Inputs:
    """Read all files of a request.

    Raises
    ------
    InputError
        When one of them cannot be used or lies on another grid than the echoes.
    """
    gre = request.gre
    has_field = request.total_field is not None or request.local_field is not None
    if not has_field and not gre.phase and not gre.imaginary:
        raise MetadataError("there is no phase; pass --phase (or --real and --imaginary), or start from a field")
    series = load_gre(
        gre.magnitude,
        gre.phase,
        real=gre.real,
        imaginary=gre.imaginary,
        echo_times_s=gre.echo_times_s,
        b0_tesla=gre.b0_tesla,
        imaging_frequency_hz=gre.imaging_frequency_hz,
        b0_direction=gre.b0_direction,
        phase_sign=gre.phase_sign,
        phase_range=gre.phase_range,
    )
    scale = series.hz_per_ppm if request.field_unit == "ppm" else 1.0
    total = _field(request.total_field, "total field", series.grid, scale)
    local = _field(request.local_field, "local field", series.grid, scale)
    for name, field_hz in (("total field", total), ("local field", local)):
        remark = _check_unit(name, field_hz, series.hz_per_ppm, request.field_unit)
        series = series.with_assumption(remark) if remark else series
    return Inputs(
        series=series,
        files=request.paths + _sidecars(gre.paths),
        declared_sign=gre.phase_sign,
        mask=None if request.mask is None else load_mask(request.mask, on=series.grid),
        csf_mask=None if request.csf_mask is None else load_mask(request.csf_mask, on=series.grid),
        reference_mask=None if request.reference_mask is None else load_mask(request.reference_mask, on=series.grid),
        total_field_hz=total,
        local_field_hz=local,
        noise_sd_hz=_field(request.noise_sd, "noise map", series.grid, 1.0),
    )


def read_session(
    session: Session,
    *,
    phase_sign: Literal[1, -1] | None = None,
    phase_range: tuple[float, float] | None = None,
    given_masks: bool = True,
) -> Inputs:
    """Read the echoes of a BIDS session, and the brain and CSF masks that were taken over for it.

    Parameters
    ----------
    session
        From `napari_msqsm.io.bids.open_study`.
    phase_sign, phase_range
        Declared by the user.
    given_masks
        Whether masks that were taken over are used.

    Raises
    ------
    InputError
        When they cannot be used.
    """
    series = load_session_gre(session, phase_sign=phase_sign, phase_range=phase_range)
    paths = tuple(echo.path for echo in session.gre)
    masks: dict[str, NDArray[np.bool_]] = {}
    for name, words in _GIVEN_MASKS.items() if given_masks else ():
        path = session.derivatives.get(f"given_{name}")
        if path is not None:
            masks[name] = load_mask(path, on=series.grid)
            paths += (path,)
            series = series.with_assumption(f"the {words} is the one that was taken over ({path.name})")
    return Inputs(
        series=series,
        files=paths + _sidecars(paths),
        declared_sign=phase_sign,
        mask=masks.get("brain_mask"),
        csf_mask=masks.get("csf_mask"),
    )


def with_opposite_phase(inputs: Inputs, sentence: str) -> Inputs:
    """Negate the phase and put the reason on record."""
    series = inputs.series
    assert series.phase_rad is not None
    return replace(inputs, series=replace(series, phase_rad=-series.phase_rad).with_assumption(sentence))


def _field(path: Path | None, what: str, grid: Grid, scale: float) -> NDArray[np.float32] | None:
    if path is None:
        return None
    volume = load_volume(path, what=what)
    if not volume.grid.same_as(grid):
        raise ShapeMismatchError(
            f"{what} {path.name} has shape {volume.grid.shape} and lies elsewhere than the echoes ({grid.shape}); "
            "resample it to the GRE grid"
            if volume.grid.shape == grid.shape
            else f"{what} {path.name} has shape {volume.grid.shape} but the echoes have {grid.shape}; "
            "resample it to the GRE grid"
        )
    scaled: NDArray[np.float32] = (volume.array * np.float32(scale)).astype(np.float32, copy=False)
    return scaled


def _check_unit(name: str, field_hz: NDArray[np.float32] | None, hz_per_ppm: float, unit: str | None) -> str:
    """Refuse a field that would be absurdly weak in the unit that it was said to have; remark on a very strong one."""
    if field_hz is None or not np.any(field_hz):
        return ""
    size_ppm = np.abs(field_hz[field_hz != 0]) / hz_per_ppm
    peak, high = float(size_ppm.max()), float(np.quantile(size_ppm, 0.99))
    other = "ppm" if unit == "hz" else "hz"
    if peak < _WEAKEST_PEAK_PPM:
        raise MetadataError(
            f"the {name} would stay below {peak:.2g} ppm if it were in {unit}; is it in {other}? (--field-unit)"
        )
    if high > _STRONGEST_PPM[name]:
        return f"the {name} is in {unit} as declared, although {high:.2g} ppm is much for tissue; is it in {other}?"
    return ""


def _sidecars(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    beside = (path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json") for path in paths)
    return tuple(path for path in dict.fromkeys(beside) if path.is_file())
