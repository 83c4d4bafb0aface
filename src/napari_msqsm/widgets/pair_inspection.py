"""Inspecting one pair of images: reading it, comparing, refining, accepting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QInputDialog, QMessageBox

from napari_msqsm.model.grid import reoriented
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.coregister_words import fixed_words, pair_words
from napari_msqsm.widgets.display import SCREEN_CODES
from napari_msqsm.widgets.initials import initials, remember_initials
from napari_msqsm.widgets.inspect_box import InspectBox
from napari_msqsm.widgets.inspect_view import InspectView
from napari_msqsm.workflow.coregistration.patient import (
    CoregistrationOutcome,
    PairState,
    accept,
    coregister_pair,
    load_pair,
    state_of,
)
from napari_msqsm.workflow.inspect_pair.pictures import PairPictures
from napari_msqsm.workflow.tasks import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer

    from napari_msqsm.model.study import Study
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.coregistration.patient import CoregistrationSettings, Pair
    from napari_msqsm.workflow.tasks import Task


class PairInspection(QObject):
    """Owns the comparison in the viewer and the controls below the table.

    Parameters
    ----------
    viewer, coordinator
        Of the window.
    settings
        Returns the settings that a transform is made with.

    Attributes
    ----------
    box
        The controls; shown while a pair is inspected.
    view
        The comparison; None without one.
    pair
        What is inspected; None when nothing is.

    Signals
    -------
    changed
        Another pair is inspected or none, work with it began, or other initials were given.
    """

    changed = Signal()

    def __init__(
        self, viewer: Viewer, coordinator: Coordinator, settings: Callable[[], CoregistrationSettings]
    ) -> None:
        super().__init__()
        self._viewer, self._coordinator, self._settings = viewer, coordinator, settings
        self._state = PairState("missing")
        self._work: dict[Task, Pair] = {}
        self._turn = 0
        self.view: InspectView | None = None
        self.pair: Pair | None = None
        self.box = InspectBox()
        self.box.hide()
        self.box.refine_requested.connect(self.refine)
        self.box.accept_requested.connect(self.accept)
        self.box.close_requested.connect(self.close)
        coordinator.task_ended.connect(self._on_ended)

    def inspect(self, pair: Pair) -> None:
        """Read the images of a pair beside the window, then compare them; of several, the last one asked for."""
        study, settings = self._coordinator.workspace.study, self._settings()
        if study is None:
            return
        self._turn += 1
        turn = self._turn

        def read() -> tuple[PairPictures, PairState]:
            state = state_of(study, pair, settings)
            return pictures_of(study, pair, state.transform or AffineTransform.identity()), state

        def done(found: tuple[PairPictures, PairState]) -> None:
            if turn == self._turn:
                self._open(pair, *found)

        self._coordinator.read_beside(read, done)

    def refine(self) -> None:
        """Register the pair again, beginning where its picture lies now."""
        study, pair, settings, view = self._coordinator.workspace.study, self.pair, self._settings(), self.view
        if study is None or pair is None or view is None or not self._may_replace(pair):
            return
        initial = view.transform

        def work(on_progress: Any, cancel: Any) -> PairState:
            return coregister_pair(
                study, pair, settings, initial=initial, replace_accepted=True, on_progress=on_progress, cancel=cancel
            )

        self._run(pair, f"{pair_words(pair)}, refining", work)

    def accept(self) -> None:
        """Keep the transform as it is seen now, and who accepted it."""
        study, pair, settings, view = self._coordinator.workspace.study, self.pair, self._settings(), self.view
        if study is None or pair is None or view is None:
            return
        who = initials() or self.ask_initials()
        if not who:
            return
        transform, note = view.transform, self.box.note.text()

        def work(on_progress: Any, _: Any) -> PairState:
            on_progress("Checking and writing", 0.0)
            return accept(study, pair, transform, who=who, note=note, settings=settings)

        self._run(pair, f"{pair_words(pair)}, accepted by {who}", work)

    def ask_initials(self) -> str:
        """Ask who is looking, and remember it; empty when the user would not say."""
        question = "Your initials, kept with what you accept:"
        text, ok = QInputDialog.getText(self.box, "Who is looking?", question, text=initials())
        if not (ok and text.strip()):
            return ""
        remember_initials(text.strip())
        self.changed.emit()
        return str(text.strip())

    def close(self) -> None:
        """Take the comparison off."""
        self._turn += 1
        self.pair = None
        self.box.set_view(None)
        self.box.hide()
        if self.view is not None:
            self.view.close()
            self.view.deleteLater()
            self.view = None
        self.changed.emit()

    def _open(self, pair: Pair, pictures: PairPictures, state: PairState) -> None:
        look = None if self.view is None or self.pair is None or self.pair.fixed != pair.fixed else self.view.look
        self.close()
        self.pair, self._state = pair, state
        self.view = InspectView(self._viewer, pictures, fixed_words(pair), pair_words(pair))
        if look is not None:
            self.view.look_as(look)
        self.view.setParent(self)
        # later, since napari is still busy with the layer
        self.view.layer_removed.connect(self.close, Qt.ConnectionType.QueuedConnection)
        self.box.set_view(self.view, note=state.note)
        self.box.show()
        self._renew_busy()
        self.changed.emit()

    def _may_replace(self, pair: Pair) -> bool:
        """Ask before a transform that a person accepted is replaced."""
        if not self._state.by_hand:
            return True
        by = f"{self._state.checked_by} on {self._state.checked_at[:10]}"
        question = f"{pair_words(pair)} was accepted by {by}. Replace it?"
        return bool(QMessageBox.question(self.box, "Refine", question) == QMessageBox.StandardButton.Yes)

    def _run(self, pair: Pair, title: str, work: Any) -> None:
        self._work[self._coordinator.run(title, work)] = pair
        self._renew_busy()
        self.changed.emit()

    def _on_ended(self, task: Task) -> None:
        pair = self._work.pop(task, None)
        if pair is not None and pair == self.pair and task.state is TaskState.DONE:
            self._take(task.result)
        elif isinstance(task.result, CoregistrationOutcome) and self.view is not None and not self.view.was_moved:
            for result in task.result.results:
                if result.pair == self.pair:
                    self._take(result.state)
        self._renew_busy()

    def _take(self, state: PairState) -> None:
        """Show the transform that a run found or that was accepted; *Reset* comes back to it from now on."""
        self._state = state
        if self.view is not None and state.transform is not None:
            self.view.begin_at(state.transform)

    def _renew_busy(self) -> None:
        busy = any(pair == self.pair for pair in self._work.values())
        self.box.set_busy("Working…" if busy else "")


def pictures_of(study: Study, pair: Pair, transform: AffineTransform) -> PairPictures:
    """Read the images of a pair, in screen order; for a thread beside the window.

    Raises
    ------
    InputError
        When one of them cannot be read.
    """
    fixed, grid, moving, moving_grid = load_pair(study, pair)
    ordered, on_screen = reoriented(fixed, grid, SCREEN_CODES)
    return PairPictures(ordered, on_screen, moving, moving_grid, transform)
