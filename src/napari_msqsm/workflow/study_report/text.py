"""The report as plain text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality.numbers import MEANING
from napari_msqsm.workflow.study_report.protocols import GRE
from napari_msqsm.workflow.study_report.rows import (
    MARK,
    Rows,
    contents_rows,
    counted,
    protocol_rows,
    quality_rows,
    remarks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.study_report.quality import MapQuality
    from napari_msqsm.workflow.study_report.report import StudyReport

_MOST_FINDINGS = 30


def as_text(report: StudyReport) -> str:
    """Whole report."""
    parts = [
        f"{report.name}: {counted(report.n_patients, 'patient')}, {counted(len(report.contents), 'session')}, "
        f"{counted(len(report.qualities), 'map')}",
        aligned(contents_rows(report)),
    ]
    echoes = [protocol for protocol in report.protocols if protocol.image == GRE]
    if len(echoes) > 1:
        parts.append(f"{GRE}: {len(echoes)} protocols\n{aligned(protocol_rows(echoes))}")
    if report.protocol_differences:
        lines = [f"{one}" + (f" ({one.why})" if one.why else "") for one in report.protocol_differences]
        parts.append(_listed("Protocols differ", lines))
    elif report.protocols:
        parts.append("Protocols do not differ between sessions.")
    parts.append(_listed("Still lacking", [str(lack) for lack in report.lacks]) or "Nothing is lacking.")
    errors = sum(finding.is_error for finding in report.findings)
    found = [("error: " if finding.is_error else "look: ") + str(finding) for finding in report.findings]
    more = [f"{len(found) - _MOST_FINDINGS} more (all of them with --json)"] if len(found) > _MOST_FINDINGS else []
    said = f"BIDS, by {report.checked_by}: {counted(errors, 'error')}, {counted(len(found) - errors, 'remark')}"
    parts.append(_listed(said, found[:_MOST_FINDINGS] + more) or f"{said}.")
    parts.append(qualities_as_text(report.qualities))
    parts.append(_listed("Maps of a patient were not made alike", report.unlike))
    parts.append(_listed("Notes", report.notes))
    return "\n\n".join(part for part in parts if part)


def qualities_as_text(qualities: Sequence[MapQuality]) -> str:
    """Quality numbers; unusual ones are marked, and what they suggest stands below."""
    rows = quality_rows(qualities)
    lines = []
    if rows:
        lines.append(aligned([row[:-1] for row in rows]))
    lines += [f"  {MARK} {quality.label}: {remark}" for quality in qualities for remark in remarks(quality)]
    elsewhere = [quality.label for quality in qualities if quality.adopted]
    if elsewhere:
        lines.append(f"Made by other programs, so that nothing is known of their quality: {', '.join(elsewhere)}")
    return "\n".join(lines)


def folder_as_text(quality: MapQuality) -> str:
    """All numbers of one reconstruction, with what they mean."""
    rows = [
        [
            name,
            "–" if value is None else f"{value:.4g}",
            MARK if name in quality.suspicious else "",
            MEANING.get(name, ""),
        ]
        for name, value in quality.numbers.items()
    ]
    known = aligned(rows) or "made elsewhere, its quality is not known"
    lines = [quality.label, known]
    lines += [f"  {MARK} {remark}" for remark in remarks(quality)]
    return "\n".join(lines)


def aligned(rows: Rows) -> str:
    """Columns of equal width."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""
