"""Quality numbers in words, without Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality.limits import suspicions
from napari_msqsm.qsm.quality.numbers import MEANING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TITLES = {
    "csf_mean_ppb": "χ of CSF",
    "csf_sd_ppb": "Spread of χ in CSF",
    "csf_volume_mm3": "CSF volume",
    "brain_mean_ppb": "χ of the brain",
    "mask_volume_mm3": "Brain mask volume",
    "kept_fraction": "Brain with a χ",
    "local_field_sd_ppb": "Spread of the local field",
    "field_noise_median_ppb": "Noise of the field",
    "fit_residual_median": "Misfit of the field fit",
    "snr_first_echo": "SNR, first echo",
    "snr_combined": "SNR, all echoes",
    "wraps_left_fraction": "Wraps left",
    "edge_energy_ratio": "Field at the edge / inside",
    "harmonic_fraction": "Harmonic part of the field",
    "streak_index": "Streaks",
    "chi_noise_ppb": "Noise of χ",
    "reference_shift_ppb": "Shift of the zero",
}
_ORDER = (
    "snr_first_echo",
    "snr_combined",
    "fit_residual_median",
    "field_noise_median_ppb",
    "wraps_left_fraction",
    "mask_volume_mm3",
    "kept_fraction",
    "local_field_sd_ppb",
    "edge_energy_ratio",
    "harmonic_fraction",
    "csf_volume_mm3",
    "csf_mean_ppb",
    "csf_sd_ppb",
    "brain_mean_ppb",
    "reference_shift_ppb",
    "streak_index",
    "chi_noise_ppb",
)
"""Along the chain: signal, field, masks, background, map."""
_NONE = "<p>There is no susceptibility map of this session yet.</p>"
_TAKEN_OVER = "<p>This map was not made here: nothing is known of its quality.</p>"


@dataclass(frozen=True)
class QualityRow:
    """One number, ready to be read.

    Parameters
    ----------
    title, value, meaning
        Its name, its value with unit, and what it is.
    suspicion
        What it suggests where it is unusual, else empty.
    """

    title: str
    value: str
    meaning: str
    suspicion: str = ""


def quality_rows(quality: Mapping[str, float | None]) -> list[QualityRow]:
    """Numbers in the order in which the chain makes them; unknown names come last."""
    unusual = suspicions(quality)
    names = [name for name in _ORDER if name in quality] + [name for name in quality if name not in _ORDER]
    return [
        QualityRow(_TITLES.get(name, name), _value(name, quality[name]), MEANING.get(name, ""), unusual.get(name, ""))
        for name in names
    ]


def quality_warnings(quality: Mapping[str, float | None]) -> list[str]:
    """One sentence for every unusual number."""
    return [f"{row.title} {row.value}: {row.suspicion}" for row in quality_rows(quality) if row.suspicion]


def quality_html(quality: Mapping[str, float | None], *, has_map: bool) -> str:
    """All numbers with their meaning, as HTML; the unusual ones are marked.

    Parameters
    ----------
    quality
        Of one session.
    has_map
        Whether there is a map that they would belong to.
    """
    if not quality:
        return _TAKEN_OVER if has_map else _NONE
    lines = []
    for row in quality_rows(quality):
        title, value, meaning = (escape(text) for text in (row.title, row.value, row.meaning))
        mark = f"⚠ <i>{escape(row.suspicion)}</i><br>" if row.suspicion else ""
        value = f"⚠ {value}" if row.suspicion else value
        lines.append(
            f'<tr><td width="78%"><b>{title}</b><br>{mark}<small>{meaning}</small></td>'
            f'<td width="22%" align="right" style="white-space: nowrap">{value}</td></tr>'
        )
    return f'<table width="100%" cellspacing="4">{"".join(lines)}</table>'


def _value(name: str, value: float | None) -> str:
    """Value with its unit, as precise as it is worth."""
    if value is None or math.isnan(value):
        return "not known"
    value += 0.0  # no negative zero
    if name.endswith("_mm3"):
        return f"{value / 1000:,.0f} cm³" if value >= 1e5 else f"{value:,.0f} mm³"
    if name.endswith("_ppb"):
        return f"{round(value, 1) + 0.0:.1f} ppb"
    if name == "wraps_left_fraction":
        return "none" if value == 0 else f"{100 * value:.2g} %"
    if name.endswith("_fraction"):
        return f"{100 * value:.0f} %"
    if name.startswith("snr"):
        return f"{value:.0f}"
    return f"{100 * value:.1f} %" if name == "fit_residual_median" else f"{value:.2f}"
