"""Take all maps that were found, session after session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, MsqsmError
from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap, adopt_susceptibility

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.io.susceptibility import Unit
    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.bring_in.map_layouts import MapProposal
    from napari_msqsm.workflow.outcome import Outcome
    from napari_msqsm.workflow.tasks import OnProgress


@dataclass(frozen=True)
class TakenMaps:
    """What became of the proposals.

    Parameters
    ----------
    outcomes
        Maps that were taken.
    refused
        Why the others were not, by file.
    """

    outcomes: tuple[Outcome, ...]
    refused: Mapping[Path, str]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "sessions": [outcome.as_json() for outcome in self.outcomes],
            "refused": {str(path): why for path, why in self.refused.items()},
        }


def take_maps(
    study: Study,
    proposals: Sequence[MapProposal],
    *,
    unit: Unit | None = None,
    mask: Path | None = None,
    reference_mask: Path | None = None,
    paramagnetic_mask: Path | None = None,
    negate: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> TakenMaps:
    """Take maps; one that cannot be used does not stop the others.

    Parameters
    ----------
    study, proposals
        Where, and what, from `napari_msqsm.workflow.bring_in.map_layouts.find_maps`.
    unit
        Declared by the user; that of the toolbox, else told from the values, when not given.
    mask, reference_mask, paramagnetic_mask, negate
        See `ExistingMap`.
    overwrite
        Whether a map that the session has already is replaced.
    on_progress, cancel
        Progress and cancelling between maps.

    Raises
    ------
    CancelledError
        When it was cancelled.
    """
    outcomes: list[Outcome] = []
    refused: dict[Path, str] = {}
    for index, proposal in enumerate(proposals):
        if cancel is not None and cancel.is_set():
            raise CancelledError("cancelled")
        if on_progress is not None:
            on_progress(proposal.path.name, index / len(proposals))
        session = proposal.session
        if session is None or proposal.problem:
            refused[proposal.path] = proposal.problem
            continue
        existing = ExistingMap(
            proposal.path, unit or proposal.unit, mask or proposal.mask, reference_mask, paramagnetic_mask, negate
        )
        try:
            outcomes.append(adopt_susceptibility(study, session, existing, overwrite=overwrite))
        except CancelledError:
            raise
        except MsqsmError as error:
            refused[proposal.path] = str(error)
    return TakenMaps(tuple(outcomes), refused)
