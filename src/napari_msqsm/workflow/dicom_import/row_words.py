"""What a row of the import table says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.series import ImagePart
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries, Role

Confidence = Literal["sure", "likely", "please check"]

SURE = 0.9
DOUBTFUL = 0.5
_PARTS: tuple[tuple[ImagePart, str], ...] = (
    ("mag", "magnitude"),
    ("phase", "phase"),
    ("real", "real"),
    ("imag", "imaginary"),
    ("field", "field map"),
)
_ROLES: dict[Role, str] = {
    "MEGRE": "gradient echoes (MEGRE)",
    "FLAIR": "FLAIR",
    "T1w": "T1",
    "ce-gadolinium_T1w": "T1 after gadolinium",
    "T2w": "T2",
    "fieldmap": "B0 field map",
    "ignore": "leave out",
}


def confidence_words(row: PlannedSeries) -> Confidence:
    """How sure the proposal is: from `SURE` on, above `DOUBTFUL`, and below."""
    if round(row.confidence, 2) >= SURE:
        return "sure"
    return "likely" if row.confidence > DOUBTFUL else "please check"


def needs_look(row: PlannedSeries) -> bool:
    """Whether the user should look at a row: its role is uncertain, or something is wrong with it."""
    return confidence_words(row) == "please check" or bool(row.problems)


def role_words(role: Role) -> str:
    """Role as the user chooses it."""
    return _ROLES[role]


def echo_words(row: PlannedSeries) -> str:
    """``6 (4.0…28.5 ms)``; empty where the header has no echo time."""
    times_ms = [1000.0 * time for time in row.series.echo_times_s]
    if not times_ms:
        return ""
    if len(times_ms) == 1:
        return f"1 ({times_ms[0]:.1f} ms)"
    return f"{len(times_ms)} ({times_ms[0]:.1f}…{times_ms[-1]:.1f} ms)"


def part_words(row: PlannedSeries) -> str:
    """``magnitude + phase``."""
    return " + ".join(words for part, words in _PARTS if part in row.series.parts)


def size_words(row: PlannedSeries) -> str:
    """``256 × 256 × 64`` of the largest image; all sizes where they differ."""
    shapes = sorted({image.shape for image in row.series.images}, reverse=True)
    return ", ".join(" × ".join(str(n) for n in shape) for shape in shapes)


def gadolinium_words(*, post_gd: bool | None) -> str:
    """Whether gadolinium had been given."""
    return "unknown" if post_gd is None else "yes" if post_gd else "no"


def run_words(row: PlannedSeries) -> str:
    """Tell which of repeated acquisitions it is, and whether later steps take it; empty for what is left out."""
    if not row.is_kept:
        return ""
    return str(row.run) if row.used else f"{row.run}, not used"


def series_words(row: PlannedSeries) -> str:
    """Name a series as on the scanner, with its number."""
    return f"{row.series.number} {row.series.description}".strip()
