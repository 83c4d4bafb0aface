"""What a table would change in a study, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_msqsm.workflow.bring_in.tables.columns import ColumnChoice


@dataclass(frozen=True)
class Change:
    """One value of a table of the study.

    Parameters
    ----------
    patient_id, session_id
        Without ``sub-`` and ``ses-``; no session for ``participants.tsv``.
    column
        Of the table of the study.
    old, new
        What it holds (None where nothing) and what it would hold.
    line
        Of the laboratory's table.
    """

    patient_id: str
    session_id: str
    column: str
    old: str | None
    new: str
    line: int

    @property
    def is_conflict(self) -> bool:
        """Whether another value would be replaced."""
        return self.old is not None

    def __str__(self) -> str:
        where = f"sub-{self.patient_id}" + (f" ses-{self.session_id}" if self.session_id else "")
        return f"{where} {self.column}: {self.old if self.old is not None else 'n/a'} → {self.new}"


@dataclass(frozen=True)
class TablePlan:
    """What a table would change.

    Parameters
    ----------
    columns
        What each column is.
    changes
        New values and conflicts.
    unchanged
        Values that the study has already.
    problems
        Rows and values that are not used, one sentence each.
    notes
        What was assumed.
    """

    columns: tuple[ColumnChoice, ...]
    changes: tuple[Change, ...]
    unchanged: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Changes that would replace another value."""
        return tuple(change for change in self.changes if change.is_conflict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "columns": [vars(choice) for choice in self.columns],
            "changes": [vars(change) | {"is_conflict": change.is_conflict} for change in self.changes],
            "unchanged": self.unchanged,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }
