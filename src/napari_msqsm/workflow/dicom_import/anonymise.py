"""What of a scan's description survives: how it was acquired, and nothing of who, where and when.

A list of what is kept, not of what is removed: a field that nobody thought of is dropped. Numbers must be numbers,
words must be short and of plain letters, and no word may be part of what identifies the patient. Free text (series and
protocol names, comments) is dropped as a whole: technicians write names into it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_msqsm.io.dicom.series import ConvertedSeries

NUMBERS = frozenset(
    (
        *(
            "EchoTime",
            "EchoTime1",
            "EchoTime2",
            "EchoNumber",
            "EchoTrainLength",
            "RepetitionTime",
            "RepetitionTimeExcitation",
            "InversionTime",
        ),
        *("RepetitionTimeInversion", "FlipAngle", "MagneticFieldStrength", "ImagingFrequency", "SliceThickness"),
        *("SpacingBetweenSlices", "PixelBandwidth", "DwellTime", "NumberOfAverages", "BaseResolution"),
        *("AcquisitionMatrixPE", "ReconMatrixPE", "PhaseEncodingSteps", "PhaseEncodingStepsNoPartialFourier"),
        *("PercentPhaseFOV", "PercentSampling", "PhaseResolution", "PartialFourier", "PhaseOversampling"),
        *("ParallelReductionFactorInPlane", "ParallelReductionFactorOutOfPlane", "AccelFactPE", "AccelFact3D"),
        *("EffectiveEchoSpacing", "TotalReadoutTime", "WaterFatShift", "ImageOrientationPatientDICOM"),
        *("PhilipsRescaleSlope", "PhilipsRescaleIntercept", "PhilipsScaleSlope", "UsePhilipsFloatNotDisplayScaling"),
        *("NonlinearGradientCorrection", "RawImage", "CompressedSensingFactor", "DeepLearningFactor"),
        *("MultibandAccelerationFactor", "SpoilingState", "MTState"),
    )
)
"""Fields that survive where they hold numbers."""
WORDS = frozenset(
    (
        *("Modality", "Manufacturer", "ManufacturersModelName", "SoftwareVersions", "MRAcquisitionType"),
        *("ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceName", "ImageType"),
        *("PulseSequenceType",),
        *("ParallelAcquisitionTechnique", "MatrixCoilMode", "ReceiveCoilName", "CoilCombinationMethod"),
        *("PhaseEncodingDirection", "PhaseEncodingAxis", "PhaseEncodingPolarityGE"),
        *("InPlanePhaseEncodingDirectionDICOM", "PatientPosition", "Units"),
        *("ConversionSoftware", "ConversionSoftwareVersion", "NonlinearGradientCorrection"),
    )
)
"""Fields that survive where they hold short plain words or numbers."""
_MAKERS = frozenset(
    (
        *("siemens", "siemens healthineers", "ge", "ge medical systems", "philips", "philips medical systems"),
        *("philips healthcare", "canon", "canon_mec", "toshiba", "uih", "united imaging", "hitachi", "bruker"),
    )
)
_PLAIN = re.compile(r"[\w .,+*/\\:;()%#=-]{1,64}", re.ASCII)
_DATE_OR_UID = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)|(?<!\d)(?:19|20)\d\d-\d\d-\d\d|(?:\d+\.){5,}\d+")
_VERSIONS = ("SoftwareVersions", "ConversionSoftwareVersion")
"""Where a date is that of a release, unless it is one of the patient's."""
LEAST_LETTERS = 3
"""Shorter pieces of a header identify nobody."""
_NO_SECRETS = frozenset(("none", "null", "unknown", "anon", "anonymous", "anonymized", "other", "mri", "mr1", "head"))
_IDENTIFYING = (
    *("PatientID", "OtherPatientIDs", "PatientName", "OtherPatientNames", "PatientBirthDate", "PatientBirthName"),
    *("PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "AccessionNumber", "StudyID"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "RequestingPhysician"),
    *("NameOfPhysiciansReadingStudy", "PhysiciansOfRecord"),
)

IN_THE_STUDY = (
    NUMBERS
    | WORDS
    | {"PatientSex", "ManufacturerModelName", "EchoNumbers", "EchoTimes", "Rows", "Columns", "PixelSpacing"}
    | {"ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "InstanceNumber", "AcquisitionMatrix"}
    | {"BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation"}
    | {"SpecificCharacterSet", "SOPClassUID", "RescaleSlope", "RescaleIntercept", "RescaleType", "ImagedNucleus"}
)
"""DICOM keywords whose content the study has under this name or another one, or in the image itself."""
AGE_ONLY = frozenset(("PatientBirthDate", "PatientAge"))
NOT_LISTED = "not on the list of what is kept"
NOT_PLAIN = "not a number or a plain word"
IDENTIFYING = "holds something that identifies the patient or the site"
AGE_IS_KEPT = "only the age in years is kept"
FREE_TEXT = "free text of the NIfTI header"


@dataclass(frozen=True)
class Cleaned:
    """What survived of a sidecar, and why the rest did not, by field; no value of the rest is in it."""

    kept: dict[str, Any]
    dropped: dict[str, str]


def clean_sidecar(sidecar: Mapping[str, Any], secrets: Iterable[str]) -> Cleaned:
    """Keep what describes the acquisition.

    Parameters
    ----------
    sidecar
        As the converter wrote it.
    secrets
        What identifies the patient, from `secrets_of`.
    """
    hidden = tuple(secrets)
    kept: dict[str, Any] = {}
    dropped: dict[str, str] = {}
    for name, value in sidecar.items():
        if name not in NUMBERS and name not in WORDS:
            dropped[name] = NOT_LISTED
        elif name in NUMBERS and _is_number(value):
            kept[name] = value
        elif name not in WORDS or not _is_plain(value):
            dropped[name] = NOT_PLAIN
        elif _tells(name, value, hidden):
            dropped[name] = IDENTIFYING
        else:
            kept[name] = value
    return Cleaned(kept, dropped)


def secrets_of(series: ConvertedSeries) -> tuple[str, ...]:
    """Every piece of text that identifies the patient, the site or the examination, lower case.

    Parameters
    ----------
    series
        With the header as the scanner wrote it.
    """
    found: set[str] = set()
    sidecar = series.images[0].sidecar if series.images else {}
    days = [name for name in series.header if name.endswith("Date")]
    for name in (*_IDENTIFYING, *days):
        for source in (series.header, sidecar):
            found |= set(_pieces(source.get(name)))
    found |= set(_pieces(series.patient_key))
    found |= {series.study_uid, series.series_uid} - {""}
    return tuple(sorted({piece.lower() for piece in found} - _NO_SECRETS))


def _pieces(value: Any) -> Iterable[str]:
    """Whole text and its words of three letters or more."""
    values = value if isinstance(value, list | tuple) else (value,)
    for one in values:
        text = str(one or "").strip()
        if len(text) >= LEAST_LETTERS:
            yield text
        yield from (word for word in re.split(r"[\^=,;\s]+", text) if len(word) >= LEAST_LETTERS)


def _is_number(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(_is_number(item) for item in value)
    return isinstance(value, int | float)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return isinstance(value, int | float) or (isinstance(value, str) and _PLAIN.fullmatch(value) is not None)


def _tells(name: str, value: Any, secrets: tuple[str, ...]) -> bool:
    """Whether a text holds a secret, a date or a UID; a manufacturer is one even where the patient has its name."""
    if isinstance(value, list | tuple):
        return any(_tells(name, item, secrets) for item in value)
    if not isinstance(value, str):
        return False
    text = value.lower()
    if name == "Manufacturer" and text in _MAKERS:
        return False
    if _DATE_OR_UID.search(text) and name not in _VERSIONS:
        return True
    return any(re.search(rf"(?<![a-z0-9]){re.escape(secret)}(?![a-z0-9])", text) for secret in secrets)
