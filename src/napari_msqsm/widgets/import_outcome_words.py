"""What an import did, as HTML; no Qt."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.importing import ImportOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def outcome_html(outcome: ImportOutcome) -> str:
    """Sessions, where the private key is, what to know, what is not in the study, what was dropped from headers."""
    images = _count(len(outcome.files), "image")
    parts = [
        f"<h3>{_count(len(outcome.sessions), 'session')}, {images} written to {escape(outcome.bids_dir.name)}</h3>",
        f"<p>{escape(', '.join(outcome.sessions))}</p>",
        f"<p><b>Private key:</b> {escape(str(outcome.key_file))}. It tells who is who: keep it "
        "private, and keep it, for a later import into this study needs it.</p>",
        _list("To know", (f"⚠ {warning}" for warning in outcome.warnings)),
        _list("Not in the study", (f"{item.what}: {item.why}" for item in outcome.left_out)),
        _list("Dropped from the headers", _by_reason(outcome.dropped)),
    ]
    return "".join(parts)


def _by_reason(dropped: Mapping[str, str]) -> list[str]:
    reasons = dict.fromkeys(dropped.values())
    return [f"{why}: {', '.join(name for name in dropped if dropped[name] == why)}" for why in reasons]


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p><b>{title}</b></p><ul>{items}</ul>" if items else ""


def _count(n: int, one: str) -> str:
    return f"{n} {one}" if n == 1 else f"{n} {one}s"
