"""Initials of whoever looks at images; asked once, remembered on this computer."""

from __future__ import annotations

from qtpy.QtCore import QSettings

_INITIALS = "initials"


def initials() -> str:
    """Return the initials that were given before; empty when nobody was asked yet."""
    return str(_memory().value(_INITIALS, "") or "")


def remember_initials(who: str) -> None:
    """Keep the initials for the next time."""
    _memory().setValue(_INITIALS, who)


def _memory() -> QSettings:
    return QSettings("napari-msqsm", "napari-msqsm")
