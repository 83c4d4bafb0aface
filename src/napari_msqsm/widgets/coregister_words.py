"""Words of the Coregister panel, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.patient import Pair, PairState

Verdict = Literal["ok", "look", "failed", "not yet"]
VERDICT_WORDS: dict[Verdict, str] = {"ok": "✓ ok", "look": "● look", "failed": "✗ failed", "not yet": "not yet"}
VERDICT_COLOURS: dict[Verdict, str] = {"ok": "#4cb4e7", "look": "#f0c24b", "failed": "#f0703c", "not yet": "#9a9a9a"}
"""Blue, yellow, orange and grey, which colour-blind readers can tell apart too."""
DISAGREEMENT = "disagreement_mm"
LOOP = "loop_mm"
_CONTRASTS = {"MEGRE": "magnitude", "T1w": "T1", "ce-gadolinium_T1w": "T1 + Gd", "T2w": "T2"}


@dataclass(frozen=True)
class PairRow:
    """One pair in the table.

    Parameters
    ----------
    session, image, verdict_words, disagreement, checked
        Columns of the table.
    verdict
        What its colour says.
    """

    session: str
    image: str
    verdict: Verdict
    verdict_words: str
    disagreement: str
    checked: str


def contrast_words(contrast: str) -> str:
    """Name of a contrast for the user."""
    return _CONTRASTS.get(contrast, contrast)


def pair_words(pair: Pair) -> str:
    """Name the moving image: ``ses-02 FLAIR``."""
    return f"{_session(pair.session)} {contrast_words(pair.contrast)}"


def fixed_words(pair: Pair) -> str:
    """Name the fixed image: ``ses-01 magnitude``."""
    return f"{_session(pair.fixed_session)} magnitude"


def row_of(pair: Pair, state: PairState, *, running: bool = False) -> PairRow:
    """Say what is known about a pair in its row of the table."""
    verdict = verdict_of(state)
    words = VERDICT_WORDS[verdict]
    if state.status == "stale":
        words += ", outdated"
    number = state.numbers.get(DISAGREEMENT)
    return PairRow(
        session=_session(pair.session),
        image=contrast_words(pair.contrast),
        verdict=verdict,
        verdict_words="aligning…" if running else words,
        disagreement="" if number is None else f"{number:.2f}",
        checked=f"{state.checked_by}, {state.checked_at[:10]}" if state.by_hand else "",
    )


def verdict_of(state: PairState) -> Verdict:
    """Verdict of the automatic checks; *not yet* without a transform."""
    if state.verdict is None:
        return "not yet"
    level: Verdict = state.verdict.level.value
    return level


def pair_details(pair: Pair, state: PairState) -> str:
    """All that is known of a pair, as HTML: reasons of the verdict, who checked it, why it is outdated."""
    head = f"<b>{escape(pair_words(pair))}</b> on {escape(fixed_words(pair))}"
    if state.verdict is None:
        return f"{head}<br>not aligned yet: <i>Run all</i>, or double click and nudge it by hand"
    lines = [f"{VERDICT_WORDS[verdict_of(state)]}: {reason}" for reason in state.verdict.reasons]
    lines += state.verdict.remarks
    if state.by_hand:
        lines.append(f"accepted by {state.checked_by} on {state.checked_at[:10]}; running again leaves it alone")
    if not state.usable:
        outdated = state.status == "stale" and not state.by_hand
        lines.append(
            "nothing rests on it: " + ("run all again" if outdated else "double click, nudge it, refine, and accept")
        )
    if state.note:
        lines.append(f"note: {state.note}")
    if state.route != "direct":
        lines.append(f"found {state.route}")
    lines += [f"outdated: {reason}" for reason in state.reasons]
    lines += [f"⚠ {sentence}" for sentence in state.warnings]
    return "<br>".join([head, *map(escape, lines)])


def nothing_to_align(study: Study | None, patient_id: str, *, is_files: bool) -> str:
    """Say why the table is empty, and what to do, as HTML."""
    if study is None:
        return (
            "<b>No study is open.</b> Open one in the Study panel; then everything is aligned to its first magnitude."
        )
    if is_files:
        return "<b>These are the files of one scan.</b> Open a BIDS folder to align its contrasts and time points."
    if not patient_id:
        return "<b>No patient is selected.</b> Select a session in the Study panel."
    return (
        f"<b>There is nothing to align for sub-{escape(patient_id)}.</b> It takes the magnitude of one multi-echo "
        "gradient echo, and another session or a FLAIR, T1 or T2 beside it. Add them to the BIDS folder, then "
        "<i>Refresh</i> in the Study panel."
    )


def summary_words(states: list[PairState]) -> str:
    """Count the verdicts, and tell how well time points agree: ``7 ok · 1 look · 2 not yet``; empty without pairs."""
    found = [verdict_of(state) for state in states]
    counts = [f"{found.count(verdict)} {verdict}" for verdict in VERDICT_WORDS if verdict in found]
    accepted = sum(state.by_hand for state in states)
    if accepted:
        counts.append(f"{accepted} accepted by hand")
    loops = [state.numbers[LOOP] for state in states if LOOP in state.numbers]
    if loops:
        counts.append(f"a loop over three time points closes within {max(loops):.2f} mm")
    return " · ".join(counts)


def _session(label: str) -> str:
    """``ses-01`` of ``sub-01_ses-01``."""
    return label.partition("_")[2] or label
