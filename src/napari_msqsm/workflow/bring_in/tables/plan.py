"""What a table would change in a study; nothing is written before it was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.io.spreadsheet import read_sheet
from napari_msqsm.workflow.bring_in.tables.columns import propose
from napari_msqsm.workflow.bring_in.tables.people import load_key
from napari_msqsm.workflow.bring_in.tables.rows import Rows
from napari_msqsm.workflow.bring_in.tables.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.bring_in.tables.changes import TablePlan
    from napari_msqsm.workflow.bring_in.tables.dates import DateOrder


def plan_table(
    study: Study,
    path: Path,
    *,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
    key_file: Path | None = None,
    date_order: DateOrder | None = None,
    within_days: int = 0,
) -> TablePlan:
    """Compare a table with a study.

    Parameters
    ----------
    study
        The study.
    path, sheet
        CSV, TSV or XLSX, and the sheet of a workbook.
    columns
        See `napari_msqsm.workflow.bring_in.tables.columns.propose`.
    key_file
        Private table from the names in ``path`` to those of the study; that of the import when not given.
    date_order
        See `napari_msqsm.workflow.bring_in.tables.dates.parsed_dates`.
    within_days
        How far the date of a row may lie from that of the scan where the date tells the session.

    Raises
    ------
    InputError, ParameterError
        When the table cannot be understood as a whole.
    """
    table = read_sheet(path, sheet=sheet)
    choices = propose(table, columns)
    work = Rows(study, table, choices, load_key(study, key_file), within_days)
    work.read_columns(date_order)
    for index, line in enumerate(table.lines):
        work.row(index, line)
    return work.plan()


def write_plan(study: Study, plan: TablePlan, *, overwrite: bool = False) -> tuple[Path, ...]:
    """Write the changes of a plan.

    Parameters
    ----------
    study, plan
        From `plan_table` of this study.
    overwrite
        Whether values that the study has already are replaced; they stay otherwise.

    Returns
    -------
    tuple
        Files that were written.
    """
    changes = [change for change in plan.changes if overwrite or not change.is_conflict]
    return Stored(study).write(changes) if changes else ()
