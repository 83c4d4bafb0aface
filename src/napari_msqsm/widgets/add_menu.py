"""*Add…*: what a laboratory has already, for the selected session or the open study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QMessageBox, QPushButton, QWidget

from napari_msqsm.errors import MsqsmError
from napari_msqsm.widgets.add_words import mask_words, table_words, transform_words
from napari_msqsm.widgets.flag_words import in_words_of_the_window
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap, adopt_file, adopt_susceptibility
from napari_msqsm.workflow.tasks import OnProgress, TaskState

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.widgets.mask_dialog import MaskChoice
    from napari_msqsm.widgets.transform_dialog import TransformChoice
    from napari_msqsm.workflow.bring_in.tables.changes import TablePlan
    from napari_msqsm.workflow.outcome import Outcome
    from napari_msqsm.workflow.tasks import Task


class AddMenu(QPushButton):
    """A button with a menu; every entry asks, then works beside the window and says what it found."""

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__("Add…")
        self.setToolTip("Take over what other programs made: maps, masks, transforms, tables")
        self._coordinator = coordinator
        self._words_of: dict[Task, Callable[[Any], str]] = {}
        menu = QMenu(self)
        self.entries = {
            title: self._entry(menu, title, action)
            for title, action in (
                ("Susceptibility map…", self.ask_map),
                ("Mask…", self.ask_mask),
                ("Transform…", self.ask_transform),
                ("Table of covariates and dates…", self.ask_table),
            )
        }
        menu.aboutToShow.connect(self.renew)
        self.setMenu(menu)
        coordinator.task_ended.connect(self._on_ended)

    def renew(self) -> None:
        """Offer what can be added now."""
        workspace = self._coordinator.workspace
        is_study = workspace.study is not None and workspace.files is None
        for title, entry in self.entries.items():
            needs_session = not title.startswith("Table")
            is_possible = is_study or title.startswith("Susceptibility")
            entry.setEnabled(is_possible and (workspace.selected is not None or not needs_session))

    def ask_map(self) -> None:
        """Ask for a susceptibility map of the selected session."""
        from napari_msqsm.widgets.map_dialog import MapDialog

        dialog = MapDialog(self)
        if dialog.exec():
            self.add_map(dialog.chosen(), overwrite=dialog.overwrite.isChecked())

    def ask_mask(self) -> None:
        """Ask for a mask of the selected session."""
        from napari_msqsm.widgets.mask_dialog import MaskDialog

        session = self._coordinator.workspace.selected
        if session is None:
            return
        dialog = MaskDialog(session.label, self)
        if dialog.exec():
            self.add_mask(session, dialog.chosen())

    def ask_transform(self) -> None:
        """Ask for a transform of an image of the selected session."""
        from napari_msqsm.widgets.transform_dialog import TransformDialog

        session = self._coordinator.workspace.selected
        if session is None:
            return
        images = (["MEGRE"] if session.gre else []) + [str(contrast) for contrast in session.contrasts]
        dialog = TransformDialog(session.label, images, self)
        if dialog.exec():
            self.add_transform(session, dialog.chosen())

    def ask_table(self) -> None:
        """Ask for a table of the study."""
        from napari_msqsm.widgets.table_dialog import TableDialog

        study = self._coordinator.workspace.study
        if study is None:
            return
        dialog = TableDialog(self._coordinator, study, self)
        if dialog.exec() and dialog.plan is not None:
            self.add_table(study, dialog.plan, overwrite=dialog.overwrite.isChecked())

    def add_map(self, existing: ExistingMap, *, overwrite: bool = False) -> None:
        """Take a map over as that of the selected session."""
        workspace = self._coordinator.workspace
        study, session, out_dir = workspace.study, workspace.selected, workspace.out_dir
        if study is None or session is None:
            return

        def work() -> Outcome:
            if out_dir is not None:
                return adopt_file(existing, out_dir)
            return adopt_susceptibility(study, session, existing, overwrite=overwrite)

        self._run(f"{session.label}, existing map", work)

    def add_mask(self, session: Session, choice: MaskChoice) -> None:
        """Take a mask over."""
        from napari_msqsm.workflow.bring_in.masks import adopt_mask

        study = self._coordinator.workspace.study
        if study is None:
            return
        options: dict[str, Any] = {
            "labels": choice.labels,
            "threshold": choice.threshold,
            "label_names": choice.label_names,
            "split": choice.split,
            "overwrite": choice.overwrite,
        }
        self._run(
            f"{session.label}, mask",
            lambda: adopt_mask(study, session, choice.path, choice.kind, **options),
            mask_words,
        )

    def add_transform(self, session: Session, choice: TransformChoice) -> None:
        """Take a transform over."""
        from napari_msqsm.workflow.bring_in.transform import adopt_transform

        study = self._coordinator.workspace.study
        if study is None:
            return
        options: dict[str, Any] = {
            "who": choice.who,
            "to": choice.to,
            "inverse": choice.inverse,
            "note": choice.note,
        }
        self._run(
            f"{session.label}, transform of {choice.image}",
            lambda: adopt_transform(study, session, choice.path, choice.image, **options),
            lambda state: transform_words(session.label, choice.image, state),
        )

    def add_table(self, study: Study, plan: TablePlan, *, overwrite: bool) -> None:
        """Write what a table says."""
        from napari_msqsm.workflow.bring_in.tables.plan import write_plan

        def words(written: tuple[Path, ...]) -> str:
            return table_words(plan, written, overwrite=overwrite)

        self._run(f"{study.root.name}, table", lambda: write_plan(study, plan, overwrite=overwrite), words)

    def _run(self, title: str, work: Callable[[], Any], words: Callable[[Any], str] | None = None) -> None:
        """Queue work; ``words`` says what it found, and the study is read again."""

        def task(on_progress: OnProgress, _: object) -> Any:
            on_progress("Taking it over", 0.0)
            try:
                return work()
            except MsqsmError as error:
                raise type(error)(in_words_of_the_window(str(error))) from error

        queued = self._coordinator.run(title, task)
        if words is not None:
            self._words_of[queued] = words

    def _on_ended(self, task: Task) -> None:
        words = self._words_of.pop(task, None)
        if words is not None and task.state is TaskState.DONE:
            self._coordinator.refresh()
            say(self.window(), words(task.result))

    @staticmethod
    def _entry(menu: QMenu, title: str, action: Callable[[], None]) -> QAction:
        entry = QAction(title, menu)
        entry.triggered.connect(lambda *_: action())
        menu.addAction(entry)
        return entry


def say(window: QWidget | None, html: str) -> None:
    """Tell something; nothing waits until it was read."""
    box = QMessageBox(QMessageBox.Icon.Information, "Added", html, parent=window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
