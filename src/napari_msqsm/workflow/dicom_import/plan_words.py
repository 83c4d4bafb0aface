"""What a whole import plan says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.row_order import rows_to_look_at

if TYPE_CHECKING:
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan


def plan_words(plan: ImportPlan) -> str:
    """Say in one line what would be written, and what deserves a look."""
    kept = [row for row in plan.rows if row.is_kept]
    patients = {row.patient_id for row in kept}
    sessions = {row.label for row in kept}
    parts = [f"{len(kept)} of {_count(len(plan.rows), 'series', 'series')} will be written"]
    parts[0] += f": {_count(len(patients), 'patient')}, {_count(len(sessions), 'session')}" if kept else ""
    looks = rows_to_look_at(plan.rows)
    parts.append(f"{looks} need a look" if looks != 1 else "1 needs a look")
    if plan.left_out:
        parts.append(f"{_count(len(plan.left_out), 'note')} on what could not be read")
    return "; ".join(parts) + "."


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
