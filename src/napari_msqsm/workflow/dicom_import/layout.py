"""What the files of a plan are called in the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.grouping import grouped
from napari_msqsm.workflow.dicom_import.settle import runs_in_study

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_msqsm.io.dicom.series import ConvertedImage
    from napari_msqsm.workflow.dicom_import.existing import Existing
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_FOLDERS = {"fieldmap": "fmap"}
_LATEST_ECHO = ("T2w", "FLAIR")


@dataclass(frozen=True)
class PlannedFile:
    """One image of the study.

    Parameters
    ----------
    row, image
        Where it comes from.
    folder
        ``anat`` or ``fmap``.
    name
        File name without ending, such as ``sub-01_ses-02_run-1_echo-3_part-phase_MEGRE``.
    stem
        The same without echo and part: it names the acquisition.
    """

    row: PlannedSeries
    image: ConvertedImage
    folder: str
    name: str
    stem: str


def files_of(rows: Iterable[PlannedSeries], existing: Existing) -> list[PlannedFile]:
    """Name every image of the rows that are kept; of two images of one part and echo the first is taken.

    Parameters
    ----------
    rows
        Of a settled plan.
    existing
        The study: a second acquisition of a role that it has gets a run number.
    """
    kept = [row for row in rows if row.is_kept]
    repeated = grouped(kept, lambda row: (row.label, row.role))
    out: list[PlannedFile] = []
    for (label, role), group in repeated.items():
        acquisitions = grouped(group, lambda row: row.acquisition)
        numbered = len(acquisitions) > 1 or runs_in_study(group[0], existing) > 0
        for acquisition in acquisitions.values():
            *agent, suffix = role.split("_")
            head = "_".join([label, *agent, *([f"run-{acquisition[0].run}"] if numbered else [])])
            out += _files(acquisition, head, suffix)
    first: dict[str, PlannedFile] = {}
    for file in out:
        first.setdefault(file.name, file)
    return list(first.values())


def _files(rows: Sequence[PlannedSeries], head: str, suffix: str) -> list[PlannedFile]:
    pairs = [(row, image) for row in rows for image in row.series.images]
    folder, stem = _FOLDERS.get(suffix, "anat"), f"{head}_{suffix}"
    if suffix == "MEGRE":
        times = sorted({image.echo_time_s for _, image in pairs if image.echo_time_s is not None})
        pairs = [(row, image) for row, image in pairs if image.part != "field"]
        pairs.sort(key=lambda pair: (pair[1].part, pair[1].echo_time_s or 0.0))
        return [
            PlannedFile(row, image, folder, f"{head}_echo-{number}_part-{image.part}_MEGRE", stem)
            for (row, image), number in zip(pairs, _echo_numbers(pairs, times), strict=True)
        ]
    if suffix == "fieldmap":
        fields = [pair for pair in pairs if pair[1].part == "field"]
        magnitudes = [pair for pair in pairs if pair[1].part == "mag"][:1]
        return [
            *(PlannedFile(row, image, folder, stem, stem) for row, image in fields[:1]),
            *(PlannedFile(row, image, folder, f"{head}_magnitude", stem) for row, image in magnitudes if fields),
        ]
    plain = [pair for pair in pairs if pair[1].part == "mag"] or pairs
    plain.sort(key=lambda pair: pair[1].echo_time_s or 0.0)
    row, image = plain[-1 if suffix in _LATEST_ECHO else 0]
    return [PlannedFile(row, image, folder, stem, stem)]


def _echo_numbers(pairs: Sequence[tuple[PlannedSeries, ConvertedImage]], times: Sequence[float]) -> list[int]:
    """Count by echo time; in the order of the files of each part where the header has none."""
    seen: dict[str, int] = {}
    out = []
    for _, image in pairs:
        seen[image.part] = seen.get(image.part, 0) + 1
        out.append(seen[image.part] if image.echo_time_s is None else times.index(image.echo_time_s) + 1)
    return out
