"""Keys of the comparison of two images: one table, from which they are bound and told."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal, get_args

Axis = Literal["across", "down", "through"]
"""Of the screen: to the right, downwards, along the slices."""


@dataclass(frozen=True)
class Step:
    """One step by hand: along or about an axis of the screen, forwards (1) or backwards (−1)."""

    kind: Literal["move", "turn"]
    axis: Axis
    sign: int


NUDGE_STEPS: dict[str, Step] = {
    "Left": Step("move", "across", -1),
    "Right": Step("move", "across", 1),
    "Up": Step("move", "down", -1),
    "Down": Step("move", "down", 1),
    "PageUp": Step("move", "through", 1),
    "PageDown": Step("move", "through", -1),
    ",": Step("turn", "through", -1),
    ".": Step("turn", "through", 1),
    "Shift-Left": Step("turn", "down", -1),
    "Shift-Right": Step("turn", "down", 1),
    "Shift-Up": Step("turn", "across", -1),
    "Shift-Down": Step("turn", "across", 1),
}
FAR = 10
"""A step with Alt goes this many times as far."""
UNDO_KEY = "Backspace"

Mode = Literal["flicker", "checkerboard", "blend", "edges", "difference"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""Ways to compare two images."""
MODE_KEYS: dict[str, Mode] = {"F": "flicker", "K": "checkerboard", "B": "blend", "E": "edges", "D": "difference"}
SWAP_KEY = "T"

_WORDS = (
    ("← → ↑ ↓", "move the picture"),
    ("Page Up / Down", "move it through the slices"),
    (", and .", "turn it in the plane"),
    ("Shift + ← →", "turn it about the vertical of the screen"),
    ("Shift + ↑ ↓", "turn it about the horizontal of the screen"),
    ("Alt + any of these", f"{FAR} times as far"),
    ("Backspace", "take the last step back"),
    ("drag", "move it with the mouse"),
    ("Shift + drag", "turn it in the plane about the centre of the view"),
)
_VIEW_WORDS = (
    ("F  K  B  E  D", "flicker, checkerboard, blend, edges, difference"),
    ("T", "flicker by hand: the other image"),
)


def keys_html(*, nudging: bool) -> str:
    """Tell the keys that work now, as an HTML table."""
    rows = [*_VIEW_WORDS, *(_WORDS if nudging else ())]
    return (
        "<table>"
        + "".join(f"<tr><td><b>{escape(a)}</b>&nbsp;&nbsp;</td><td>{b}</td></tr>" for a, b in rows)
        + "</table>"
    )
