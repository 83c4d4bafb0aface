"""Enhanced MR images: one file holds all slices, echoes and, with Philips and Canon, parts (PS3.3 A.36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_scanner.encoding import FALLING, SIGNED, Encoding, encode
from dicom_scanner.head import gre_signal
from dicom_scanner.instances import ENHANCED_MR_IMAGE, new_series, save, set_pixels, stored_as, uid
from dicom_scanner.people import Patient, Visit, Written
from dicom_scanner.philips import COMPONENT, WORDS
from dicom_scanner.vendors import GRE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dicom_scanner.geometry import Geometry


def _item(**values: object) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def write_enhanced_gre(
    folder: Path,
    geometry: Geometry,
    echo_times_s: tuple[float, ...],
    *,
    patient: Patient,
    visit: Visit,
    number: int,
    minutes: float = 0.0,
    parts: tuple[str, ...] = ("mag", "phase"),
    real_world: bool = False,
    together: bool | None = None,
    mixed: bool | None = None,
    single_frames: bool = False,
    alternate: bool = True,
    seed: int = 0,
    description: str = "",
    **header_more: object,
) -> list[Written]:
    """Write enhanced files.

    Parameters
    ----------
    folder, geometry, echo_times_s, patient, visit, number, minutes, parts, seed, description
        As for every vendor; ``header_more`` by keyword.
    real_world
        Add the mapping to radians (C.7.6.16.2.11) beside the rescale to milliradians.
    together
        All echoes in one file; the usual way but for Siemens XA, which writes one per echo.
    mixed
        All parts in one series, their frames in turn; the usual way but for Siemens XA.
    single_frames
        Every frame in a file of its own.
    alternate
        GE: real and imaginary images of every second slice are negated; the result's ``values`` are the true ones.
    """
    siemens = visit.vendor == "siemens-xa"
    together = not siemens if together is None else together
    mixed = not siemens if mixed is None else mixed
    signal = gre_signal(geometry.shape, echo_times_s, seed)
    signal = np.conj(signal) if visit.vendor in FALLING else signal
    groups = [parts] if mixed else [(part,) for part in parts]
    out = []
    for n, own_parts in enumerate(groups):
        header = new_series(
            patient,
            visit,
            number + n,
            description or GRE_NAMES[visit.vendor],
            minutes=minutes,
            sop_class=ENHANCED_MR_IMAGE,
            PulseSequenceName="*fl3d",
            MRAcquisitionType="3D",
            ImageType=WORDS[own_parts[0]][:2] + (["MIXED"] if len(own_parts) > 1 else [own_parts[0][0].upper()]),
            ComplexImageComponent="MIXED" if len(own_parts) > 1 else COMPONENT[own_parts[0]],
            **header_more,
        )
        header.AcquisitionDateTime = visit.date + header.AcquisitionTime
        header.AcquisitionDuration = 240.0
        header.Columns, header.Rows = geometry.shape[:2]
        stored_as(header, 16 if visit.vendor in SIGNED else 12, signed=visit.vendor in SIGNED)
        header.SharedFunctionalGroupsSequence = Sequence([_shared(geometry)])
        encoded = {part: encode(visit.vendor, part, signal, alternate=alternate) for part in own_parts}
        _dimensions(header)
        own = folder / f"{number + n:03d}_{header.SeriesDescription.replace(' ', '_')}"
        files = []
        every = range(len(echo_times_s))
        for echoes in [every] if together else [[echo] for echo in every]:
            frames, headers = [], []
            for echo, k, part in _frame_order(echoes, geometry.shape[2], own_parts, in_turn=siemens):
                index = [1, k + 1, echo + 1, own_parts.index(part) + 1]
                headers.append(
                    _frame(visit.vendor, part, encoded[part], geometry, k, echo_times_s[echo], index, real_world)
                )
                frames.append(encoded[part].stored[echo, :, :, k])
            for some in [[k] for k in range(len(frames))] if single_frames else [range(len(frames))]:
                header.PerFrameFunctionalGroupsSequence = Sequence([headers[k] for k in some])
                header.NumberOfFrames = len(some)
                set_pixels(header, np.stack([frames[k] for k in some], axis=-1))
                header.InstanceNumber = len(files) + 1
                sop = uid(header.SeriesInstanceUID, len(files))
                files.append(save(header, own / f"IM_{number + n:03d}{len(files) + 1:02d}", sop))
        out.append(
            Written(
                header.SeriesInstanceUID,
                number + n,
                "GRE",
                visit.vendor,
                own,
                tuple(files),
                geometry.affine,
                {part: own.true for part, own in encoded.items()},
                {part: own.step for part, own in encoded.items()},
                echo_times_s,
                patient,
                visit,
            )
        )
    return out


def _frame_order(
    echoes: Iterable[int], n_slices: int, parts: tuple[str, ...], *, in_turn: bool
) -> Iterator[tuple[int, int, str]]:
    """Echo, slice and part of every frame: parts one after another, or in turn at every slice."""
    if in_turn:
        for echo in echoes:
            yield from ((echo, k, part) for k in range(n_slices) for part in parts)
    else:
        for part in parts:
            yield from ((echo, k, part) for echo in echoes for k in range(n_slices))


def _shared(geometry: Geometry) -> Dataset:
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(
        PixelSpacing=geometry.spacing,
        SliceThickness=geometry.voxel_mm[2],
        SpacingBetweenSlices=geometry.voxel_mm[2],
    )
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=geometry.orientation)
    shared.MRTimingAndRelatedParametersSequence = _item(RepetitionTime=40.0, FlipAngle=15.0, EchoTrainLength=1)
    shared.MRImagingModifierSequence = _item(PixelBandwidth=260.0, TransmitterFrequency=123.2)
    return shared


def _frame(
    vendor: str,
    part: str,
    encoding: Encoding,
    geometry: Geometry,
    k: int,
    time_s: float,
    index: list[int],
    real_world: bool,
) -> Dataset:
    frame = Dataset()
    frame.FrameContentSequence = _item(
        DimensionIndexValues=index,
        StackID="1",
        InStackPositionNumber=k + 1,
        TemporalPositionIndex=1,
        FrameAcquisitionNumber=1,
    )
    frame.PlanePositionSequence = _item(ImagePositionPatient=geometry.position(k))
    frame.MREchoSequence = _item(EffectiveEchoTime=round(time_s * 1e3, 6))
    frame.MRImageFrameTypeSequence = _item(
        FrameType=[*WORDS[part][:2], part[0].upper(), "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
        ComplexImageComponent=COMPONENT[part],
        AcquisitionContrast="UNKNOWN",
    )
    slope, intercept = encoding.slope, encoding.intercept
    frame.PixelValueTransformationSequence = _item(
        RescaleIntercept=f"{intercept:.12g}"[:16], RescaleSlope=f"{slope:.12g}"[:16], RescaleType=encoding.kind
    )
    if real_world and part == "phase":
        frame.RealWorldValueMappingSequence = _item(
            RealWorldValueFirstValueMapped=0,
            RealWorldValueLastValueMapped=4095,
            RealWorldValueIntercept=intercept / 1e3,
            RealWorldValueSlope=slope / 1e3,
            LUTLabel="phase",
            MeasurementUnitsCodeSequence=_item(CodeValue="rad", CodingSchemeDesignator="UCUM", CodeMeaning="radian"),
        )
    if vendor == "philips":
        private = Dataset()
        private.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(
            0x0E, "FL", encoding.scale_slope
        )
        private.EchoNumbers = index[2]
        frame.add_new((0x2005, 0x0014), "LO", "Philips MR Imaging DD 005")
        frame.add_new((0x2005, 0x140F), "SQ", Sequence([private]))
    return frame


def _dimensions(header: Dataset) -> None:
    organisation = uid(header.SeriesInstanceUID, "dimensions")
    header.DimensionOrganizationSequence = _item(DimensionOrganizationUID=organisation)
    pointers = [
        (0x00209056, 0x00209111),  # stack
        (0x00209057, 0x00209111),  # position in stack
        (0x00189082, 0x00189114),  # echo time
        (0x00089208, 0x00189226),  # part
    ]
    items = []
    for tag, group in pointers:
        item = Dataset()
        item.DimensionOrganizationUID = organisation
        item.DimensionIndexPointer = tag
        item.FunctionalGroupPointer = group
        items.append(item)
    header.DimensionIndexSequence = Sequence(items)
