"""The import that a window is busy with: read, check, write; it outlives the panel that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_msqsm.widgets.flag_words import in_words_of_the_window
from napari_msqsm.workflow.dicom_import.importing import ImportOutcome, Proposal, settle, stage_and_propose, write_study

if TYPE_CHECKING:
    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.workflow.dicom_import.plan import ImportPlan
    from napari_msqsm.workflow.tasks import OnProgress, Task


class ImportStep(StrEnum):
    """Where an import is."""

    CHOOSE = "choose"
    READING = "reading"
    CHECK = "check"
    WRITING = "writing"
    DONE = "done"


@dataclass(frozen=True)
class ImportRequest:
    """What is imported, and where it goes."""

    dicom_dir: Path
    bids_dir: Path
    key_file: Path | None = None


class ImportWork(QObject):
    """One for each window.

    Signals
    -------
    changed
        Another step, or another plan.
    """

    changed = Signal()

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__(coordinator)
        self._coordinator = coordinator
        self.step = ImportStep.CHOOSE
        self.request: ImportRequest | None = None
        self.proposal: Proposal | None = None
        self.plan: ImportPlan | None = None
        self.outcome: ImportOutcome | None = None
        self.task: Task | None = None
        self.error = ""
        self._tasks: list[Task] = []
        coordinator.task_ended.connect(self._on_ended)

    @property
    def is_private(self) -> bool:
        """Whether files with the patients' names lie in a private folder, or are being put there."""
        return self.proposal is not None or self.step is ImportStep.READING

    def read(self, request: ImportRequest) -> None:
        """Convert the DICOM folder into a private folder and propose what becomes of it."""
        if self.step is ImportStep.WRITING:
            return
        self.discard()

        def work(on_progress: OnProgress, cancel: Any) -> Proposal:
            return stage_and_propose(
                request.dicom_dir, request.bids_dir, key_file=request.key_file, on_progress=on_progress, cancel=cancel
            )

        self.request = request
        self._start(ImportStep.READING, f"Reading {request.dicom_dir.name}", work)

    def change(self, series_uids: tuple[str, ...], field: str, value: Any) -> None:
        """Take the user's word for some series, and settle what follows from it."""
        if self.plan is None or self.step is not ImportStep.CHECK:
            return
        plan = self.plan
        for uid in series_uids:
            plan = plan.with_row(uid, _as_it_is, **{field: value})
        self.plan = settle(plan)
        self.changed.emit()

    def write(self, *, keep_dates: bool = False) -> None:
        """Write what the plan says into the study."""
        proposal, plan, request = self.proposal, self.plan, self.request
        if proposal is None or plan is None or request is None or self.step is not ImportStep.CHECK:
            return

        def work(on_progress: OnProgress, cancel: Any) -> ImportOutcome:
            return write_study(
                proposal,
                plan,
                request.bids_dir,
                keep_dates=keep_dates,
                key_file=request.key_file,
                on_progress=on_progress,
                cancel=cancel,
            )

        self._start(ImportStep.WRITING, f"Writing {request.bids_dir.name}", work)

    def cancel(self) -> None:
        """Stop reading or writing."""
        if self.task is not None:
            self.task.cancel()

    def discard(self) -> None:
        """Stop reading, remove the private folder and begin anew; what is being written is left alone."""
        if self.step is ImportStep.WRITING:
            return
        self.cancel()
        self.task = None  # what it still leaves is removed when its end is told
        self._drop()
        self.error = ""
        self._go(ImportStep.CHOOSE)

    def close(self) -> None:
        """Leave nothing behind: the window has closed and its tasks are over."""
        for task in self._tasks:
            if isinstance(task.result, Proposal):
                task.result.discard()
        self._drop()
        self.step = ImportStep.CHOOSE

    def _start(self, step: ImportStep, title: str, work: Any) -> None:
        self.error = ""
        self.task = self._coordinator.run(title, work)
        self._tasks.append(self.task)
        self._go(step)

    def _on_ended(self, task: Task) -> None:
        if task not in self._tasks:
            return
        self._tasks.remove(task)
        if task is not self.task:
            if isinstance(task.result, Proposal):
                task.result.discard()
            return
        self.error = in_words_of_the_window(task.error)
        if isinstance(task.result, Proposal):
            self.proposal, self.plan = task.result, task.result.plan
            self._go(ImportStep.CHECK)
        elif isinstance(task.result, ImportOutcome):
            self.outcome = task.result
            self._drop()
            self._go(ImportStep.DONE)
            if self.request is not None:
                self._coordinator.open_study(self.request.bids_dir, show=True)
        else:
            self._go(ImportStep.CHOOSE if self.proposal is None else ImportStep.CHECK)

    def _drop(self) -> None:
        if self.proposal is not None:
            self._coordinator.remove_layers_below(self.proposal.staged.folder)
            self.proposal.discard()
        self.proposal = self.plan = None

    def _go(self, step: ImportStep) -> None:
        self.step = step
        self.changed.emit()


def _as_it_is(plan: ImportPlan) -> ImportPlan:
    return plan
