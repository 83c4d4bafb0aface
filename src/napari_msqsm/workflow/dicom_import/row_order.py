"""Which rows of the import table are shown, and in which order: rows of one acquisition stay together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.workflow.dicom_import.row_words import needs_look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries


def arranged(
    rows: Sequence[PlannedSeries],
    key: Callable[[PlannedSeries], Any],
    *,
    descending: bool = False,
    keep: Callable[[PlannedSeries], bool] | None = None,
) -> list[int]:
    """Return the indices of the rows in the order of a key.

    Parameters
    ----------
    rows
        The table.
    key
        What to sort by. An acquisition stands where the first of its rows does, and its rows follow one another in the
        order of their series numbers; equal keys keep the order of the table.
    descending
        From the largest key to the smallest.
    keep
        Which rows matter; an acquisition is shown in full when one of its rows matters. All, unless given.
    """
    members: dict[str | int, list[int]] = {}
    for index, row in enumerate(rows):
        members.setdefault(group_of(row), []).append(index)
    shown = [each for each in members.values() if keep is None or any(keep(rows[index]) for index in each)]
    pick = max if descending else min
    shown.sort(key=lambda each: pick(key(rows[index]) for index in each), reverse=descending)
    return [index for each in shown for index in sorted(each, key=lambda index: rows[index].series.number)]


def group_of(row: PlannedSeries) -> str | int:
    """Return what the rows of an acquisition have in common; a series that is left out stands alone."""
    return row.acquisition or row.series.series_uid


def rows_to_look_at(rows: Sequence[PlannedSeries]) -> int:
    """How many rows `needs_look` names."""
    return sum(needs_look(row) for row in rows)
