"""Whether a lesion may enter the analysis of growth, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.model.lesion import Lesion

YES = "yes"
LEAST_SESSIONS = 3
LEAST_FOLLOW_UP_Y = 1.0
_NO = "no: "
_ONSET_WORDS = {
    "re-enhancing": "it enhances again, it is not new",
    "no earlier scan": "no earlier scan shows that it was not there",
    None: "nobody said whether it is new",
}


def eligibility(lesion: Lesion, measured: Sequence[float | None], *, onset_measured: bool) -> str:
    """``yes``, or ``no: reason; reason``.

    Parameters
    ----------
    lesion
        The lesion.
    measured
        Lesion age in years at every session with a χ from onset on, None where a date is missing.
    onset_measured
        Whether onset is among them.
    """
    reasons = []
    if not lesion.onset_session:
        reasons.append("no onset session")
    elif lesion.onset != "new":
        reasons.append(_ONSET_WORDS[lesion.onset])
    if lesion.onset_session:
        if not onset_measured:
            reasons.append("no χ at onset")
        if len(measured) < LEAST_SESSIONS:
            reasons.append(f"χ at {len(measured)} of at least {LEAST_SESSIONS} sessions from onset on")
        ages = [age for age in measured if age is not None]
        if not any(age > LEAST_FOLLOW_UP_Y for age in ages):
            undated = len(ages) < len(measured)
            reasons.append("no χ later than a year after onset" + (" (sessions without date)" if undated else ""))
    if lesion.excluded:
        reasons.append(f"left out by the reader ({' '.join(lesion.excluded.replace(';', ',').split())})")
    return _NO + "; ".join(reasons) if reasons else YES


def is_eligible(cell: str | None) -> bool | None:
    """Read a cell of the column; None where it is missing."""
    return None if not cell else cell == YES


def reasons_of(cell: str | None) -> tuple[str, ...]:
    """Why a lesion is not eligible, from a cell of the column."""
    return tuple((cell or "").removeprefix(_NO).split("; ")) if (cell or "").startswith(_NO) else ()
