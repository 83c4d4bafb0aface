"""How many patients a study needs: a design in, its power out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QDialog, QDoubleSpinBox, QFormLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_msqsm.phantom.cohort import CohortDesign
from napari_msqsm.workflow.growth.power import Power, power_of
from napari_msqsm.workflow.tasks import TaskState

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.tasks import Task

_SAMPLES = 200
_WORDS = (
    "Cohorts are simulated and fitted by the default model; power is the part in which the curves of rim+ and rim− "
    "lesions differ (p < 0.05). Effect 1 is the difference that the paper found, 0 gives the rate of false positives."
)


class PowerDialog(QDialog):
    """Asks for a design and simulates it as a task."""

    def __init__(self, coordinator: Coordinator, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Power")
        self._coordinator = coordinator
        self._task: Task | None = None
        column = QVBoxLayout(self)
        words = QLabel(_WORDS)
        words.setWordWrap(True)
        column.addWidget(words)
        usual = CohortDesign()
        self.patients = _whole(usual.n_patients, 2, 2000)
        self.lesions = _number(usual.lesions_per_patient, 1.0, 20.0, 0.1)
        self.scans = _whole(usual.scans_per_lesion, 2, 30)
        self.years = _number(usual.follow_up_y, 0.5, 20.0, 0.5)
        self.share = _number(usual.rim_share, 0.05, 0.95, 0.05)
        self.effect = _number(usual.effect, 0.0, 3.0, 0.1)
        form = QFormLayout()
        form.addRow("Patients", self.patients)
        form.addRow("Lesions per patient", self.lesions)
        form.addRow("Scans per lesion", self.scans)
        form.addRow("Years of follow-up", self.years)
        form.addRow("Share of rim+ lesions", self.share)
        form.addRow("Effect", self.effect)
        column.addLayout(form)
        self.button = QPushButton("Simulate")
        self.button.clicked.connect(self.simulate)
        column.addWidget(self.button)
        self.result_words = QLabel()
        self.result_words.setWordWrap(True)
        column.addWidget(self.result_words)
        coordinator.task_ended.connect(self._on_ended)

    def design(self) -> CohortDesign:
        """Return the design that is asked for."""
        return CohortDesign(
            n_patients=self.patients.value(),
            lesions_per_patient=self.lesions.value(),
            scans_per_lesion=self.scans.value(),
            follow_up_y=self.years.value(),
            rim_share=self.share.value(),
            effect=self.effect.value(),
        )

    def simulate(self) -> None:
        """Simulate the design as a task; progress and cancel are in the task list."""
        design = self.design()

        def work(on_progress: Any, cancel: Any) -> Power:
            return power_of(design, n_samples=_SAMPLES, on_progress=on_progress, cancel=cancel)

        self.button.setEnabled(False)
        self.result_words.setText("Simulating …")
        self._task = self._coordinator.run("Power of a design", work)

    def _on_ended(self, task: Task) -> None:
        if task is not self._task:
            return
        self.button.setEnabled(True)
        if task.state is not TaskState.DONE:
            self.result_words.setText(task.error or "cancelled")
            return
        found: Power = task.result
        failed = f"; {found.n_failed} cohorts could not be fitted" if found.n_failed else ""
        self.result_words.setText(
            f"Power {100 * found.power:.0f} % (95 % interval {100 * found.lower:.0f} to {100 * found.upper:.0f} %, "
            f"{found.n_samples} cohorts{failed})"
        )


def _whole(value: int, low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box


def _number(value: float, low: float, high: float, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setDecimals(2)
    box.setValue(value)
    return box
