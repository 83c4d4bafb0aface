"""Columns of the import table: what stands in a cell, what it is sorted by, what can be edited; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.workflow.dicom_import.date_words import true_date_words
from napari_msqsm.workflow.dicom_import.row_words import (
    confidence_words,
    echo_words,
    gadolinium_words,
    part_words,
    role_words,
    run_words,
    series_words,
    size_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    title
        Its head.
    tip
        What the head means.
    words
        What stands in the cell of a row.
    key
        What it is sorted by.
    field
        Name of the value in the plan where the user may change it.
    why
        What the value rests on.
    """

    title: str
    tip: str
    words: Callable[[PlannedSeries], str]
    key: Callable[[PlannedSeries], Any]
    field: str = ""
    why: Callable[[PlannedSeries], str] = lambda _: ""


def columns_of(date_words: Callable[[PlannedSeries], str]) -> tuple[Column, ...]:
    """All columns; ``date_words`` gives the date of a row as it will be written."""
    return (
        Column(
            "Patient",
            "Name in the study; the name on the scanner is written nowhere in it",
            lambda row: row.patient_id,
            lambda row: (row.patient_id, row.session_id, not row.is_kept, row.acquisition),
            "patient_id",
        ),
        Column(
            "Session",
            "Visit in the study",
            lambda row: row.session_id,
            lambda row: (row.session_id, row.patient_id, not row.is_kept, row.acquisition),
            "session_id",
        ),
        Column(
            "Date",
            "As it will be written: days from the first scan of a patient who is new in the study",
            date_words,
            true_date_words,
            why=lambda row: f"On the scanner: {true_date_words(row)}",
        ),
        Column(
            "Series",
            "Number and name on the scanner",
            series_words,
            lambda row: (row.series.description.casefold(), row.series.number),
        ),
        Column(
            "Becomes",
            "What the series becomes in the study",
            lambda row: role_words(row.role),
            lambda row: (row.role == "ignore", row.role),
            "role",
            lambda row: row.why,
        ),
        Column(
            "Confidence",
            "How sure the proposal is",
            confidence_words,
            lambda row: row.confidence,
            why=lambda row: row.why,
        ),
        Column(
            "Problems",
            "What is wrong with the series",
            lambda row: "; ".join(row.problems),
            lambda row: -len(row.problems),
            why=lambda row: "\n".join(row.problems),
        ),
        Column(
            "After Gd",
            "Whether gadolinium had been given in this session; it raises susceptibility",
            lambda row: gadolinium_words(post_gd=row.post_gd),
            lambda row: (row.post_gd is None, bool(row.post_gd)),
            "post_gd",
            lambda row: row.post_gd_why,
        ),
        Column("Echoes", "Number of echoes, and echo times", echo_words, lambda row: len(row.series.echo_times_s)),
        Column("Holds", "Parts of the complex signal", part_words, part_words),
        Column("Size", "Voxels", size_words, _largest),
        Column("Files", "DICOM instances", lambda row: str(row.series.n_files), lambda row: row.series.n_files),
        Column("Run", "First or repeated acquisition of a contrast in its session", run_words, lambda row: row.run),
    )


def _largest(row: PlannedSeries) -> int:
    sizes = []
    for image in row.series.images:
        voxels = 1
        for n in image.shape:
            voxels *= n
        sizes.append(voxels)
    return max(sizes, default=0)
