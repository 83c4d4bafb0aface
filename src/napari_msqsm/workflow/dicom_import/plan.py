"""The table between a DICOM folder and the study: one row per series, proposed by us, corrected by the user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.io.dicom.series import ConvertedSeries, LeftOut

Role = Literal["MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w", "ignore"]
ROLES: tuple[Role, ...] = ("MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w", "ignore")


@dataclass(frozen=True)
class PlannedSeries:
    """One row.

    Parameters
    ----------
    series
        What was converted.
    role
        What it becomes in the study.
    confidence
        0…1: how sure the proposal is; 1 once the user chose.
    why
        What the proposal rests on.
    patient_id, session_id
        Names in the study, without ``sub-`` and ``ses-``.
    run
        1 for the first of repeated acquisitions of one role in a session, 2 for the next; the last complete one is
        used unless the user says otherwise.
    post_gd
        Whether it was acquired after gadolinium was given in its session; None where that is not known.
    post_gd_why
        What that rests on.
    acquisition
        Rows of one number make one acquisition: magnitude and phase of a gradient-echo series may be two series.
    problems
        One sentence each.
    """

    series: ConvertedSeries
    role: Role
    confidence: float
    why: str
    patient_id: str
    session_id: str
    acquisition: int
    run: int = 1
    post_gd: bool | None = None
    post_gd_why: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportPlan:
    """What would be written.

    ``problems`` concern the plan as a whole or a session, such as two sessions on one day.
    """

    rows: tuple[PlannedSeries, ...]
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[str, ...] = ()

    def with_row(self, series_uid: str, settle: Callable[[ImportPlan], ImportPlan], **changes: Any) -> ImportPlan:
        """Change the row of a series by the user's word; ``settle`` derives runs, gadolinium and problems anew."""
        rows = tuple(
            replace(row, **changes, confidence=1.0, why="chosen by the user")
            if row.series.series_uid == series_uid
            else row
            for row in self.rows
        )
        return settle(replace(self, rows=rows))
