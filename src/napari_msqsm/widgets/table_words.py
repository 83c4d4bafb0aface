"""Words and choices of the table dialog; no Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from napari_msqsm.workflow.bring_in.tables.columns import DATE, PATIENT, SESSION
from napari_msqsm.workflow.bring_in.tables.variables import VARIABLES

if TYPE_CHECKING:
    from napari_msqsm.io.spreadsheet import Cell
    from napari_msqsm.workflow.bring_in.tables.changes import TablePlan

UNUSED = ""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SHOWN = 200


def uses_of(column: str) -> list[tuple[str, str]]:
    """List what a column may be, words and value; also itself, where its header can be a name in BIDS."""
    known = (PATIENT, SESSION, DATE, *VARIABLES)
    uses = [("not used", UNUSED), *((name.replace("_", " "), name) for name in known)]
    own = re.sub(r"\W+", "_", column.strip()).strip("_").lower()
    if _NAME.fullmatch(own) and own not in known:
        uses.append((f"as it is: {own}", own))
    return uses


def given_of(uses: Mapping[str, str]) -> dict[str, str]:
    """From header → use to name → header, where every name that no header has is left out.

    Raises
    ------
    ValueError
        When two columns have one use.
    """
    given: dict[str, str] = {}
    for column, use in uses.items():
        if use == UNUSED:
            continue
        if use in given:
            raise ValueError(f"Columns “{given[use]}” and “{column}” cannot both be the {use.replace('_', ' ')}.")
        given[use] = column
    return {name: given.get(name, "-") for name in dict.fromkeys((PATIENT, SESSION, DATE, *VARIABLES, *given))}


def cell_words(cell: Cell) -> str:
    """Write a cell as it is shown."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" + ("" if (cell.hour, cell.minute) == (0, 0) else f" {cell:%H:%M}")
    return f"{cell:g}" if isinstance(cell, float) else cell


def plan_html(plan: TablePlan) -> str:
    """Say what would be written, conflicts first."""
    new = [change for change in plan.changes if not change.is_conflict]
    counts = f"<b>{len(new)}</b> new values, <b>{len(plan.conflicts)}</b> conflicts, {plan.unchanged} already there"
    return "".join(
        (
            f"<p>{counts}</p>",
            _list("Conflicts: the study has another value", plan.conflicts),
            _list("Not used", plan.problems),
            _list("Assumed", plan.notes),
            _list("New", new),
        )
    )


def _list(title: str, lines: Sequence[object]) -> str:
    shown = "".join(f"<li>{escape(str(line))}</li>" for line in lines[:_SHOWN])
    more = f"<li>and {len(lines) - _SHOWN} more</li>" if len(lines) > _SHOWN else ""
    return f"<p><b>{escape(title)}</b></p><ul>{shown}{more}</ul>" if lines else ""
