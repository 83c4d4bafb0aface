"""The tables of a BIDS study: new rows are added, existing ones and columns that others added stay as they are."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MISSING = "n/a"


def read_rows(path: Path, key: str) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of a table as text; both empty where there is none, missing cells are ``n/a``.

    Parameters
    ----------
    path
        The table.
    key
        Column that identifies a row.

    Raises
    ------
    InputError
        When the file is no table with that column.
    """
    if not path.is_file():
        return [], []
    try:
        reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter="\t")
        columns = list(reader.fieldnames or ())
        rows = [{name: row.get(name) or MISSING for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"table {path} cannot be read ({error}); repair it") from None
    if columns and key not in columns:
        raise InputError(f"table {path} has no column {key}; repair it")
    return columns, rows


def with_rows(
    path: Path, key: str, rows: Sequence[Mapping[str, object]], *, prefix: str = "", sort_by: str = ""
) -> str:
    """Text of a table with more rows; a row whose key is there already is not added.

    Parameters
    ----------
    path
        The table; it need not exist.
    key
        Column that identifies a row.
    rows
        New rows by column; columns that are new are added at the end.
    prefix
        Of the key, which tables of others may lack.
    sort_by
        Column to sort by; missing values come last.

    Raises
    ------
    InputError
        When the file is no table with that column.
    """
    columns, table = read_rows(path, key)
    there = {row[key].removeprefix(prefix) for row in table}
    for row in rows:
        columns += [name for name in row if name not in columns]
        if str(row[key]).removeprefix(prefix) not in there:
            table.append({name: _cell(value) for name, value in row.items()})
    if sort_by:
        table.sort(key=lambda row: (row.get(sort_by, MISSING) == MISSING, row.get(sort_by, MISSING)))
    return as_text(columns, table)


def as_text(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Tab-separated text of rows; what is missing is ``n/a``."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return MISSING if value is None else " ".join(str(value).split()) or MISSING
