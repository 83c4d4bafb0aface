"""What the coregistration of a patient left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.registration.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.state import PairState


@dataclass(frozen=True)
class PairResult:
    """One pair after a run.

    Parameters
    ----------
    pair
        The pair.
    state
        As it lies on disk.
    ran
        Whether it was registered now; False where what was there still holds, or a person accepted it.
    seconds
        That it took.
    error
        Why it could not be registered at all; empty otherwise.
    """

    pair: Pair
    state: PairState
    ran: bool
    seconds: float = 0.0
    error: str = ""

    @property
    def word(self) -> str:
        """The verdict in one word: ``ok``, ``look``, ``failed``, ``accepted``, or ``missing`` without a transform."""
        if self.state.by_hand:
            return "accepted"
        return str(self.state.verdict.level) if self.state.verdict is not None else "missing"

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        state = self.state
        return {
            "session": self.pair.session,
            "contrast": self.pair.contrast,
            "fixed_session": self.pair.fixed_session,
            "transform": str(self.pair.xfm) if state.transform is not None else None,
            "verdict": None if state.verdict is None else str(state.verdict.level),
            "reasons": [] if state.verdict is None else list(state.verdict.reasons),
            "remarks": [] if state.verdict is None else list(state.verdict.remarks),
            "usable": state.usable,
            "status": state.status,
            "stale_because": list(state.reasons),
            "numbers": dict(state.numbers),
            "route": state.route,
            "checked_by": state.checked_by or None,
            "ran": self.ran,
            "seconds": round(self.seconds, 3),
            "error": self.error or None,
        }


@dataclass(frozen=True)
class CoregistrationOutcome:
    """All pairs of a patient after a run.

    Parameters
    ----------
    patient_id
        Without ``sub-``.
    baseline
        Label of the session that everything is aligned to; empty where no gradient echo can be read.
    results
        Pair by pair.
    files
        Susceptibility maps on the grid of the baseline, by session.
    warnings
        What must not be overlooked.
    pictures
        Pictures that were drawn, by session.
    """

    patient_id: str
    baseline: str
    results: tuple[PairResult, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)

    @property
    def unusable(self) -> tuple[PairResult, ...]:
        """Pairs without a transform that results may rest on."""
        return tuple(result for result in self.results if not result.state.usable)

    @property
    def doubtful(self) -> tuple[PairResult, ...]:
        """Pairs that a person should look at."""
        return tuple(
            result
            for result in self.results
            if not result.state.by_hand
            and result.state.verdict is not None
            and result.state.verdict.level is Level.LOOK
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What does not touch a verdict and should be known."""
        return tuple(
            f"{result.pair.name}: {remark}"
            for result in self.results
            if result.state.verdict is not None
            for remark in result.state.verdict.remarks
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "patient": self.patient_id,
            "baseline": self.baseline,
            "pairs": [result.as_json() for result in self.results],
            "maps": {label: str(path) for label, path in self.files.items()},
            "pictures": {label: str(path) for label, path in self.pictures.items()},
            "warnings": list(self.warnings),
        }
