"""The table between a DICOM folder and the study: one row per series, proposed by us, corrected by the user."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from napari_msqsm.errors import ParameterError
from napari_msqsm.workflow.dicom_import.existing import Existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.io.dicom.series import ConvertedSeries, LeftOut

Role = Literal["MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w", "fieldmap", "ignore"]
ROLES: tuple[Role, ...] = ("MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w", "fieldmap", "ignore")
CHOSEN = "chosen by the user"
_CHANGEABLE = ("role", "patient_id", "session_id", "post_gd")


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
    acquisition
        Rows of one number make one acquisition: magnitude and phase of a gradient-echo series may be two series.
    run
        1 for the first of repeated acquisitions of one role in a session, 2 for the next.
    used
        Whether later steps take it: of repeated acquisitions the last complete one. The others are written too;
        making their role ``ignore`` leaves them out.
    post_gd
        Whether it was acquired after gadolinium was given in its session; None where that is not known.
    post_gd_why
        What that rests on.
    problems
        One sentence each.
    """

    series: ConvertedSeries
    role: Role
    confidence: float
    why: str
    patient_id: str
    session_id: str
    acquisition: int = 0
    run: int = 1
    used: bool = True
    post_gd: bool | None = None
    post_gd_why: str = ""
    problems: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """BIDS name of its session."""
        return f"sub-{self.patient_id}_ses-{self.session_id}"

    @property
    def is_kept(self) -> bool:
        """Whether it is written at all."""
        return self.role != "ignore"


@dataclass(frozen=True)
class ImportPlan:
    """What would be written.

    ``problems`` concern the plan as a whole, a patient or a session, such as two dates in one session; ``existing`` is
    the study that it is added to.
    """

    rows: tuple[PlannedSeries, ...]
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[str, ...] = ()
    existing: Existing = field(default_factory=Existing)

    def with_row(self, series_uid: str, settle: Callable[[ImportPlan], ImportPlan], **changes: Any) -> ImportPlan:
        """Change the row of a series by the user's word; ``settle`` derives runs, gadolinium and problems anew.

        Parameters
        ----------
        series_uid
            Which row.
        settle
            `napari_msqsm.workflow.dicom_import.importing.settle`.
        changes
            New ``role``, ``patient_id``, ``session_id`` or ``post_gd``.

        Raises
        ------
        ParameterError
            When there is no such row, column or role.
        """
        row = next((row for row in self.rows if row.series.series_uid == series_uid), None)
        if row is None:
            raise ParameterError(f"no series of this import has the identifier {series_uid}")
        changed = changed_by_user(row, **changes)
        return settle(replace(self, rows=tuple(changed if old is row else old for old in self.rows)))


def changed_by_user(row: PlannedSeries, **changes: Any) -> PlannedSeries:
    """Row with other values; those that the user chose are not proposed anew.

    Raises
    ------
    ParameterError
        When there is no such column or role.
    """
    for name in changes:
        if name not in _CHANGEABLE:
            raise ParameterError(f"{name} cannot be changed; what can is {', '.join(_CHANGEABLE)}")
    if changes.get("role", row.role) not in ROLES:
        raise ParameterError(f"there is no role {changes['role']!r}; roles: {', '.join(ROLES)}")
    extra: dict[str, Any] = {}
    if "role" in changes:
        extra |= {"confidence": 1.0, "why": CHOSEN}
    if "post_gd" in changes:
        extra |= {"post_gd_why": CHOSEN}
    return replace(row, **changes, **extra)
