"""Which rows of a lesion table are fitted: every row that is not is counted, with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

RIM, NO_RIM = "rim+", "rim-"
KEYS = ("patient_id", "lesion_id", "lesion_age_y", "rim")
_RIM_WORDS = {"rim+": RIM, "rim-": NO_RIM, "rim−": NO_RIM, "1": RIM, "0": NO_RIM, "1.0": RIM, "0.0": NO_RIM}
_POST_GD = "post_gd"
_EXCLUDED = "excluded_by_reader"


@dataclass(frozen=True, eq=False)
class CleanTable:
    """Rows to fit.

    Parameters
    ----------
    rows
        In the order of the table, index from 0.
    dropped
        Number of rows that were left out, by reason.
    notes
        What else was done, one sentence each.
    """

    rows: pd.DataFrame
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def two_groups(self) -> bool:
        """Whether there are lesions with and without a rim."""
        return self.rows["rim"].nunique() > 1


def clean(
    table: pd.DataFrame,
    outcome: str,
    covariates: Sequence[str] = (),
    *,
    include_ineligible: bool = False,
    include_post_gd: bool = False,
    rim_at_onset: bool = False,
) -> CleanTable:
    """Choose the rows to fit.

    Parameters
    ----------
    table
        With the columns `KEYS`, the outcome and the covariates; others are ignored but for ``session_id``,
        ``eligible`` and ``qc_flags``.
    outcome
        Column to explain.
    covariates
        Columns that the model needs beside it.
    include_ineligible
        Whether lesions that the table calls ineligible are fitted too.
    include_post_gd
        Whether rows of a gradient echo after gadolinium are fitted too.
    rim_at_onset
        Whether a lesion's group is its rim at age 0 (column ``rim_at_session``), not whether one was ever seen.

    Raises
    ------
    InputError
        When a column is absent, age or outcome are not numbers, or no row is left.

    Notes
    -----
    In this order: repeated sessions of a lesion (the first one stays), rows without a value that the model needs, rows
    before the onset (age below 0; they are never fitted), rows after gadolinium, rows that the reader excluded, and
    lesions that are not eligible.
    """
    wanted = (*KEYS, outcome, *covariates)
    absent = [name for name in dict.fromkeys(wanted) if name not in table.columns]
    if absent:
        raise InputError(f"the table has no column {', '.join(absent)}; it has {', '.join(map(str, table.columns))}")
    rows = _grouped_at_onset(table) if rim_at_onset else table.copy()
    rows["rim"] = rows["rim"].map(lambda value: _RIM_WORDS.get(str(value).strip().lower()))
    for name in ("lesion_age_y", outcome):
        rows[name] = _numbers(rows[name], name)
    for name in covariates:
        rows[name] = _numbers_or_words(rows[name])
    dropped: dict[str, int] = {}

    def keep(where: pd.Series[bool], reason: str) -> None:
        nonlocal rows
        gone = int((~where).sum())
        if gone:
            dropped[reason] = gone
            rows = rows[where]

    session = ["session_id"] if "session_id" in rows.columns else ["lesion_age_y"]
    keep(~rows.duplicated(["patient_id", "lesion_id", *session]), "duplicate of a session")
    for name in dict.fromkeys(wanted):
        keep(rows[name].notna(), f"{name} is missing")
    keep(rows["lesion_age_y"] >= 0, "before onset")
    if "qc_flags" in rows.columns:
        flags = rows["qc_flags"].fillna("").astype(str)
        if not include_post_gd:
            keep(~flags.str.contains(_POST_GD, regex=False), "gradient echo after gadolinium")
        keep(~flags.reindex(rows.index).str.contains(_EXCLUDED, regex=False), "excluded by the reader")
    if "eligible" in rows.columns and not include_ineligible:
        keep(~rows["eligible"].map(_is_no), "lesion is not eligible")
    if rows.empty:
        why = ", ".join(f"{count} rows: {reason}" for reason, count in dropped.items())
        raise InputError(f"no row is left to fit ({why or 'the table is empty'})")
    rows = rows.reset_index(drop=True)
    groups = rows.groupby(["patient_id", "lesion_id"])["rim"].nunique()
    if (groups > 1).any():
        patient, lesion = groups.index[int(np.argmax(groups.to_numpy() > 1))]
        raise InputError(
            f"lesion {lesion} of {patient} is rim+ in some rows and rim- in others; rim is constant per lesion"
        )
    notes = (
        [] if rows["rim"].nunique() > 1 else [f"all lesions are {rows['rim'].iloc[0]}: there are no groups to compare"]
    )
    return CleanTable(rows, dropped, tuple(notes))


def _grouped_at_onset(table: pd.DataFrame) -> pd.DataFrame:
    """Take as ``rim`` of every row what was seen at the onset of its lesion; missing where nobody looked then."""
    needed = ("patient_id", "lesion_id", "lesion_age_y", "rim_at_session")
    absent = [name for name in needed if name not in table.columns]
    if absent:
        raise InputError(f"grouping by the rim at onset needs the column {', '.join(absent)}")
    onset = table[_numbers(table["lesion_age_y"], "lesion_age_y") == 0.0]
    seen: dict[Any, Any] = {(row.patient_id, row.lesion_id): row.rim_at_session for row in onset.itertuples()}
    lesions = zip(table["patient_id"], table["lesion_id"], strict=True)
    rims: Any = [seen.get(lesion) for lesion in lesions]
    return table.assign(rim=rims)


def _is_no(value: object) -> bool:
    """Whether a cell of ``eligible`` says no; a missing one does not."""
    return str(value).strip().lower().split(":")[0] in {"no", "false", "0", "0.0"}


def _numbers_or_words(column: pd.Series[Any]) -> pd.Series[Any]:
    """Take a column as numbers where every value is one, else as words, such as the name of a scanner."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    words = bool((numbers.isna() & column.notna()).any())
    return column if words else numbers.astype(float).replace([np.inf, -np.inf], np.nan)


def _numbers(column: pd.Series[Any], name: str) -> pd.Series[float]:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column[numbers.isna() & column.notna()]
    if len(wrong):
        raise InputError(f"column {name} holds {str(wrong.iloc[0])!r}, which is not a number")
    return numbers.astype(float).replace([np.inf, -np.inf], np.nan)
