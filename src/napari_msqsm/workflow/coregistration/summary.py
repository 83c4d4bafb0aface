"""The coregistration of a patient as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.coregistration.outcome import PairResult

_COLUMNS = (
    ("disagreement (mm)", "disagreement_mm", ".2f"),
    ("loop (mm)", "loop_mm", ".2f"),
    ("turn (°)", "rotation_deg", ".1f"),
    ("shift (mm)", "displacement_mm", ".1f"),
    ("in image", "overlap", ".0%"),
)


def as_table(results: Sequence[PairResult]) -> str:
    """Text table, one line per pair."""
    lines = [["image", "verdict", *(title for title, _, _ in _COLUMNS), "seconds"]]
    for result in results:
        numbers = result.state.numbers
        cells = [format(numbers[name], form) if name in numbers else "–" for _, name, form in _COLUMNS]
        seconds = f"{result.seconds:.1f}" if result.ran else "kept"
        stale = ", outdated" if result.state.status == "stale" else ""
        lines.append([result.pair.name, result.word + stale, *cells, seconds])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
