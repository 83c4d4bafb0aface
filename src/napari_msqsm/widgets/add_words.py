"""What was added to a study, as HTML; no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workflow.bring_in.masks import TakenMask
    from napari_msqsm.workflow.bring_in.tables.changes import TablePlan
    from napari_msqsm.workflow.coregistration.state import PairState

_KINDS = {"brain": "Brain mask", "csf": "CSF mask", "whitematter": "White-matter mask", "lesions": "Lesions"}


def mask_words(mask: TakenMask) -> str:
    """Say what was taken, on which image's grid, and what was found and assumed."""
    head = f"{_KINDS[mask.kind]} of {mask.label}, on the grid of its {mask.image}: {mask.n_voxels} voxels"
    if mask.kind == "lesions":
        head += f", {len(mask.lesions)} lesions"
    return _html(head, mask.notes)


def transform_words(label: str, image: str, state: PairState) -> str:
    """Say who accepted it, and what our own check thinks of it."""
    lines = []
    if state.verdict is not None:
        lines = [f"our own check says {state.verdict.level}", *state.verdict.reasons]
    return _html(f"Transform of {label} {image}, accepted by {state.checked_by}", [*lines, *state.warnings])


def table_words(plan: TablePlan, written: Sequence[Path], *, overwrite: bool) -> str:
    """Count the values that were written, and those that were not."""
    n_conflicts = len(plan.conflicts)
    n_written = len(plan.changes) - (0 if overwrite else n_conflicts)
    lines = [path.name for path in written]
    if n_conflicts:
        lines.append(f"{n_conflicts} values that the study had already were " + ("replaced" if overwrite else "kept"))
    if plan.problems:
        lines.append(f"{len(plan.problems)} rows or values were not used")
    return _html(f"{n_written} values written", lines)


def _html(head: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<b>{escape(head)}</b>" + (f"<ul>{items}</ul>" if items else "")
