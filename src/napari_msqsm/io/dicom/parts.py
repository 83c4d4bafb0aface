"""The parts of an image: from headers, and in the words of the lines that the user reads."""

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
_PARTS: dict[str, ImagePart] = {
    "M": "mag",
    "MAGNITUDE": "mag",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imag",
    "IMAGINARY": "imag",
    "B0 MAP": "field",
    "FIELDMAPHZ": "field",
}
_GE_PARTS: tuple[ImagePart, ...] = ("mag", "phase", "real", "imag")


def label(part: ImagePart, echo_time_ms: float | None) -> str:
    """Name an image: "phase at 15 ms"."""
    return PART_NAMES[part] + ("" if echo_time_ms is None else f" at {echo_time_ms:g} ms")


def one_line(text: str) -> str:
    """Make a name from a file system or a header fit to be shown: what cannot be printed becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def part_of(component: str, image_type: str, ge_kind: int | None = None) -> ImagePart:
    """Tell the part of the complex signal from what a header says.

    Parameters
    ----------
    component
        ComplexImageComponent.
    image_type
        ImageType, words separated by backslashes.
    ge_kind
        GE's private element (0043,102F): 0, 1, 2, 3 for magnitude, phase, real, imaginary.
    """
    if ge_kind is not None and 0 <= ge_kind < len(_GE_PARTS):
        if ge_kind or "FIELDMAPHZ" not in image_type:
            return _GE_PARTS[ge_kind]
        return "field"
    words = image_type.upper().split("\\")[2:]
    for word in words:
        if _PARTS.get(word) == "field":
            return "field"
    if component.upper() in _PARTS:
        return _PARTS[component.upper()]
    for word in words:
        if word in _PARTS:
            return _PARTS[word]
    return "mag"
