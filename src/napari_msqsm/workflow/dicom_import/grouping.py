"""Sorting things into groups, and texts of headers into one line."""

from __future__ import annotations

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
