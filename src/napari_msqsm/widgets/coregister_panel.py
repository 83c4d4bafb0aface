"""The Coregister panel: all image pairs of a patient, running, inspecting, correcting and accepting them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QSignalBlocker, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QToolButton, QVBoxLayout

from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.widgets.coregister_table import CoregisterTable
from napari_msqsm.widgets.coregister_words import (
    fixed_words,
    nothing_to_align,
    pair_details,
    summary_words,
)
from napari_msqsm.widgets.initials import initials
from napari_msqsm.widgets.pair_inspection import PairInspection
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.settings_form import Choice
from napari_msqsm.widgets.task_view import TaskView
from napari_msqsm.workflow.coregistration.patient import (
    CoregistrationOutcome,
    CoregistrationSettings,
    PairState,
    coregister_patient,
    pairs_of,
    state_of,
)

if TYPE_CHECKING:
    import napari

    from napari_msqsm.workflow.tasks import Task

_PROBLEM_HEIGHT = 110
_MODELS = {
    "rigid": ("Rigid (6)", "Position and orientation"),
    "scale9": ("Rigid and scales (9)", "Also one stretch per axis: another scanner's gradients"),
    "affine": ("Affine (12)", "Also shear"),
}
_FRAMES = {
    "baseline": ("To the baseline", "Each time point to the first one, as in the paper"),
    "mid-space": ("Through the middle", "All time points to their common middle, which favours none; rigid only"),
}


class CoregisterPanel(Panel):
    """Align everything of the selected patient to the magnitude of its first gradient echo."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self._running = ""
        self._runs: dict[str, Task] = {}
        self.inspection = PairInspection(napari_viewer, self.coordinator, self.settings)
        self.inspection.setParent(self)
        column = QVBoxLayout(self)
        self.target = _label(column)
        column.addLayout(self._run_lines())
        self.table = CoregisterTable()
        self.table.inspect_requested.connect(self.inspection.inspect)
        self.table.currentCellChanged.connect(lambda *_: self._renew_details())
        column.addWidget(self.table, 1)
        self.summary = _label(column)
        self.details = _label(column)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.inspection.box)
        self.inspection.changed.connect(self._renew_buttons)
        self.tasks = TaskView(self.coordinator)
        column.addWidget(self.tasks)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem_area = QScrollArea()
        self.problem_area.setWidgetResizable(True)
        self.problem_area.setFrameShape(QFrame.Shape.NoFrame)
        self.problem_area.setMaximumHeight(_PROBLEM_HEIGHT)
        self.problem_area.setWidget(self.problem)
        column.addWidget(self.problem_area)
        self.coordinator.study_changed.connect(self.renew)
        self.coordinator.selection_changed.connect(self.renew)
        self.coordinator.tasks_changed.connect(self._follow_tasks)
        self.coordinator.task_ended.connect(self._on_ended)
        self.coordinator.failed.connect(lambda sentence, _: self._say(sentence))
        self._say("")
        self.renew()

    @property
    def patient_id(self) -> str:
        """Patient of the selected session; empty without one."""
        session = self.coordinator.workspace.selected
        return "" if session is None else session.patient_id

    def settings(self) -> CoregistrationSettings:
        """Return what was chosen."""
        model, frame = self.model.currentData(), self.frame.currentData()
        return CoregistrationSettings(registration=RegistrationSettings(model=model), frame=frame)

    def run_all(self) -> None:
        """Align what is not aligned yet, or not any more; accepted transforms stay."""
        study, patient_id, settings = self.coordinator.workspace.study, self.patient_id, self.settings()
        if study is None or not patient_id:
            return

        def work(on_progress: Any, cancel: Any) -> CoregistrationOutcome:
            return coregister_patient(study, patient_id, settings, on_progress=on_progress, cancel=cancel)

        self._say("")
        self._runs[patient_id] = self.coordinator.run(f"sub-{patient_id}, coregistration", work)
        self._renew_buttons()

    def inspect_selected(self) -> None:
        """Inspect the pair of the selected row."""
        if self.table.selected is not None:
            self.inspection.inspect(self.table.selected[0])

    def changeEvent(self, event: QEvent | None) -> None:
        """Give keys and layers back when the panel is closed."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.inspection.close()

    def renew(self) -> None:
        """Read the states of all pairs beside the window, and show them."""
        workspace, patient_id, settings = self.coordinator.workspace, self.patient_id, self.settings()
        study, is_files = workspace.study, workspace.files is not None
        pairs = () if study is None or is_files or not patient_id else pairs_of(study, patient_id)
        if self.inspection.pair is not None and self.inspection.pair not in pairs:
            self.inspection.close()
        if study is None or not pairs:
            self.table.set_rows([])
            self.target.setText(nothing_to_align(study, patient_id, is_files=is_files))
            self._renew_rest()
            return
        self.target.setText(
            f"<b>sub-{escape(patient_id)}</b>: everything is aligned to {escape(fixed_words(pairs[0]))}"
        )
        if [pair for pair, _ in self.table.rows] != list(pairs):
            self.table.set_rows([(pair, PairState("missing")) for pair in pairs])

        def done(states: list[PairState]) -> None:
            if patient_id == self.patient_id and study is self.coordinator.workspace.study:
                self.table.set_rows(list(zip(pairs, states, strict=True)), running=self._running)
                self._renew_rest()

        self.coordinator.read_beside(lambda: [state_of(study, pair, settings) for pair in pairs], done)
        self._renew_rest()

    def _run_lines(self) -> QVBoxLayout:
        self.run_button = QPushButton("Run all")
        self.run_button.setToolTip("Align what is not aligned yet; what you accepted stays")
        self.run_button.clicked.connect(self.run_all)
        self.inspect_button = QPushButton("Inspect")
        self.inspect_button.setToolTip("Compare the images of the selected row (double click)")
        self.inspect_button.clicked.connect(self.inspect_selected)
        self.model = Choice()
        for name, (words, tip) in _MODELS.items():
            self.model.add(words, name, tip)
        self.model.setToolTip("What may differ between two images besides their contrast")
        self.frame = Choice()
        for name, (words, tip) in _FRAMES.items():
            self.frame.add(words, name, tip)
        self.frame.setToolTip("Where the time points are aligned to")
        self.model.currentIndexChanged.connect(lambda _: self._on_model())
        self.frame.currentIndexChanged.connect(lambda _: self.renew())
        self.who = QToolButton()
        self.who.setToolTip("Initials kept with what you accept")
        self.who.clicked.connect(self.inspection.ask_initials)
        lines = QVBoxLayout()
        for widgets in ((self.run_button, self.inspect_button, self.who), (self.model, self.frame)):
            line = QHBoxLayout()
            for widget in widgets:
                line.addWidget(widget)
            lines.addLayout(line)
        return lines

    def _on_model(self) -> None:
        """Offer the middle for the rigid model only."""
        is_rigid = self.model.currentData() == "rigid"
        if not is_rigid:
            with QSignalBlocker(self.frame):
                self.frame.choose("baseline")
        self.frame.setEnabled(is_rigid)
        self.renew()

    def _follow_tasks(self) -> None:
        """Mark the pair at work, and read the states again whenever the next one begins."""
        task = self.coordinator.tasks.running
        message = "" if task is None else task.message
        names = (pair.name for pair, _ in self.table.rows)
        running = next((name for name in names if f"{message}: ".startswith(f"{name}: ")), "")
        if running != self._running:
            self._running = running
            self.renew()

    def _on_ended(self, task: Task) -> None:
        if isinstance(task.result, CoregistrationOutcome) and task.result.warnings:
            self._say("\n".join(task.result.warnings))
        self.renew()

    def _renew_rest(self) -> None:
        self.summary.setText(summary_words([state for _, state in self.table.rows]))
        self._renew_details()
        self._renew_buttons()

    def _renew_details(self) -> None:
        selected = self.table.selected
        hint = "Double click a row to compare its images." if self.table.rows else ""
        self.details.setText(hint if selected is None else pair_details(*selected))
        self.inspect_button.setEnabled(selected is not None)

    def _renew_buttons(self) -> None:
        run = self._runs.get(self.patient_id)
        self.run_button.setEnabled(bool(self.table.rows) and (run is None or run.is_over))
        self.who.setText(initials() or "Initials…")

    def _say(self, sentence: str) -> None:
        self.problem.setText("\n".join(f"⚠ {line}" for line in sentence.splitlines()))
        self.problem_area.setVisible(bool(sentence))


def _label(column: QVBoxLayout) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    column.addWidget(label)
    return label
