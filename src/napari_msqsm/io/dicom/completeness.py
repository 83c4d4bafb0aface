"""Whether a series is all there, by its files and by what the scanner says that it made; one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.io.dicom.parts import PART_NAMES, PART_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_msqsm.io.dicom.instance import Instance
    from napari_msqsm.io.dicom.series import ImagePart
    from napari_msqsm.io.dicom.survey import SurveyedSeries

_ABORTED = "it was aborted, or not all were copied"


def about_files(series: SurveyedSeries) -> Iterable[str]:
    """Name copies, and identifiers that are not unique."""
    copies, shared = series.copies, series.shared_names
    if copies:
        yield f"{_files(copies)} of it {'is a copy' if copies == 1 else 'are copies'} and left out"
    if shared:
        bear = "bears" if shared == 1 else "bear"
        yield f"{_files(shared)} of it {bear} the identifier (SOPInstanceUID) of another image; all are kept"


def single_coils(instances: Iterable[Instance]) -> set[str]:
    """Names of coils where one image is there once per coil; empty where coils were combined."""
    seen: dict[tuple[object, ...], set[str]] = {}
    for one in instances:
        if one.coil and one.position is not None:
            key = (one.part, one.echo_time_ms, one.position, one.image_type, one.time_point)
            seen.setdefault(key, set()).add(one.coil)
    names = max(seen.values(), key=len, default=set())
    return names if len(names) > 1 else set()


def unequal_parts(images: Iterable[tuple[ImagePart, float | None]]) -> Iterable[str]:
    """Echoes that lack a part which others have."""
    images = set(images)
    parts = [part for part in PART_ORDER if part != "field" and any(part == own for own, _ in images)]
    for time in sorted({time for part, time in images if part != "field" and time is not None}):
        lacking = [PART_NAMES[part] for part in parts if (part, time) not in images]
        if lacking:
            yield f"the echo at {time:g} ms has no {' and no '.join(lacking)}"


def fewer_than_made(
    series: SurveyedSeries, images: Sequence[tuple[ImagePart, float | None]], n_slices: int
) -> Iterable[str]:
    """Compare with what the scanner says that it made; ``n_slices`` are those of the largest image."""
    first, n_files = series.first, len(series.instances)
    if not images:
        return
    if first.manufacturer.upper().startswith("GE") and first.images_expected > n_files:
        yield f"the scanner made {first.images_expected} images, {n_files} are here; {_ABORTED}"
    elif not first.enhanced and first.slices_expected > n_slices:
        yield f"the scanner made {first.slices_expected} slices, {n_slices} are here; {_ABORTED}"
    n_echoes = len({time for _, time in images})
    if first.echoes_expected > n_echoes:
        yield f"the scanner acquired {first.echoes_expected} echoes, {n_echoes} are here"


def _files(n: int) -> str:
    return f"{n} file" if n == 1 else f"{n} files"
