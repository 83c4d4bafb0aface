"""Ways to compare two images: what to look for, and the one number that each has; without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.widgets.nudge_keys import Mode

HINTS: dict[Mode, str] = {
    "flicker": "What jumps is not aligned.",
    "checkerboard": "Outlines should go on from square to square.",
    "blend": "Outlines should not be seen twice.",
    "edges": "The red outlines are those of {fixed}; they should lie on those of {moving}.",
    "difference": "{moving}, in the grey levels of {fixed}, was taken off. A bright rim on one side with a dark one "
    "on the other is a shift; whole regions may differ between contrasts.",
}


@dataclass(frozen=True)
class ModeNumber:
    """The one number of a way to compare: a whole number × ``factor`` is its value."""

    words: str
    low: int
    high: int
    start: int
    factor: float
    unit: str


NUMBERS: dict[Mode, ModeNumber] = {
    "flicker": ModeNumber("Each for", 2, 20, 6, 0.1, "s"),
    "checkerboard": ModeNumber("Squares of", 5, 60, 20, 1.0, "mm"),
    "blend": ModeNumber("Moving image", 0, 100, 50, 1.0, "%"),
    "edges": ModeNumber("Faintest outline", 1, 40, 6, 0.5, "%/mm"),
    "difference": ModeNumber("Brightest at", 5, 100, 40, 1.0, "%"),
}
