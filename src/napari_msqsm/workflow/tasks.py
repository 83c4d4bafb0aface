"""One list for all long work: the window and the command line watch the same tasks.

Tasks run one at a time in a worker thread. Events are emitted from that thread; a window connects with
``thread="main"`` so that its slots run in the main thread.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from psygnal import Signal

from napari_msqsm.errors import CancelledError, MsqsmError

OnProgress = Callable[[str, float], None]
"""Called with what is being done and the fraction that is done, 0…1."""

Work = Callable[[OnProgress, threading.Event], Any]
"""The work itself: it reports progress and stops with `CancelledError` soon after the event is set."""

_LEAST_FRACTION_FOR_ESTIMATE = 0.02


class TaskState(StrEnum):
    """Where a task is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Task:
    """One piece of long work.

    Attributes
    ----------
    title
        What the task is, in the user's words.
    state
        `TaskState`.
    fraction
        0…1.
    message
        What it is doing now.
    result
        What the work returned, once done.
    error
        One sentence saying why it failed; empty otherwise.
    details
        The traceback of that failure.
    exception
        The exception itself.
    """

    def __init__(self, title: str, work: Work) -> None:
        self.title = title
        self.state = TaskState.QUEUED
        self.fraction = 0.0
        self.message = ""
        self.result: Any = None
        self.error = ""
        self.details = ""
        self.exception: BaseException | None = None
        self._work = work
        self._cancel = threading.Event()
        self._ended = threading.Event()
        self._started_at: float | None = None
        self._ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._ended.is_set()

    @property
    def cancel_requested(self) -> bool:
        """Whether `cancel` was called; the work stops at its next iteration."""
        return self._cancel.is_set()

    @property
    def seconds(self) -> float:
        """Seconds since it started, up to its end."""
        if self._started_at is None:
            return 0.0
        return (self._ended_at or time.monotonic()) - self._started_at

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds to the end; None while that cannot be said."""
        if self.state is not TaskState.RUNNING or self.fraction < _LEAST_FRACTION_FOR_ESTIMATE:
            return None
        return self.seconds * (1.0 - self.fraction) / self.fraction

    def cancel(self) -> None:
        """Ask the work to stop; a queued task never starts."""
        self._cancel.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the task is over; False when the time ran out first."""
        return self._ended.wait(timeout_s)

    def __repr__(self) -> str:
        return f"Task({self.title!r}, {self.state}, {self.fraction:.0%})"


class TaskList:
    """Runs tasks one after the other and says what happens to them."""

    added = Signal(Task)
    changed = Signal(Task)
    finished = Signal(Task)

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def __iter__(self) -> Any:
        return iter(tuple(self._tasks))

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def running(self) -> Task | None:
        """The task at work now."""
        return next((task for task in self if task.state is TaskState.RUNNING), None)

    @property
    def is_busy(self) -> bool:
        """Whether any task is queued or running."""
        return any(not task.is_over for task in self)

    def add(self, title: str, work: Work) -> Task:
        """Queue work; it starts as soon as the tasks before it are over."""
        task = Task(title, work)
        with self._lock:
            self._tasks.append(task)
        self.added.emit(task)
        with self._lock:
            if self._worker is None:
                self._worker = threading.Thread(target=self._drain, name="msqsm-tasks", daemon=True)
                self._worker.start()
        return task

    def clear_finished(self) -> None:
        """Forget the tasks that are over."""
        with self._lock:
            self._tasks = [task for task in self._tasks if not task.is_over]

    def cancel_all(self) -> None:
        """Ask everything that is queued or running to stop."""
        for task in self:
            if not task.is_over:
                task.cancel()

    def shut_down(self, timeout_s: float = 10.0) -> bool:
        """Cancel everything and wait for the worker thread; False when it is still busy after ``timeout_s``."""
        self.cancel_all()
        with self._lock:
            worker = self._worker
        if worker is not None:
            worker.join(timeout_s)
            return not worker.is_alive()
        return True

    def _drain(self) -> None:
        while True:
            with self._lock:
                task = next((task for task in self._tasks if task.state is TaskState.QUEUED), None)
                if task is None:
                    self._worker = None
                    return
                task.state = TaskState.RUNNING
            self._run(task)

    def _run(self, task: Task) -> None:
        task._started_at = time.monotonic()

        def on_progress(message: str, fraction: float) -> None:
            task.message = message
            task.fraction = min(1.0, max(task.fraction, float(fraction)))
            self.changed.emit(task)

        state = TaskState.DONE
        try:
            if task.cancel_requested:
                raise CancelledError("cancelled before it started")
            self.changed.emit(task)
            task.result = task._work(on_progress, task._cancel)
            task.fraction = 1.0
        except CancelledError as error:
            state, task.exception = TaskState.CANCELLED, error
        except BaseException as error:  # noqa: BLE001  whatever the work raises belongs to the task, not to the thread
            state, task.exception = TaskState.FAILED, error
            task.error = error_sentence(error)
            task.details = "".join(traceback.format_exception(error))
        task._ended_at = time.monotonic()
        task.state = state
        task._ended.set()
        self.changed.emit(task)
        self.finished.emit(task)


def error_sentence(error: BaseException) -> str:
    """One sentence for the user: ours as they are, others with what kind of error it was."""
    if isinstance(error, MsqsmError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; close other programs, use --preset fast or a smaller image"
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename}" if error.filename else ""
        return f"{error.strerror}:{where}"
    text = str(error).strip().splitlines()
    return f"unexpected {type(error).__name__}: {text[0] if text else 'no message'}"
