"""What came out of a DICOM folder, as plain data: converted series, and what had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

ImagePart = Literal["mag", "phase", "real", "imag", "field"]
"""Part of the complex signal, or a field map in Hz that the scanner computed."""


@dataclass(frozen=True)
class ConvertedImage:
    """One NIfTI file of a series.

    The header's scaling of a phase image turns what is stored into radians where ``sidecar["Units"]`` is ``rad``.

    Parameters
    ----------
    path
        The file, in the private staging folder.
    part
        Magnitude, phase, real or imaginary part, or a field map.
    echo_time_s
        Echo time; None where the header has none.
    shape
        Of the image.
    sidecar
        What dcm2niix wrote beside it: identifying fields are still in it.
    """

    path: Path
    part: ImagePart
    echo_time_s: float | None
    shape: tuple[int, ...]
    sidecar: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True)
class ConvertedSeries:
    """One DICOM series after conversion; it identifies the patient and never leaves the staging folder as it is.

    Parameters
    ----------
    series_uid, study_uid
        DICOM identifiers.
    patient_key
        What tells patients apart: PatientID, else name and birth date.
    number
        Series number.
    description
        Series description, else protocol name.
    acquired_at
        Begin of the acquisition, as the scanner wrote it; None where the header has none.
    n_files
        Instances that were converted.
    images
        NIfTI files, magnitude before phase, in order of echo time.
    header
        Keyword → value of one instance (pydicom's keywords; values as plain Python), for what sidecars do not tell:
        patient's age and sex, contrast agent, image type, sequence name and variant, software.
    problems
        One sentence each: files that were left out, slices that are missing, an echo without phase.
    assumptions
        One sentence each: what was taken for granted about the values.
    """

    series_uid: str
    study_uid: str
    patient_key: str
    number: int
    description: str
    acquired_at: datetime | None
    n_files: int
    images: tuple[ConvertedImage, ...]
    header: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    problems: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def echo_times_s(self) -> tuple[float, ...]:
        """Distinct echo times, increasing."""
        return tuple(sorted({image.echo_time_s for image in self.images if image.echo_time_s is not None}))

    @property
    def parts(self) -> frozenset[ImagePart]:
        """Which parts it holds."""
        return frozenset(image.part for image in self.images)


@dataclass(frozen=True)
class LeftOut:
    """A file or a series that could not be converted; "{what}: {why}" is one sentence."""

    what: str
    why: str


@dataclass(frozen=True)
class Staged:
    """Everything that a DICOM folder gave."""

    folder: Path
    series: tuple[ConvertedSeries, ...]
    left_out: tuple[LeftOut, ...]
