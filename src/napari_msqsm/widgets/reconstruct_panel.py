"""The Reconstruct panel: preset, settings, run, progress, and what was assumed."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_msqsm._backend import gpu_status
from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import DEFAULT_PRESET, PRESETS
from napari_msqsm.qsm.steps.background import check_background
from napari_msqsm.settings import flat
from napari_msqsm.widgets.panel import Panel
from napari_msqsm.widgets.quality_view import QualityView
from napari_msqsm.widgets.quality_words import quality_warnings
from napari_msqsm.widgets.setting_words import label_of
from napari_msqsm.widgets.settings_form import Choice, SettingsForm
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
    "published": "Published (MEDI+0)",
    "recommended": "Recommended (MEDI+0, refined)",
    "fast": "Fast preview (TKD)",
}
_SIGN_WORDS: dict[str, Literal[1, -1] | None] = {
    "by vendor, checked on the data": None,
    "+ grows in a stronger field": 1,
    "− falls in a stronger field": -1,
}
_NOTES_HEIGHT = 150
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
        self.form = SettingsForm(PRESETS[DEFAULT_PRESET])
        self.form.changed.connect(self._check)
        self.quality = QualityView(self.coordinator)
        self.tabs = QTabWidget()
        self.tabs.addTab(_scrolled(self.form), "Settings")
        self.tabs.addTab(self.quality, "Quality")
        column.addWidget(self.tabs, 1)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.problem)
        column.addLayout(self._buttons())
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.notes_area = _scrolled(self.notes)
        self.notes_area.setMaximumHeight(_NOTES_HEIGHT)
        self.notes_area.hide()
        self.tasks = TaskView(self.coordinator)
        column.addWidget(self.tasks)
        column.addWidget(self.notes_area)
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
        by_products = self.by_products.isChecked()

        def work(on_progress: Any, cancel: Any) -> Outcome:
            shared: dict[str, Any] = {"device": device, "on_progress": on_progress, "cancel": cancel}
            shared["by_products"] = by_products
            if files is not None and out_dir is not None:
                from dataclasses import replace

                request = FilesRequest(gre=replace(files, phase_sign=sign or files.phase_sign))
                return reconstruct_files(request, settings, out_dir, **shared)
            assert study is not None
            return reconstruct_session(study, session, settings, phase_sign=sign, more_to_come=more_to_come, **shared)

        self.coordinator.run(session.label, work)

    def _choices(self) -> QFormLayout:
        form = QFormLayout()
        self.preset = Choice()
        for name in PRESETS:
            self.preset.add(_PRESET_WORDS.get(name, name), name)
        self.preset.currentIndexChanged.connect(self._take_preset)
        self.edits = QToolButton()
        self.edits.clicked.connect(self._take_preset)
        self.sign = Choice()
        self.sign.addItems(list(_SIGN_WORDS))
        self.sign.setToolTip("Direction in which this scanner stores phase; a wrong sign makes iron look like calcium")
        self.device = Choice()
        self.device.addItems(list(_DEVICES))
        self.device.currentTextChanged.connect(self._check)
        preset = QHBoxLayout()
        preset.addWidget(self.preset, 1)
        preset.addWidget(self.edits)
        self.by_products = QCheckBox("also T2*, SWI, confidence")
        self.by_products.setToolTip("Images that the reconstruction also holds; they appear as layers, hidden at first")
        form.addRow("Preset", preset)
        form.addRow("Phase sign", self.sign)
        form.addRow("Compute on", self.device)
        form.addRow("Write", self.by_products)
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
            settings = self.form.settings()
            check_background(settings)
            return settings
        except ParameterError as error:
            self._say(str(error))
            return None

    def _check(self, *_: object) -> None:
        settings = self._settings()
        if settings is None:
            return
        self._show_edits(settings)
        usable, reason = gpu_status() if _DEVICES[self.device.currentText()] == "cuda" else (True, "")
        self._say("" if usable else f"The GPU cannot be used: {reason}.")

    def _show_edits(self, settings: ReconstructionSettings) -> None:
        """Tell that the settings are not those of the preset any more, and which."""
        preset, now = flat(PRESETS[str(self.preset.currentData())]), flat(settings)
        edited = [name for name, value in now.items() if name not in preset or preset[name] != value]
        of_methods = {name.rpartition(".")[0] for name in edited if name.endswith(".method")}
        shown = [name for name in edited if name.rpartition(".")[0] not in of_methods or name.endswith(".method")]
        self.edits.setVisible(bool(shown))
        self.edits.setText(f"↺ {len(shown)} changed")
        self.edits.setToolTip("Back to the preset. Changed: " + ", ".join(_words_of(name) for name in shown))

    def _say(self, sentence: str, _: str = "") -> None:
        """Show what is wrong, or nothing."""
        self.problem.setText(f"⚠ {sentence}")
        self.problem.setVisible(bool(sentence))

    def _renew(self) -> None:
        workspace = self.coordinator.workspace
        session = workspace.selected
        can = session is not None and session.can_reconstruct
        self.quality.renew()
        self.tabs.setTabText(1, "⚠ Quality" if self.quality.n_unusual else "Quality")
        self.run_button.setEnabled(can)
        self.run_all_button.setEnabled(any(s.can_reconstruct for s in workspace.sessions))
        if session is None:
            self.target.setText("Open a study in the Study panel, and select a session.")
        else:
            self.target.setText(f"<b>{escape(session.label)}</b>: {escape(workspace.status(session.label).next_step)}")

    def _on_ended(self, task: Task) -> None:
        if task.state is TaskState.DONE and isinstance(task.result, Outcome):
            self.notes.setText(_notes(task.result))
            self.notes_area.show()


def _scrolled(inner: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inner)
    return scroll


def _words_of(name: str) -> str:
    section, _, key = name.partition(".")
    return label_of(section) if key == "method" else f"{label_of(section)}: {label_of(name)}"


def _notes(outcome: Outcome) -> str:
    """Say what the user should know of a finished reconstruction, as HTML."""
    head = f"<b>{escape(outcome.label)}</b>" + ("" if outcome.converged else " · <b>did not converge</b>")
    lines = []
    quality = outcome.quality
    if "csf_sd_ppb" in quality:
        csf = f"{round(quality['csf_mean_ppb'], 1) + 0.0:.1f} ± {quality['csf_sd_ppb']:.1f} ppb"
        known = "no CSF was found" if math.isnan(quality["csf_sd_ppb"]) else f"χ in CSF {csf}"
        lines.append(f"{known}, mask kept {100 * quality['kept_fraction']:.0f} %")
    lines += [f"⚠ quality: {sentence}" for sentence in quality_warnings(quality)]
    lines += [f"⚠ {sentence}" for sentence in outcome.warnings]
    lines += [f"assumed: {sentence}" for sentence in outcome.assumptions]
    return "<br>".join([head, *map(escape, lines)])
