"""What was measured, as a table for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from napari_msqsm.workflow.measure.eligible import is_eligible
from napari_msqsm.workflow.measure.flags import FLAGS, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.measure.patient_table import PatientTable
    from napari_msqsm.workflow.measure.row import LesionRow


def as_table(tables: Sequence[PatientTable]) -> str:
    """Text table, one line per patient."""
    lines = [["patient", "lesions", "eligible", "sessions", "rows", "with χ", "flagged"]]
    for table in tables:
        rows = table.rows
        eligible = {row.lesion_id for row in rows if is_eligible(row.eligible)}
        counts = (
            table.n_lesions,
            len(eligible),
            len({row.session_id for row in rows}),
            len(rows),
            sum(row.chi_ppb is not None for row in rows),
            sum(row.qc_flags is not None for row in rows),
        )
        lines.append([table.patient_id, *map(str, counts)])
    return _aligned(lines)


def flags_table(tables: Sequence[PatientTable]) -> str:
    """Text table of the flags that were set, one line each; empty where none was."""
    counts = Counter(name for table in tables for row in table.rows for name in split(row.qc_flags))
    lines = [["flag", "rows", "what it means"]]
    lines += [[name, str(counts[name]), flag.title] for name, flag in FLAGS.items() if counts[name]]
    return _aligned(lines) if len(lines) > 1 else ""


def curves_table(tables: Sequence[PatientTable]) -> str:
    """Text table of χ against lesion age: one line per lesion, one column per session."""
    lines = [["lesion", *(f"session {number + 1}" for number in range(max(map(_n_sessions, tables), default=0)))]]
    for table in tables:
        for lesion_id in dict.fromkeys(row.lesion_id for row in table.rows):
            lines.append([lesion_id, *(_point(row) for row in table.rows if row.lesion_id == lesion_id)])
            lines[-1] += [""] * (len(lines[0]) - len(lines[-1]))
    return _aligned(lines)


def _n_sessions(table: PatientTable) -> int:
    return len({row.session_id for row in table.rows})


def _point(row: LesionRow) -> str:
    chi = "–" if row.chi_ppb is None else f"{row.chi_ppb:+.0f}"
    return chi if row.lesion_age_y is None else f"{chi} ({row.lesion_age_y:.1f})"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
