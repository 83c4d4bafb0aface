"""Sorting things into groups; texts of headers in one line, and names that can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """Items by what ``key`` says of them, in order of first appearance."""
    out: dict[_Key, list[_Item]] = {}
    for item in items:
        out.setdefault(key(item), []).append(item)
    return out


def one_line(value: object) -> str:
    """Text of a header field without line breaks and double blanks; of several values, all."""
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    return " ".join(str("" if value is None else value).split())


def plain_name(text: str) -> str:
    """Name without case, order and marks, so that ``Doe, Jane`` is ``DOE^JANE``; numbers without leading zeros."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return " ".join(sorted(word.lstrip("0") or "0" for word in words))
