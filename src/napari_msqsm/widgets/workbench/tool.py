"""What every drawing tool can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.widgets.workbench.easel import Easel, Spot


class Tool:
    """One tool; it keeps what it needs from press to release.

    Attributes
    ----------
    title
        Of the steps that it makes, in the user's words.
    """

    title = ""

    def press(self, easel: Easel, spot: Spot) -> None:
        """Answer the left button."""

    def drag(self, easel: Easel, spot: Spot) -> None:
        """Answer a move with the button held."""

    def release(self, easel: Easel) -> None:
        """Answer the button that is let go."""

    def double_click(self, easel: Easel, spot: Spot) -> None:
        """Answer a double click."""

    def hover(self, easel: Easel, spot: Spot) -> None:
        """Answer a move without a button."""

    def accept(self, easel: Easel) -> bool:  # noqa: ARG002
        """Carry out what is proposed; returns whether there was anything."""
        return False

    def drop(self, easel: Easel) -> bool:  # noqa: ARG002
        """Forget what is proposed or begun; returns whether there was anything."""
        return False
