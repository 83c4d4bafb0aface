"""One row of the lesion table: one lesion at one session."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class LesionRow:
    """What is known of a lesion at a session; the fields are the columns, in their order; None is missing.

    `napari_msqsm.workflow.measure.columns.COLUMNS` says what each means.
    """

    patient_id: str
    lesion_id: str
    session_id: str | None
    session_date: str | None = None
    lesion_age_y: float | None = None
    chi_lesion_raw_ppb: float | None = None
    chi_nawm_ppb: float | None = None
    chi_ppb: float | None = None
    volume_mm3: float | None = None
    volume_bl_mm3: float | None = None
    dvolume_mm3: float | None = None
    rim: str | None = None
    rim_rater1: int | None = None
    rim_rater2: int | None = None
    rim_adjudicator: int | None = None
    enhancement: str | None = None
    central_vein: int | None = None
    sex: str | None = None
    patient_age_y: float | None = None
    edss: float | None = None
    disease_duration_y: float | None = None
    treatment_duration_y: float | None = None
    scanner: str | None = None
    rim_at_session: str | None = None
    chi_native_ppb: float | None = None
    chi_registered_ppb: float | None = None
    chi_median_ppb: float | None = None
    chi_sd_ppb: float | None = None
    chi_session_roi_ppb: float | None = None
    n_voxels: float | None = None
    covered_fraction: float | None = None
    nawm_se_ppb: float | None = None
    n_nawm_voxels: float | None = None
    volume_pv_mm3: float | None = None
    roi_source: str | None = None
    rim_score: float | None = None
    rim_coverage: float | None = None
    eligible: str | None = None
    qc_flags: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Columns and values, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
