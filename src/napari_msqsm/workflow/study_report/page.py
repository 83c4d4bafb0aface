"""The report as one HTML page that needs nothing beside it, and as a table."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from napari_msqsm import __version__
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.tables import write_table
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
    from pathlib import Path

    from napari_msqsm.workflow.study_report.report import StudyReport

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; background: #fff; margin: 2rem auto; max-width: 76rem;
       padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
table { border-collapse: collapse; font-size: .88rem; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
th { font-weight: 600; }
.look { color: #a03000; }
.quiet { color: #666; }
ul { padding-left: 1.2rem; }
figure { margin: 1rem 0; }
img { display: block; max-width: 100%; background: #000; }
figcaption { font-size: .88rem; }
"""
_WIDTH = 760
_QUALITY = 75
_MOST_PICTURES = 200


def write_page(path: Path, report: StudyReport) -> Path:
    """Write ``study_report.html``, and ``study_report.tsv`` (sessions × contrasts) beside it."""
    with atomic_path(path) as temporary:
        temporary.write_text(as_html(report), "utf-8")
    head, *rows = contents_rows(report)
    write_table(path.with_suffix(".tsv"), pd.DataFrame(rows, columns=head).replace("–", None))
    return path


def as_html(report: StudyReport) -> str:
    """Make the page; pictures are made smaller and put into it."""
    parts = [
        f"<h1>{escape(report.name)}</h1>",
        f"<p class='quiet'>{counted(report.n_patients, 'patient')}, {counted(len(report.contents), 'session')}, "
        f"{counted(len(report.qualities), 'susceptibility map')}. napari-msqsm {escape(__version__)}, "
        f"{escape(report.made_at)}.</p>",
        "<h2>Sessions and contrasts</h2>",
        _table(contents_rows(report)),
        "<h2>Still lacking</h2>",
        _list([str(lack) for lack in report.lacks]) or "<p>Nothing.</p>",
        "<h2>Protocols</h2>",
        *_protocols(report),
        f"<h2>BIDS</h2><p class='quiet'>By {escape(report.checked_by)}.</p>",
        _list([("error: " if one.is_error else "") + str(one) for one in report.findings]) or "<p>Nothing found.</p>",
        "<h2>Quality of the maps</h2>",
        *_qualities(report),
    ]
    if report.notes:
        parts += ["<h2>Notes</h2>", _list(report.notes)]
    title = escape(f"Study report: {report.name}")
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>\n<body>"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _protocols(report: StudyReport) -> list[str]:
    parts = []
    for image in dict.fromkeys(protocol.image for protocol in report.protocols):
        own = [protocol for protocol in report.protocols if protocol.image == image]
        parts += [f"<h3>{escape(image)}</h3>", _table(protocol_rows(own))]
    sentences = [f"{one}" + (f" – {one.why}" if one.why else "") for one in report.protocol_differences]
    return [*parts, _list(sentences) or "<p>They do not differ between sessions.</p>"]


def _qualities(report: StudyReport) -> list[str]:
    if not report.qualities:
        return ["<p>There is no susceptibility map yet.</p>"]
    parts = [_table(quality_rows(report.qualities)), _list(report.unlike)]
    for number, quality in enumerate(report.qualities):
        if quality.picture is None or number >= _MOST_PICTURES:
            continue
        said = "; ".join(remarks(quality))
        caption = escape(quality.label) + (f" <span class='look'>{MARK} {escape(said)}</span>" if said else "")
        image = f"<img src='data:image/jpeg;base64,{_small(quality.picture)}' alt='{escape(quality.label)}'>"
        parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
    left_out = len(report.qualities) - _MOST_PICTURES
    if left_out > 0:
        parts.append(f"<p>{left_out} more pictures lie in sub-*/figures.</p>")
    return parts


def _small(path: Path) -> str:
    """Encode a picture, made smaller, for the page."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((_WIDTH, 4 * _WIDTH))
        buffer = io.BytesIO()
        small.save(buffer, format="JPEG", quality=_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _table(rows: Rows) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str) -> str:
    kind = " class='look'" if MARK in cell else " class='quiet'" if cell == "–" else ""
    return f"<td{kind}>{escape(cell)}</td>"


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>" if sentences else ""
