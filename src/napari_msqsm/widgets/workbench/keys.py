"""Keys of the workbench: one table, from which they are bound, and told in the panel and in the docs.

The left hand chooses tools, lesions and sessions, the right hand has the mouse. None is a key that napari itself uses
for the viewer, for images or for labels, except those that do there what napari has them for: see `REPLACED`.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

REPLACED = ("Enter", "Escape", "Control-Z", "Control-Shift-Z")
"""Complete, abort, undo and redo: napari's own words for them, for what is drawn here."""


class Key(NamedTuple):
    """One shortcut.

    Parameters
    ----------
    key
        As napari writes it, such as ``Shift-W``.
    words
        What it does.
    action
        Name of it, see `napari_msqsm.widgets.workbench.canvas.DrawingCanvas.act`.
    """

    key: str
    words: str
    action: str


KEYS: dict[str, tuple[Key, ...]] = {
    "Where": (
        Key("Q", "FLAIR ↔ QSM, at the same place", "switch stage"),
        Key("Shift-E", "χ, FLAIR or magnitude of the session, on the grid of QSM", "switch image"),
        Key("W", "next session", "next session"),
        Key("Shift-W", "previous session", "previous session"),
        Key("T", "next lesion", "next lesion"),
        Key("Shift-T", "previous lesion", "previous lesion"),
    ),
    "Tools": (
        Key("D", "brush (draw)", "tool brush"),
        Key("R", "eraser (rub out)", "tool eraser"),
        Key("A", "adaptive brush", "tool adaptive"),
        Key("S", "contour (surround)", "tool contour"),
        Key("G", "one-click proposal on FLAIR (grow)", "tool propose"),
        Key("Shift-S", "polygon", "tool polygon"),
        Key("Shift-G", "fill an enclosed area", "tool fill"),
        Key("Shift-D", "vein brush", "tool vein"),
        Key("Shift-A", "white matter brush", "tool nawm"),
        Key("Shift-F", "look: move the view, click to select", "tool look"),
        Key("Shift-X", "larger brush, larger proposal", "larger brush"),
        Key("Shift-Z", "smaller brush, smaller proposal", "smaller brush"),
        Key("Shift-B", "brush in space, or in the slice", "switch in_space"),
    ),
    "Lesion": (
        Key("Enter", "accept what is proposed; close a polygon", "accept"),
        Key("Escape", "drop what is proposed or begun", "drop"),
        Key("I", "interpolate between drawn slices", "interpolate"),
        Key("N", "copy to the next slice", "copy next"),
        Key("Shift-N", "copy to the previous slice", "copy previous"),
        Key("Shift-Q", "reviewed", "reviewed"),
        Key("Control-Z", "undo", "undo"),
        Key("Control-Shift-Z", "redo", "redo"),
    ),
    "View": (
        Key("H", "only the current lesion, or all", "switch only"),
        Key("J", "outlines, or areas", "switch outlines"),
        Key("Shift-H", "hide what is drawn, or show it", "switch hidden"),
    ),
}
"""By group, in the order in which they are told."""


def all_keys() -> tuple[Key, ...]:
    """Keys of all groups."""
    return tuple(key for group in KEYS.values() for key in group)


def keys_html() -> str:
    """All keys as an HTML table."""
    rows = []
    for group, keys in KEYS.items():
        rows.append(f'<tr><td colspan="2"><i>{escape(group)}</i></td></tr>')
        rows += [
            f"<tr><td><b>{escape(_told(each))}</b>&nbsp;&nbsp;</td><td>{escape(each.words)}</td></tr>" for each in keys
        ]
    return "<table>" + "".join(rows) + "</table>"


def keys_markdown() -> str:
    """All keys as a Markdown table, as it stands in the docs."""
    rows = ["| Key | What it does |", "|---|---|"]
    for group, keys in KEYS.items():
        rows.append(f"| **{group}** | |")
        rows += [f"| `{_told(each)}` | {each.words} |" for each in keys]
    return "\n".join(rows) + "\n"


def _told(key: Key) -> str:
    return key.key.replace("Control", "Ctrl").replace("-", " + ")
