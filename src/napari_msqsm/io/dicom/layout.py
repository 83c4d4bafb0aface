"""Elements that follow each other as in the file before: most files of a series have the same ones.

To compare the head of an element (tag, type, length) with the one expected takes a third of the time that taking it
apart takes; a head of another length is taken over, and at the first other element the reader goes on as usual.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_SHORT_HEAD = 8
_SAME = 6
"""Bytes of tag and type."""
_UNDEFINED = b"\xff\xff\xff\xff"
_LONGEST_HEAD = 12


Head = tuple[bytes, int, int, bool]
"""Bytes of a head, the step to the next, the tag, and whether the value counts."""


@dataclass
class Layout:
    """Heads of the explicit elements at the top level, in order, by the tag of the open sequence before them (or 0)."""

    heads: dict[int, list[Head]] = field(default_factory=dict)

    @staticmethod
    def follow(heads: list[Head], data: bytes, where: int, values: dict[int, bytes]) -> tuple[int, int]:
        """Step over the elements that are as expected and keep the values that count; forget the heads after those.

        Parameters
        ----------
        heads
            What is expected, one of `heads`.
        data, where
            Bytes of a file, and where the first element begins in them.
        values
            Filled by tag.

        Returns
        -------
        tuple
            Where the first other element begins, and the tag before it (0 when there is none).
        """
        last, reach = 0, len(data) - _LONGEST_HEAD
        for n, (head, step, tag, counts) in enumerate(heads):
            value = where + len(head)
            if data[where:value] != head:
                length = data[value - (2 if len(head) == _SHORT_HEAD else 4) : value]
                if where > reach or data[where : where + _SAME] != head[:_SAME] or length == _UNDEFINED:
                    break
                step = len(head) + int.from_bytes(length, "little")
                heads[n] = (data[where:value], step, tag, counts)
            end = where + step
            if end > reach:
                break
            if counts:
                values[tag] = data[value:end]
            where, last = end, tag
        else:
            return where, last
        del heads[n:]
        return where, last
