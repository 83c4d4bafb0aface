"""Whether a transform may be used: one word and the reasons, from numbers that do not come from one source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What becomes of a transform.

    ``ok`` is used; ``look`` is used, and a person should look at it; ``failed`` is not used unless a person accepts it.
    """

    OK = "ok"
    LOOK = "look"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """A level and one sentence for everything that speaks for it.

    Parameters
    ----------
    level
        `Level`.
    reasons
        Sentences; the first is the weightiest. Never empty.
    """

    level: Level
    reasons: tuple[str, ...]
