"""Tables as people keep them: CSV with commas or semicolons, TSV, and Excel workbooks."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError, ParameterError

if TYPE_CHECKING:
    from pathlib import Path

Cell = str | float | datetime | None
"""Text as written; numbers and dates only where a workbook holds such."""
Lines = list[tuple[int, list[Cell]]]

_EXCEL = (".xlsx", ".xlsm")
_OLD_EXCEL = (".xls", ".ods")
_SEPARATORS = ("\t", ";", ",")
_MISSING = ("", "n/a", "na", "nan", "null", "-", "–", ".", "k.a.", "#n/a", "#nv", "unknown", "unbekannt")


@dataclass(frozen=True)
class Sheet:
    """One table.

    Parameters
    ----------
    name
        Of the file, and of the sheet in a workbook.
    columns
        Headers, none of them twice.
    rows
        Header → cell; missing cells are None.
    lines
        Line of the file that each row came from, 1 for the first.
    notes
        What was assumed about the file.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, Cell], ...]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()


def read_sheet(path: Path, *, sheet: str | None = None) -> Sheet:
    """Read a table; the first line with two cells or more holds the headers.

    Parameters
    ----------
    path
        CSV, TSV or XLSX.
    sheet
        Sheet of a workbook; its only one when not given.

    Raises
    ------
    InputError
        When it cannot be read, has no rows, or a header twice.
    ParameterError
        When the sheet does not exist, or must be chosen.
    """
    if not path.is_file():
        raise InputError(f"table {path} does not exist; check the path")
    ending = path.suffix.casefold()
    if ending in _OLD_EXCEL:
        raise InputError(f"table {path} is of an older or another office program; save it as .xlsx or .csv")
    if ending in _EXCEL:
        name, lines = _excel_lines(path, sheet)
        notes: tuple[str, ...] = ()
    else:
        if sheet is not None:
            raise ParameterError(f"--sheet was given, but {path.name} is no workbook")
        name = path.name
        lines, notes = _text_lines(path)
    return _table(path, name, lines, notes)


def _table(path: Path, name: str, lines: Lines, notes: tuple[str, ...]) -> Sheet:
    header: list[tuple[int, str]] = []
    rows: list[dict[str, Cell]] = []
    numbers: list[int] = []
    for number, cells in lines:
        present = [(index, cell) for index, cell in enumerate(cells) if cell is not None]
        if not header:
            if len(present) > 1:
                header = [(index, " ".join(str(cell).split())) for index, cell in present]
                words = [text for _, text in header]
                twice = next((text for text in words if words.count(text) > 1), None)
                if twice is not None:
                    raise InputError(f"table {path} has two columns {twice!r}; rename one of them")
            continue
        known = {index for index, _ in header}
        beyond = [cell for index, cell in present if index not in known]
        if beyond:
            raise InputError(f"table {path}, line {number}: {beyond[0]!r} stands below no header; name its column")
        if present:
            rows.append({text: cells[index] if index < len(cells) else None for index, text in header})
            numbers.append(number)
    if not rows:
        raise InputError(f"table {path} has no row of values below a header; is it the right file or sheet?")
    return Sheet(name, tuple(text for _, text in header), tuple(rows), tuple(numbers), notes)


def _text_lines(path: Path) -> tuple[Lines, tuple[str, ...]]:
    data = path.read_bytes()
    notes: tuple[str, ...] = ()
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        notes = (f"{path.name} is not in UTF-8; its letters were read as Western European (cp1252)",)
    if "\0" in text:
        raise InputError(f"table {path} is not a text file; save it as .csv or .xlsx")
    first = next((line for line in text.splitlines() if sum(line.count(mark) for mark in _SEPARATORS)), "")
    separator = max(_SEPARATORS, key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines: Lines = [(reader.line_num, [_text(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InputError(f"table {path} cannot be read ({error}); save it again") from None
    return lines, notes


def _excel_lines(path: Path, sheet: str | None) -> tuple[str, Lines]:
    try:
        import openpyxl
    except ImportError:
        raise InputError(
            f"table {path} is a workbook and openpyxl is not installed; pip install 'napari-msqsm[tables]', or save it "
            "as .csv"
        ) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        names = list(book.sheetnames)
        sheets = {name: book[name] for name in ([sheet] if sheet in names else names[:1])}
        lines: Lines = [
            (number, [_cell(value) for value in cells])
            for one in sheets.values()
            for number, cells in enumerate(one.iter_rows(values_only=True), start=1)
        ]
        book.close()
    except Exception as error:  # noqa: BLE001  openpyxl trips over damaged workbooks in many ways
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"table {path} cannot be read as a workbook ({line}); save it again") from None
    if sheet is not None and sheet not in names:
        raise ParameterError(f"there is no sheet {sheet!r} in {path.name}; it has {', '.join(names)}")
    if sheet is None and len(names) != 1:
        raise ParameterError(f"{path.name} has several sheets ({', '.join(names)}); choose one with --sheet")
    return f"{path.name}, sheet {names[0] if sheet is None else sheet}", lines


def _text(value: str) -> Cell:
    text = value.strip()
    return None if text.casefold() in _MISSING else text


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, time):
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  a day has no zone
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    return _text(str(value))
