"""Many sessions, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, GpuUnavailableError, ParameterError
from napari_msqsm.workflow.patient_record import renew_patient_record
from napari_msqsm.workflow.reconstruct import reconstruct_session
from napari_msqsm.workflow.tasks import error_sentence

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
    by_products: bool = False,
    given_masks: bool = True,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Batch:
    """Reconstruct sessions with the same settings, masks and zero; one that fails does not stop the others.

    Parameters
    ----------
    study, sessions, settings
        What and how.
    device, seed, work_dir, by_products, given_masks, on_progress, cancel
        See `napari_msqsm.workflow.reconstruct.reconstruct_session`.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    on_warning
        Called with warnings, each with its session; maps of one patient that were not made alike are one.

    Raises
    ------
    CancelledError, GpuUnavailableError
        What would stop every other session too.
    """
    outcomes: list[Outcome] = []
    refused: dict[str, str] = {}
    for index, session in enumerate(sessions):
        report = _share(session.label, index, len(sessions), on_progress)
        warn = None if on_warning is None else _named(session.label, on_warning)
        more_to_come = any(later.patient_id == session.patient_id for later in sessions[index + 1 :])
        try:
            outcome = reconstruct_session(
                study,
                session,
                settings,
                device=device,
                seed=seed,
                out_dir=out_dir,
                work_dir=work_dir,
                by_products=by_products,
                given_masks=given_masks,
                more_to_come=more_to_come,
                on_progress=report,
                cancel=cancel,
                on_warning=warn,
            )
        except (CancelledError, GpuUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001  whatever went wrong here, the other sessions are still to be made
            refused[session.label] = error_sentence(error)
        else:
            outcomes.append(outcome)
    _check_left_behind(study, sessions, refused, out_dir, on_warning)
    return Batch(tuple(outcomes), refused)


def _share(label: str, index: int, count: int, on_progress: OnProgress | None) -> OnProgress | None:
    if on_progress is None:
        return None

    def report(message: str, fraction: float) -> None:
        on_progress(f"{label}: {message}", (index + fraction) / count)

    return report


def _named(label: str, on_warning: Callable[[str], None]) -> Callable[[str], None]:
    return lambda sentence: on_warning(f"{label}: {sentence}")


def _check_left_behind(
    study: Study,
    sessions: Sequence[Session],
    refused: Mapping[str, str],
    out_dir: Path | None,
    on_warning: Callable[[str], None] | None,
) -> None:
    """Warn where the last session of a patient failed and leaves an older map beside the new ones."""
    last = {session.patient_id: session.label for session in sessions}
    for patient_id, label in last.items():
        if label in refused:
            for sentence in renew_patient_record(out_dir or study.derivatives_root, patient_id):
                if on_warning:
                    on_warning(f"sub-{patient_id}: {sentence}")
