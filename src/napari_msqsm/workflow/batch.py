"""Many sessions, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.workflow.reconstruct import reconstruct_session

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.workflow.outcome import Outcome
    from napari_msqsm.workflow.tasks import OnProgress


@dataclass(frozen=True)
class Batch:
    """Results of many sessions.

    Parameters
    ----------
    outcomes
        Of the sessions that were reconstructed.
    refused
        Why the others were not, by session.
    """

    outcomes: tuple[Outcome, ...]
    refused: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {"sessions": [outcome.as_json() for outcome in self.outcomes], "refused": dict(self.refused)}


def sessions_of(study: Study, patients: Sequence[str] | None) -> tuple[Session, ...]:
    """Sessions of the named patients (with or without ``sub-``), or all.

    Raises
    ------
    ParameterError
        When a patient does not exist.
    """
    if not patients:
        return study.sessions
    wanted = [name.removeprefix("sub-") for name in patients]
    known = {patient.patient_id for patient in study.patients}
    absent = [name for name in wanted if name not in known]
    if absent:
        raise ParameterError(f"there is no patient {absent[0]!r}; patients: {', '.join(sorted(known))}")
    return tuple(session for session in study.sessions if session.patient_id in wanted)


def reconstruct_sessions(
    study: Study,
    sessions: Sequence[Session],
    settings: ReconstructionSettings,
    *,
    device: str = "auto",
    seed: int = 0,
    out_dir: Path | None = None,
    work_dir: Path | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Batch:
    """Reconstruct sessions; one that cannot be used does not stop the others.

    Parameters
    ----------
    study, sessions, settings
        What and how.
    device, seed, work_dir, on_progress, cancel
        See `napari_msqsm.workflow.reconstruct.reconstruct_session`.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    on_warning
        Called with warnings, each with its session.
    """
    outcomes: list[Outcome] = []
    refused: dict[str, str] = {}
    for index, session in enumerate(sessions):
        report = _share(session.label, index, len(sessions), on_progress)
        warn = None if on_warning is None else _named(session.label, on_warning)
        try:
            outcome = reconstruct_session(
                study,
                session,
                settings,
                device=device,
                seed=seed,
                out_dir=out_dir,
                work_dir=work_dir,
                on_progress=report,
                cancel=cancel,
                on_warning=warn,
            )
        except InputError as error:
            refused[session.label] = str(error)
        else:
            outcomes.append(outcome)
    return Batch(tuple(outcomes), refused)


def _share(label: str, index: int, count: int, on_progress: OnProgress | None) -> OnProgress | None:
    if on_progress is None:
        return None

    def report(message: str, fraction: float) -> None:
        on_progress(f"{label}: {message}", (index + fraction) / count)

    return report


def _named(label: str, on_warning: Callable[[str], None]) -> Callable[[str], None]:
    return lambda sentence: on_warning(f"{label}: {sentence}")
