"""Tab-separated tables as text: small ones that are read and written while somebody draws, without pandas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MISSING = "n/a"
_MISSING = ("", "n/a", "na", "nan")


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table by column, missing cells left out; none where there is no file.

    Raises
    ------
    InputError
        When the file cannot be read, has a column twice or a row longer than its header.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"table {path} cannot be read ({error}); repair or remove it") from None
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True) if line]
    except csv.Error as error:
        raise InputError(f"table {path} cannot be read ({error}); repair or remove it") from None
    if not lines:
        return []
    header = [name.strip() for name in lines[0]]
    double = {name for name in header if header.count(name) > 1}
    if double:
        raise InputError(f"table {path} has the column {sorted(double)[0]} twice; remove one")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) > len(header):
            raise InputError(f"table {path} has {len(line)} cells in row {number} but {len(header)} columns; repair it")
        cells = {name: cell for name, cell in zip(header, line, strict=False) if cell.strip().lower() not in _MISSING}
        if cells:
            rows.append(cells)
    return rows


def table_text(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Text of a table; empty cells are ``n/a``, tabs and line breaks inside a cell are quoted."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name) or MISSING for name in columns] for row in rows)
    return out.getvalue()
