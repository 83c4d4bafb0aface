"""The images of a series, put together: values that mean what they should, times, and all that is wrong."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_msqsm.io.dicom.alternate import ALTERNATE, undo_alternate_signs
from napari_msqsm.io.dicom.elements import DamagedError
from napari_msqsm.io.dicom.header import plain_header, read_dataset
from napari_msqsm.io.dicom.parts import PART_ORDER, label, one_line
from napari_msqsm.io.dicom.phase_scaling import set_radians, stored_values
from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries
from napari_msqsm.io.phase import PHASE_SIGN_OF_VENDOR, vendor_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from napari_msqsm.io.dicom.run import StackImage, StackResult
    from napari_msqsm.io.dicom.series import ImagePart
    from napari_msqsm.io.dicom.survey import SurveyedSeries

_TIMES = tuple((f"{what}Date", f"{what}Time") for what in ("Acquisition", "Series", "Content", "Study"))


def series_header(series: SurveyedSeries) -> dict[str, Any]:
    """Header of the first instance that can be read, as plain values."""
    for instance in series.instances:
        try:
            return plain_header(read_dataset(instance.path))
        except DamagedError:
            continue
    return {}


def assemble(
    series: SurveyedSeries, header: Mapping[str, Any], results: Sequence[StackResult], problems: Iterable[str]
) -> ConvertedSeries:
    """Correct the values of the images in place, and describe the series."""
    images = sorted(
        (image for result in results for image in result.images),
        key=lambda one: (PART_ORDER.index(one.part), one.echo_time_ms or 0.0, one.path),
    )
    told = [*problems, *(problem for result in results for problem in result.problems)]
    told += _repeated(images)
    assumptions: list[str] = []
    units = _phase(images, one_line(str(header.get("Manufacturer", ""))), told, assumptions)
    by_part: dict[str, dict[float | None, list[Path]]] = {"real": {}, "imag": {}}
    for image in images:
        if image.part in by_part:
            by_part[image.part].setdefault(image.echo_time_ms, []).append(image.path)
    if undo_alternate_signs(by_part["real"], by_part["imag"]):
        assumptions.append(ALTERNATE)
    return ConvertedSeries(
        series_uid=series.first.series_uid,
        study_uid=series.first.study_uid,
        patient_key=patient_key(header),
        number=series.first.series_number,
        description=description_of(header),
        acquired_at=acquired_at(series, header),
        n_files=len(series.instances),
        images=tuple(
            ConvertedImage(
                path=image.path,
                part=image.part,
                echo_time_s=None if image.echo_time_ms is None else round(image.echo_time_ms / 1e3, 9),
                shape=image.shape,
                sidecar={**image.sidecar, **units} if image.part == "phase" else dict(image.sidecar),
            )
            for image in images
        ),
        header=dict(header),
        problems=tuple(dict.fromkeys(told)),
        assumptions=tuple(assumptions),
    )


def patient_key(header: Mapping[str, Any]) -> str:
    """Tell patients apart: PatientID, else name and birth date."""
    known = str(header.get("PatientID", "") or "")
    return known or f"{header.get('PatientName', '') or ''} {header.get('PatientBirthDate', '') or ''}".strip()


def description_of(header: Mapping[str, Any]) -> str:
    """Name that the technician gave the series."""
    return one_line(str(header.get("SeriesDescription") or header.get("ProtocolName") or ""))


def acquired_at(series: SurveyedSeries, header: Mapping[str, Any]) -> datetime | None:
    """Begin of the acquisition: the earliest of all instances, else that of the series or the study."""
    begins = [begin for text in {one.acquired for one in series.instances} if (begin := _time(text)) is not None]
    if begins:
        return min(begins)
    for date, time in _TIMES:
        if header.get(date):
            return _time(f"{header[date]}{header.get(time) or ''}")
    return None


def _time(text: str) -> datetime | None:
    """``YYYYMMDDHHMMSS.ffffff`` with or without a time, colons and dots of older files, and an offset from UTC."""
    digits = re.sub(r"[+-]\d{4}$", "", text)
    whole, _, fraction = digits.partition(".") if not re.match(r"\d{4}\.\d\d\.\d\d", digits) else (digits, "", "")
    whole = re.sub(r"\D", "", whole)
    if len(whole) < 8:
        return None
    whole = whole[:14].ljust(14, "0")
    try:
        return datetime.strptime(f"{whole}{(fraction + '000000')[:6]}", "%Y%m%d%H%M%S%f")  # noqa: DTZ007  the scanner's own clock
    except ValueError:
        return None


def _phase(
    images: Sequence[StackImage], manufacturer: str, problems: list[str], assumptions: list[str]
) -> dict[str, str]:
    """Scale the phase images; what their sidecars say of it."""
    phase = [image for image in images if image.part == "phase"]
    if not phase:
        return {}
    datasets: dict[tuple[str, ...], Dataset] = {}
    stored = []
    for image in phase:
        source = image.source
        key = (source.path,) if source.enhanced else source.rescale
        if key not in datasets:
            datasets[key] = read_dataset(source.path)
        stored.append(stored_values(datasets[key], image.frame))
    done, text = set_radians([image.path for image in phase], stored, manufacturer)
    if not done:
        problems.append(f"phase: {text}")
        return {}
    if text:
        assumptions.append(text)
    vendor = vendor_of(manufacturer)
    if vendor:
        sign = PHASE_SIGN_OF_VENDOR[vendor]
        assumptions.append(
            f"phase sign: {sign:+d}, as {manufacturer} stores it; kept as it is, checked on the data later"
        )
    else:
        assumptions.append("phase sign: not known for this vendor; kept as it is, checked on the data later")
    return {"Units": "rad"}


def _repeated(images: Sequence[StackImage]) -> Iterable[str]:
    seen: set[tuple[ImagePart, float | None]] = set()
    for image in images:
        name = label(image.part, image.echo_time_ms)
        if len(image.shape) > 3:
            yield f"{name}: {image.shape[3]} volumes (repetitions, or coils that were not combined)"
        key = (image.part, image.echo_time_ms)
        if key in seen:
            yield f"{name}: there is more than one image of it"
        seen.add(key)
