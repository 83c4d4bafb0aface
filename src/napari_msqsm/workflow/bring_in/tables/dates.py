"""Dates as people write them; what can be read in two ways is refused."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from napari_msqsm.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.io.spreadsheet import Cell

DateOrder = Literal["dmy", "mdy", "ymd"]

_THREE = re.compile(r"(\d{1,4})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{1,4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?.*)?")
_COMPACT = re.compile(r"(?:19|20)\d{6}")
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan januar january",
            "feb februar february",
            "mar mär mrz märz march",
            "apr april",
            "may mai",
            "jun juni june",
            "jul juli july",
            "aug august",
            "sep sept september",
            "oct okt oktober october",
            "nov november",
            "dec dez dezember december",
        ),
        start=1,
    )
    for word in words.split()
}
_NAMED = re.compile(r"(\d{1,2})[.\s-]+([A-Za-zä]+)\.?[\s-]+(\d{4})")
_MIDDLE_OF_DAY = 12


def parsed_dates(cells: Sequence[Cell], *, order: DateOrder | None, column: str) -> list[datetime | None]:
    """Read a column of dates, all of them in one order.

    Parameters
    ----------
    cells
        As they stand in the table.
    order
        Day–month–year, month–day–year or year–month–day; told from the column when None.
    column
        Its header, for messages.

    Returns
    -------
    list
        One per cell; at noon where no time of day is given, None where missing.

    Raises
    ------
    InputError
        When a cell is no date, or its year has two digits.
    ParameterError
        When the order cannot be told.
    """
    fields = [_fields(cell, column) for cell in cells]
    triples = [field for field in fields if isinstance(field, tuple)]
    chosen = order or _order(triples, column)
    return [_date(field, chosen, column) if isinstance(field, tuple) else field for field in fields]


def _fields(cell: Cell, column: str) -> datetime | tuple[int, ...] | None:
    """Return a date, or the three numbers of one with the time of day behind them."""
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell if cell.hour or cell.minute or cell.second else cell.replace(hour=_MIDDLE_OF_DAY)
    text = f"{cell:.0f}" if isinstance(cell, float) else cell
    if _COMPACT.fullmatch(text):
        return (int(text[:4]), int(text[4:6]), int(text[6:]))
    named = _NAMED.fullmatch(text)
    if named is not None and named[2].casefold() in _MONTHS:
        return _made(int(named[3]), _MONTHS[named[2].casefold()], int(named[1]), (), text, column)
    match = _THREE.fullmatch(text)
    if match is None:
        raise InputError(f"column {column!r}: {text!r} is no date; write YYYY-MM-DD")
    first, _, second, third, *clock = match.groups()
    if len(first) < 4 and len(third) < 4:
        raise InputError(f"column {column!r}: the year of {text!r} has two digits; write all four")
    times = tuple(int(part or 0) for part in clock) if clock[0] is not None else ()
    if len(first) == 4 or match[2] == ".":
        year_first = len(first) == 4
        year, month, day = (first, second, third) if year_first else (third, second, first)
        return _made(int(year), int(month), int(day), times, text, column)
    return (int(first), int(second), int(third), *times)


def _order(triples: Sequence[tuple[int, ...]], column: str) -> DateOrder:
    """Tell day and month apart by what is larger than twelve."""
    open_ones = [triple for triple in triples if triple[0] < 1000]
    if not open_ones:
        return "ymd"
    day_first = [triple for triple in open_ones if triple[0] > 12]
    month_first = [triple for triple in open_ones if triple[1] > 12]
    sample = "/".join(str(number) for number in open_ones[0][:3])
    if day_first and month_first:
        one, two = ("/".join(map(str, triple[:3])) for triple in (day_first[0], month_first[0]))
        raise InputError(f"column {column!r} holds days before months ({one}) and after ({two}); write YYYY-MM-DD")
    if day_first:
        return "dmy"
    if month_first:
        return "mdy"
    if all(triple[0] == triple[1] for triple in open_ones):
        return "dmy"
    raise ParameterError(
        f"column {column!r}: {sample} may mean two days; say which number is the day with --date-order dmy or mdy"
    )


def _date(triple: tuple[int, ...], order: DateOrder, column: str) -> datetime:
    first, second, third, *clock = triple
    text = "/".join(str(number) for number in triple[:3])
    if first >= 1000:
        return _made(first, second, third, tuple(clock), text, column)
    day, month = (second, first) if order == "mdy" else (first, second)
    return _made(third, month, day, tuple(clock), text, column)


def _made(year: int, month: int, day: int, clock: tuple[int, ...], text: str, column: str) -> datetime:
    try:
        hour, minute, second = clock or (_MIDDLE_OF_DAY, 0, 0)
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  scanners keep no zone
    except ValueError:
        raise InputError(f"column {column!r}: {text!r} is no day of the calendar; write YYYY-MM-DD") from None
