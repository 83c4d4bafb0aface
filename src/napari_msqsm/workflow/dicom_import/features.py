"""What a series' header says about how it was acquired, whatever vendor wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.series import ConvertedSeries

Kind = Literal["gradient echo", "spin echo", "echo-planar", ""]
_MS = 1e-3
_SHORT_NAMES: dict[str, Kind] = {"ep": "echo-planar", "fl": "gradient echo", "tfl": "gradient echo"}
_SPIN_NAMES = ("se", "tse", "tir", "spc", "h", "ir")
_NO_AGENT = re.compile(r"^\W*(no|none|non|nein|kein|keine|ohne|sans|aucun|without|w/o|n/?a|nil|0)?\W*$", re.IGNORECASE)


@dataclass(frozen=True)
class Features:
    """How a series was acquired.

    Parameters
    ----------
    name
        Series description and protocol name, lower case.
    kind
        From the scanning sequence, else from the vendor's sequence name; empty where neither tells.
    inverted
        Whether an inversion pulse comes first.
    repetition_time_s, inversion_time_s, flip_angle_deg
        None where the header has none.
    echo_times_s
        Distinct, increasing.
    dimensions
        2 or 3; 0 where unknown.
    image_type
        Words of ImageType, upper case.
    agent
        Contrast agent in the header; empty where there is none, or a word for none.
    n_slices, n_volumes, slice_mm
        Extent.
    modality, body_part
        Upper case.
    """

    name: str
    kind: Kind
    inverted: bool
    repetition_time_s: float | None
    inversion_time_s: float | None
    flip_angle_deg: float | None
    echo_times_s: tuple[float, ...]
    dimensions: int
    image_type: frozenset[str]
    agent: str
    n_slices: int
    n_volumes: int
    slice_mm: float | None
    modality: str
    body_part: str
    diffusion: bool


def features_of(series: ConvertedSeries) -> Features:
    """Read header and sidecar of a series; values that are not what they should be count as absent."""
    header = series.header
    sidecar = series.images[0].sidecar if series.images else {}
    words = _words(header.get("ScanningSequence")) | _words(sidecar.get("ScanningSequence"))
    variant = _words(header.get("SequenceVariant")) | _words(sidecar.get("SequenceVariant"))
    sequence = _text(header, sidecar, "SequenceName", "PulseSequenceName")
    inversion = _seconds(header, sidecar, "InversionTime") or _seconds(header, sidecar, "InversionTimes")
    shape = max((image.shape for image in series.images), key=len, default=())
    agent = _text(header, {}, "ContrastBolusAgent")
    return Features(
        name=" | ".join(dict.fromkeys(_names(series))).lower(),
        kind=_kind(words, sequence, str(header.get("EchoPulseSequence", ""))),
        inverted=bool(inversion) or "IR" in words or "MP" in variant or header.get("InversionRecovery") == "YES",
        repetition_time_s=_seconds(header, sidecar, "RepetitionTime"),
        inversion_time_s=inversion or None,
        flip_angle_deg=_number(header.get("FlipAngle", sidecar.get("FlipAngle"))),
        echo_times_s=series.echo_times_s,
        dimensions={"2D": 2, "3D": 3}.get(_text(header, sidecar, "MRAcquisitionType").upper(), 0),
        image_type=_words(header.get("ImageType")) | _words(sidecar.get("ImageType")),
        agent="" if _NO_AGENT.match(agent) else agent,
        n_slices=int(shape[2]) if len(shape) > 2 else 1,
        n_volumes=int(shape[3]) if len(shape) > 3 else 1,
        slice_mm=_number(header.get("SliceThickness", sidecar.get("SliceThickness"))),
        modality=_text(header, sidecar, "Modality").upper(),
        body_part=_text(header, sidecar, "BodyPartExamined", "BodyPart").upper(),
        diffusion="DIFFUSION" in (_words(header.get("ImageType")) | _words(sidecar.get("ImageType")))
        or bool(_number(header.get("DiffusionBValue"))),
    )


def _names(series: ConvertedSeries) -> list[str]:
    names = [series.description, *(str(series.header.get(key, "")) for key in ("SeriesDescription", "ProtocolName"))]
    return [" ".join(name.split()) for name in names if name.strip()]


def _kind(words: frozenset[str], sequence: str, pulses: str) -> Kind:
    """Read the scanning sequence (SE, GR, EP, IR, RM), else the letters of sequence names such as *fl3d5."""
    if "EP" in words:
        return "echo-planar"
    if "GR" in words and "SE" not in words:
        return "gradient echo"
    if "SE" in words:
        return "spin echo"
    letters = re.sub(r"^[*\W_]+", "", sequence.lower())
    for start, kind in _SHORT_NAMES.items():
        if re.match(rf"{start}_?[23]d", letters) or (start == "ep" and letters.startswith("ep")):
            return kind
    if any(re.match(rf"{start}(ir)?_?([23]d|_|$)", letters) for start in _SPIN_NAMES):
        return "spin echo"
    if "IR" in words:  # Philips: inversion recovery with spin echoes; with gradient echoes it says GR
        return "spin echo"
    by_pulses: dict[str, Kind] = {"GRADIENT": "gradient echo", "SPIN": "spin echo", "BOTH": "spin echo"}
    return by_pulses.get(pulses.strip().upper(), "")


def _words(value: Any) -> frozenset[str]:
    """Words of a multi-valued or backslash-, underscore- or space-separated header field."""
    if value is None:
        return frozenset()
    parts = value if isinstance(value, list | tuple) else re.split(r"[\\/_,\s]+", str(value))
    return frozenset(str(part).strip().upper() for part in parts if str(part).strip())


def _text(header: Any, sidecar: Any, *keys: str) -> str:
    for source in (header, sidecar):
        for key in keys:
            value = source.get(key)
            if isinstance(value, list | tuple):
                value = " ".join(str(part) for part in value)
            if value is not None and str(value).strip():
                return str(value).strip()
    return ""


def _seconds(header: Any, sidecar: Any, key: str) -> float | None:
    """Sidecars have seconds, DICOM milliseconds."""
    value = _number(sidecar.get(key))
    if value is not None:
        return value
    value = _number(header.get(key))
    return None if value is None else value * _MS


def _number(value: Any) -> float | None:
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number >= 0 else None
