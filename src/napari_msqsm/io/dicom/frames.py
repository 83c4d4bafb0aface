"""Enhanced (multi-frame) DICOM: what its frames are, and files with the frames of one image only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.io.dicom.elements import DamagedError
from napari_msqsm.io.dicom.parts import part_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from napari_msqsm.io.dicom.series import ImagePart


@dataclass(frozen=True)
class FrameGroup:
    """The frames of one part of one echo; ``frames`` are their numbers in the file, from 0."""

    part: ImagePart
    echo_time_ms: float | None
    orientation: tuple[float, ...]
    frames: tuple[int, ...]
    positions: tuple[tuple[float, ...], ...]


def frame_groups(dataset: Dataset) -> list[FrameGroup]:
    """Sort the frames of an enhanced file by part, echo time and orientation.

    Raises
    ------
    DamagedError
        When a frame does not say where it lies.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _groups(dataset)
    except DamagedError:
        raise
    except Exception:  # noqa: BLE001  damaged nested headers make pydicom raise in many ways
        raise DamagedError("the headers of its frames cannot be read") from None


def _groups(dataset: Dataset) -> list[FrameGroup]:
    shared = dataset.get("SharedFunctionalGroupsSequence")
    common = shared[0] if shared else None
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    n_frames = int(dataset.get("NumberOfFrames", 1))
    if len(per_frame) != n_frames:
        raise DamagedError(f"it has {n_frames} frames and the headers of {len(per_frame)}")
    found: dict[tuple[ImagePart, float | None, tuple[float, ...]], list[tuple[int, tuple[float, ...]]]] = {}
    for number, frame in enumerate(per_frame):
        position = _value((frame, common), "PlanePositionSequence", "ImagePositionPatient")
        orientation = _value((frame, common), "PlaneOrientationSequence", "ImageOrientationPatient")
        if position is None or orientation is None:
            raise DamagedError(f"its frame {number + 1} does not say where it lies in the scanner")
        words = _value((frame, common), "MRImageFrameTypeSequence", "FrameType") or dataset.get("ImageType") or ()
        component = _value((frame, common), "MRImageFrameTypeSequence", "ComplexImageComponent")
        if component is None:
            component = dataset.get("ComplexImageComponent", "")
        time = _value((frame, common), "MREchoSequence", "EffectiveEchoTime")
        key = (
            part_of(str(component), "\\".join(map(str, words))),
            None if time is None else round(float(time), 4),
            tuple(round(float(x), 4) for x in orientation),
        )
        found.setdefault(key, []).append((number, tuple(float(x) for x in position)))
    return [
        FrameGroup(part, time, orientation, tuple(number for number, _ in own), tuple(position for _, position in own))
        for (part, time, orientation), own in found.items()
    ]


def _value(groups: Iterable[Dataset | None], sequence: str, keyword: str) -> Any:
    """Value in a functional group of the frame, else of all frames."""
    for group in groups:
        items = None if group is None else group.get(sequence)
        if items:
            value = items[0].get(keyword)
            if value is not None:
                return value
    return None


def frame_value(dataset: Dataset, frame: int, sequence: str, keyword: str) -> Any:
    """Value that holds for one frame; None where there is none."""
    shared = dataset.get("SharedFunctionalGroupsSequence")
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    groups = (per_frame[frame] if frame < len(per_frame) else None, shared[0] if shared else None)
    return _value(groups, sequence, keyword)


def write_group(path: str, group: FrameGroup, target: Path) -> None:
    """Write an enhanced file that holds the frames of one group, pixels as they are.

    Raises
    ------
    DamagedError
        When its pixels cannot be taken apart.
    """
    import pydicom
    from pydicom.encaps import encapsulate, generate_frames

    words = {"mag": "MAGNITUDE", "phase": "PHASE", "real": "REAL", "imag": "IMAGINARY"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            n_frames = int(dataset.NumberOfFrames)
            if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                frames = list(generate_frames(dataset.PixelData, number_of_frames=n_frames))
                dataset.PixelData = encapsulate([frames[n] for n in group.frames])
            else:
                length = len(dataset.PixelData) // n_frames
                frames = [dataset.PixelData[n * length : (n + 1) * length] for n in group.frames]
                pixels = b"".join(frames)
                dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
            per_frame = dataset.PerFrameFunctionalGroupsSequence
            dataset.PerFrameFunctionalGroupsSequence = [per_frame[n] for n in group.frames]
            dataset.NumberOfFrames = len(group.frames)
            if group.part in words:
                dataset.ComplexImageComponent = words[group.part]
                image_type = [str(word) for word in dataset.get("ImageType", ["ORIGINAL", "PRIMARY"])]
                dataset.ImageType = [*image_type[:2], words[group.part][0], *image_type[3:]]
            dataset.save_as(target)
    except Exception as error:  # noqa: BLE001  pixels and headers may be damaged in many ways
        raise DamagedError(f"its frames cannot be taken apart ({type(error).__name__})") from None
