"""Headers that every vendor writes, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicom_scanner.vendors import SCANNERS

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_scanner.geometry import Geometry
    from dicom_scanner.people import Patient, Visit

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"


def uid(*what: object) -> str:
    """Identifier that is the same for the same words."""
    return str(generate_uid(prefix="1.2.826.0.1.3680043.8.498.", entropy_srcs=["/".join(map(str, what))]))


def study_uid(patient: Patient, visit: Visit) -> str:
    """Identifier of a visit."""
    return uid(patient.patient_id, visit.date, visit.time, visit.vendor)


def new_series(
    patient: Patient,
    visit: Visit,
    number: int,
    description: str,
    *,
    minutes: float = 0.0,
    sop_class: str = MR_IMAGE,
    **more: Any,
) -> Dataset:
    """Header of a series: patient, study, scanner, times; ``more`` by keyword."""
    scanner = SCANNERS[visit.vendor]
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = sop_class
    header.SpecificCharacterSet = "ISO_IR 100"
    header.SOPClassUID = sop_class
    header.Modality = "MR"
    header.PatientName = patient.name
    header.PatientID = patient.patient_id
    header.PatientBirthDate = patient.birth_date
    header.PatientSex = patient.sex
    header.PatientWeight = patient.weight_kg
    if patient.birth_date:
        age = int(visit.date[:4]) - int(patient.birth_date[:4]) - (visit.date[4:] < patient.birth_date[4:])
        header.PatientAge = f"{age:03d}Y"
    header.ReferringPhysicianName = "House^Gregory"
    header.AccessionNumber = "A" + visit.date
    header.InstitutionName = "Hospital of Nowhere"
    header.InstitutionAddress = "1 Nowhere Street"
    header.StudyInstanceUID = study_uid(patient, visit)
    header.SeriesInstanceUID = uid(header.StudyInstanceUID, number)
    header.FrameOfReferenceUID = uid(header.StudyInstanceUID, "frame")
    header.StudyID = "1"
    header.StudyDescription = "Head^MS"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = visit.date
    header.StudyTime = visit.minutes_later(0)
    header.SeriesTime = header.AcquisitionTime = header.ContentTime = visit.minutes_later(minutes)
    header.Manufacturer = scanner.manufacturer
    header.ManufacturerModelName = scanner.model
    header.StationName = scanner.station
    header.DeviceSerialNumber = scanner.serial
    header.SoftwareVersions = scanner.software
    header.MagneticFieldStrength = 3.0
    header.ImagingFrequency = 123.2
    header.ImagedNucleus = "1H"
    header.BodyPartExamined = "HEAD"
    header.PatientPosition = "HFS"
    header.SeriesNumber = number
    header.SeriesDescription = description
    header.ProtocolName = description
    header.AcquisitionNumber = 1
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in more.items():
        setattr(header, keyword, value)
    return header


def place(header: Dataset, geometry: Geometry) -> None:
    """Put the grid of a classic series into its header."""
    header.ImageOrientationPatient = geometry.orientation
    header.PixelSpacing = geometry.spacing
    header.SliceThickness = geometry.voxel_mm[2]
    header.SpacingBetweenSlices = geometry.voxel_mm[2]
    header.Columns, header.Rows = geometry.shape[:2]
    header.AcquisitionMatrix = [0, geometry.shape[0], geometry.shape[1], 0]


def stored_as(header: Dataset, bits: int, *, signed: bool = False) -> None:
    """Say how pixels are stored."""
    header.BitsAllocated = 16
    header.BitsStored = bits
    header.HighBit = bits - 1
    header.PixelRepresentation = int(signed)


def set_pixels(header: Dataset, frames: np.ndarray) -> None:
    """Pixels of one image (column, row), or of many frames (column, row, frame)."""
    low, high = (-(1 << 15), (1 << 15) - 1) if header.PixelRepresentation else (0, (1 << header.BitsStored) - 1)
    assert frames.min() >= low, (frames.min(), low)
    assert frames.max() <= high, (frames.max(), high)
    values = frames.astype("<i2" if header.PixelRepresentation else "<u2")
    header.PixelData = np.ascontiguousarray(values.transpose()).tobytes()
    header["PixelData"].VR = "OW"


def save(header: Dataset, path: Path, sop_uid: str) -> Path:
    """Write one instance."""
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = sop_uid
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)
    return path


def save_slices(
    header: Dataset,
    stored: np.ndarray,
    geometry: Geometry,
    folder: Path,
    *,
    first: int = 1,
    tag: str = "",
    locations: range | None = None,
) -> list[Path]:
    """Write the slices of one volume (column, row, slice) as one file each; instance numbers count from ``first``."""
    files = []
    for k in locations if locations is not None else range(geometry.shape[2]):
        header.ImagePositionPatient = geometry.position(k)
        header.SliceLocation = round(float(np.dot(geometry.directions[:, 2], geometry.position(k))), 6)
        header.InstanceNumber = first + k
        set_pixels(header, stored[:, :, k])
        sop = uid(header.SeriesInstanceUID, tag, k, first)
        files.append(save(header, folder / f"MR.{header.SeriesNumber:03d}.{tag}{first + k:05d}", sop))
    return files
