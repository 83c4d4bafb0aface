"""The Reconstruct panel: preset, settings, run, progress, and what was assumed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
)

from napari_msqsm._backend import gpu_status
from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.settings_form import SettingsForm
from napari_msqsm.widgets.task_view import TaskView
from napari_msqsm.workflow.inputs import FilesRequest
from napari_msqsm.workflow.outcome import Outcome
from napari_msqsm.workflow.reconstruct import reconstruct_files, reconstruct_session
from napari_msqsm.workflow.tasks import TaskState

if TYPE_CHECKING:
    import napari

    from napari_msqsm.model.study import Session
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.workflow.tasks import Task

_PRESET_WORDS = {
    "published": "MEDI+0, as published",
    "recommended": "MEDI+0, recommended (whole brain kept)",
    "fast": "Fast preview (TKD)",
}
_SIGN_WORDS: dict[str, Literal[1, -1] | None] = {
    "by vendor, checked on the data": None,
    "+ grows in a stronger field": 1,
    "− falls in a stronger field": -1,
}
_DEVICES = {"automatic": "auto", "CPU": "cpu", "GPU (CUDA)": "cuda"}


class ReconstructPanel(Panel):
    """Reconstruct the selected session, or all."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        column = QVBoxLayout(self)
        self.target = QLabel()
        self.target.setWordWrap(True)
        column.addWidget(self.target)
        column.addLayout(self._choices())
        self.form = SettingsForm(PRESETS["published"])
        self.form.changed.connect(self._check)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.form)
        column.addWidget(scroll, 1)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.problem)
        column.addLayout(self._buttons())
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.tasks = TaskView(self.coordinator)
        column.addWidget(self.tasks)
        column.addWidget(self.notes)
        self.coordinator.study_changed.connect(self._renew)
        self.coordinator.selection_changed.connect(self._renew)
        self.coordinator.task_ended.connect(self._on_ended)
        self.coordinator.failed.connect(self._say)
        self._renew()
        self._check()

    def run_selected(self) -> None:
        """Queue the selected session."""
        session = self.coordinator.workspace.selected
        if session is not None:
            self._queue(session)

    def run_all(self) -> None:
        """Queue every session that can be reconstructed; steps that are done already are not done again."""
        sessions = [session for session in self.coordinator.workspace.sessions if session.can_reconstruct]
        last = {session.patient_id: session.label for session in sessions}
        for session in sessions:
            self._queue(session, more_to_come=last[session.patient_id] != session.label)

    def _queue(self, session: Session, *, more_to_come: bool = False) -> None:
        settings = self._settings()
        if settings is None:
            return
        workspace = self.coordinator.workspace
        study, files, out_dir = workspace.study, workspace.files, workspace.out_dir
        sign = _SIGN_WORDS[self.sign.currentText()]
        device = _DEVICES[self.device.currentText()]

        def work(on_progress: Any, cancel: Any) -> Outcome:
            shared: dict[str, Any] = {"device": device, "on_progress": on_progress, "cancel": cancel}
            if files is not None and out_dir is not None:
                from dataclasses import replace

                request = FilesRequest(gre=replace(files, phase_sign=sign or files.phase_sign))
                return reconstruct_files(request, settings, out_dir, **shared)
            assert study is not None
            return reconstruct_session(study, session, settings, phase_sign=sign, more_to_come=more_to_come, **shared)

        self.coordinator.run(session.label, work)

    def _choices(self) -> QFormLayout:
        form = QFormLayout()
        self.preset = QComboBox()
        for name in PRESETS:
            self.preset.addItem(_PRESET_WORDS.get(name, name), name)
        self.preset.currentIndexChanged.connect(self._take_preset)
        self.sign = QComboBox()
        self.sign.addItems(list(_SIGN_WORDS))
        self.sign.setToolTip("Direction in which this scanner stores phase; a wrong sign makes iron look like calcium")
        self.device = QComboBox()
        self.device.addItems(list(_DEVICES))
        self.device.currentTextChanged.connect(self._check)
        form.addRow("Preset", self.preset)
        form.addRow("Phase sign", self.sign)
        form.addRow("Compute on", self.device)
        return form

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.run_button = QPushButton("Reconstruct")
        self.run_button.clicked.connect(self.run_selected)
        self.run_all_button = QPushButton("Reconstruct all sessions")
        self.run_all_button.clicked.connect(self.run_all)
        line.addWidget(self.run_button)
        line.addWidget(self.run_all_button)
        return line

    def _take_preset(self) -> None:
        self.form.set_settings(PRESETS[str(self.preset.currentData())])

    def _settings(self) -> ReconstructionSettings | None:
        try:
            return self.form.settings()
        except ParameterError as error:
            self._say(str(error))
            return None

    def _check(self, *_: object) -> None:
        if self._settings() is None:
            return
        usable, reason = gpu_status() if _DEVICES[self.device.currentText()] == "cuda" else (True, "")
        self._say("" if usable else f"The GPU cannot be used: {reason}.")

    def _say(self, sentence: str, _: str = "") -> None:
        """Show what is wrong, or nothing."""
        self.problem.setText(f"⚠ {sentence}")
        self.problem.setVisible(bool(sentence))

    def _renew(self) -> None:
        workspace = self.coordinator.workspace
        session = workspace.selected
        can = session is not None and session.can_reconstruct
        self.run_button.setEnabled(can)
        self.run_all_button.setEnabled(any(s.can_reconstruct for s in workspace.sessions))
        if session is None:
            self.target.setText("Open a study in the Study panel, and select a session.")
        else:
            self.target.setText(f"<b>{escape(session.label)}</b>: {escape(workspace.status(session.label).next_step)}")

    def _on_ended(self, task: Task) -> None:
        if task.state is TaskState.DONE and isinstance(task.result, Outcome):
            self.notes.setText(_notes(task.result))


def _notes(outcome: Outcome) -> str:
    """Say what the user should know of a finished reconstruction, as HTML."""
    head = f"<b>{escape(outcome.label)}</b>" + ("" if outcome.converged else " · <b>did not converge</b>")
    lines = []
    quality = outcome.quality
    if "csf_sd_ppb" in quality:
        lines.append(
            f"χ in CSF {round(quality['csf_mean_ppb'], 1) + 0.0:.1f} ± {quality['csf_sd_ppb']:.1f} ppb, "
            f"mask kept {100 * quality['kept_fraction']:.0f} %"
        )
    lines += [f"⚠ {sentence}" for sentence in outcome.warnings]
    lines += [f"assumed: {sentence}" for sentence in outcome.assumptions]
    return "<br>".join([head, *map(escape, lines)])
