"""The parts of an image, in order and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.series import ImagePart

PART_ORDER: tuple[ImagePart, ...] = ("mag", "phase", "real", "imag", "field")
PART_NAMES: dict[ImagePart, str] = {
    "mag": "magnitude",
    "phase": "phase",
    "real": "real part",
    "imag": "imaginary part",
    "field": "field map",
}


def label(part: ImagePart, echo_time_ms: float | None) -> str:
    """Name an image: "phase at 15 ms"."""
    return PART_NAMES[part] + ("" if echo_time_ms is None else f" at {echo_time_ms:g} ms")
