"""The lesion table of one patient, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_msqsm.workflow.measure.roi import Roi
    from napari_msqsm.workflow.measure.row import LesionRow
    from napari_msqsm.workflow.reference.region import ReferenceRegion


@dataclass(frozen=True, eq=False)
class PatientTable:
    """Rows of a patient, and what they were made from.

    Parameters
    ----------
    patient_id
        Without ``sub-``.
    rows
        Lesion by lesion, session by session.
    rois
        Region and means of every row, by label of the lesion and BIDS name of the session.
    references
        Normal-appearing white matter by label; None where nothing tells where it is.
    sources
        By lesion: in which table each covariate at onset stands.
    notes
        What was assumed, left out or is missing, one sentence each.
    rescans
        Sessions that repeat another one and are left out.
    """

    patient_id: str
    rows: tuple[LesionRow, ...] = ()
    rois: Mapping[tuple[int, str], Roi] = field(default_factory=dict)
    references: Mapping[int, ReferenceRegion | None] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rescans: tuple[str, ...] = ()

    @property
    def n_lesions(self) -> int:
        """Lesions that have rows."""
        return len({row.lesion_id for row in self.rows})

    def has_map(self, session: str) -> bool:
        """Whether lesions were measured in a map of a session."""
        return any(roi.carried is not None for (_, at), roi in self.rois.items() if at == session)

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "patient": self.patient_id,
            "lesions": self.n_lesions,
            "rows": [row.as_dict() for row in self.rows],
            "covariate_sources": {name: dict(tables) for name, tables in self.sources.items()},
            "rescans_left_out": list(self.rescans),
            "notes": list(self.notes),
        }
