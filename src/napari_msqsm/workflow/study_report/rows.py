"""The tables of the report as rows of text, for every way to show them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality.numbers import MEANING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.workflow.study_report.protocols import Protocol
    from napari_msqsm.workflow.study_report.quality import MapQuality
    from napari_msqsm.workflow.study_report.report import StudyReport

Rows = list[list[str]]

_CONTRASTS = {
    "GRE": "GRE",
    "FLAIR": "FLAIR",
    "T1w": "T1w",
    "ce-gadolinium_T1w": "T1w + Gd",
    "T2w": "T2w",
}
_NUMBERS = (
    ("snr_combined", "SNR", ".0f"),
    ("fit_residual_median", "field misfit", ".3f"),
    ("kept_fraction", "brain kept", ".0%"),
    ("edge_energy_ratio", "field at the edge", ".2f"),
    ("csf_mean_ppb", "CSF mean (ppb)", ".1f"),
    ("csf_sd_ppb", "CSF sd (ppb)", ".1f"),
    ("streak_index", "streaks", ".2f"),
    ("chi_noise_ppb", "χ noise (ppb)", ".1f"),
)
MARK = "⚠"


def contents_rows(report: StudyReport) -> Rows:
    """Sessions × contrasts; the letter of the protocol where there is more than one."""
    head = ["session", "date", "years", *_CONTRASTS.values(), "before/after Gd", "QSM", "aligned", "masks"]
    rows = []
    for row in report.contents:
        session = row.session
        images = []
        for name in _CONTRASTS:
            letter = report.protocol_letter(name, session.label)
            images.append(f"{row.images[name]} {letter}".strip() or "–")
        gadolinium = {True: "after", False: "before", None: ""}[session.post_gd]
        rows.append(
            [
                session.label,
                session.date.date().isoformat() if session.date else "–",
                "–" if row.years is None else f"{row.years:.2f}",
                *images,
                gadolinium or "–",
                row.qsm or ("possible" if session.can_reconstruct else "–"),
                ", ".join(_alignment(name, word) for name, word in row.aligned.items()) or "–",
                ", ".join(row.masks) or "–",
            ]
        )
    return [head, *rows]


def protocol_rows(protocols: Sequence[Protocol]) -> Rows:
    """One row per protocol of an image; parameters that nobody wrote down are left out."""
    if not protocols:
        return []
    names = [name for name in protocols[0].values if any(protocol.values.get(name) for protocol in protocols)]
    head = ["protocol", *names, "sessions"]
    return [
        head,
        *(
            [protocol.letter, *(protocol.values.get(name) or "–" for name in names), str(len(protocol.sessions))]
            for protocol in protocols
        ),
    ]


def quality_rows(qualities: Sequence[MapQuality]) -> Rows:
    """Numbers that tell a good map from a bad one; unusual ones are marked."""
    shown = [quality for quality in qualities if quality.numbers]
    if not shown:
        return []
    names = [entry for entry in _NUMBERS if any(entry[0] in quality.numbers for quality in shown)]
    head = ["map", *(title for _, title, _ in names), "remarks"]
    rows = []
    for quality in shown:
        cells = [_number(quality, name, form) for name, _, form in names]
        rows.append([quality.label, *cells, "; ".join(remarks(quality)) or "–"])
    return [head, *rows]


def remarks(quality: MapQuality) -> list[str]:
    """Say what a person should know about a map."""
    said = [f"{MEANING.get(name, name)}: {words}" for name, words in quality.suspicious.items()]
    if not quality.converged:
        said.append("not every iteration converged")
    return said + list(quality.warnings)


def _alignment(name: str, word: str) -> str:
    """Name of an aligned image; what a person should look at is marked."""
    title = _CONTRASTS.get(name, "GRE")
    return title if word in ("ok", "accepted") else f"{title} {word} {MARK}"


def _number(quality: MapQuality, name: str, form: str) -> str:
    value = quality.numbers.get(name)
    if value is None or not math.isfinite(value):
        return "–"
    text = format(round(value, 4) + 0.0, form)
    return f"{text} {MARK}" if name in quality.suspicious else text


def counted(n: int, word: str) -> str:
    """Return number and word, such as *1 patient* and *2 patients*."""
    return f"{n} {word}" + ("" if n == 1 else "s")
