"""Whether a scan was acquired after gadolinium was given in its session.

The agent changes susceptibility (0.1 mM by about 33 ppb), precisely at the session where a lesion enhances. No header
says when it was given, but series do say that it was in: by ContrastBolusAgent, or by their names. The first of them
ends the time in which it was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.features import features_of
from napari_msqsm.workflow.dicom_import.roles import has_agent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_msqsm.io.dicom.series import ConvertedSeries
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries

_BETWEEN_REPEATS = timedelta(minutes=4)
_MIDNIGHT = time(0)
_NEVER = datetime(9999, 12, 31)  # noqa: DTZ001  scanners' times have no zone


@dataclass(frozen=True)
class Verdict:
    """Whether it was acquired after the agent (None: not known), what that rests on, and what should be looked at."""

    post_gd: bool | None
    why: str
    doubt: str = ""


@dataclass(frozen=True)
class _Said:
    """What one row says of itself: after (True), before (False) or nothing (None)."""

    row: PlannedSeries
    agent: bool | None
    source: str

    @property
    def at(self) -> datetime | None:
        """When; midnight is what a header without a time of day gives."""
        found = self.row.series.acquired_at
        return None if found is None or found.time() == _MIDNIGHT else found

    @property
    def name(self) -> str:
        return _named(self.row.series)


def verdicts(rows: Sequence[PlannedSeries], known: Sequence[tuple[str, datetime]] = ()) -> Mapping[str, Verdict]:
    """Judge every series of one session.

    Parameters
    ----------
    rows
        All rows of the session, those that are ignored too: they tell the order.
    known
        Name and true time of series after the agent that the study has of this session already.

    Returns
    -------
    Mapping
        Verdict by series UID.
    """
    said = [_said(row) for row in rows]
    in_header = [bool(features_of(row.series).agent) for row in rows]
    everywhere = len(rows) > 1 and all(in_header)
    if everywhere or any(item.agent is False and agent for item, agent in zip(said, in_header, strict=True)):
        said = [_Said(item.row, None, "") if item.source == "its header" else item for item in said]
    return {item.row.series.series_uid: _judge(item, said, known, everywhere=everywhere) for item in said}


def unmarked_repeat(rows: Sequence[PlannedSeries]) -> tuple[ConvertedSeries, ConvertedSeries] | None:
    """Two T1w of one session by one protocol, minutes apart, of which nothing says that one is after the agent."""
    t1w = [row.series for row in rows if row.role == "T1w" and row.series.acquired_at is not None]
    if len(t1w) < 2 or any(_said(row).agent for row in rows):
        return None
    first, last = min(t1w, key=_time), max(t1w, key=_time)
    apart = _time(last) - _time(first) >= _BETWEEN_REPEATS
    return (first, last) if apart and first.description == last.description else None


def _judge(item: _Said, said: Sequence[_Said], known: Sequence[tuple[str, datetime]], *, everywhere: bool) -> Verdict:
    if item.agent is not None:
        return Verdict(item.agent, f"{item.source} says so")
    marked = [(other.name, other.at, other.source) for other in said if other.agent]
    marked += [(name, at, "the study") for name, at in known]
    if not marked:
        return _without_mark(item, said, everywhere=everywhere)
    if item.at is None or any(at is None for _, at, _ in marked):
        return Verdict(None, "the order of acquisition is not known: there are series without time")
    name, start, source = min(marked, key=lambda entry: entry[1] or _NEVER)
    if item.at == start:
        return Verdict(None, f"it and {name} with contrast agent have the same time")
    if start is None or item.at > start:
        return Verdict(True, f"acquired after {name}, the first series with contrast agent")
    why = f"acquired before {name}, the first series with contrast agent"
    return Verdict(False, why, _doubt(item, said, name, source))


def _without_mark(item: _Said, said: Sequence[_Said], *, everywhere: bool) -> Verdict:
    if everywhere:
        return Verdict(None, "every series of the session names the agent: no header tells when it was given")
    repeat = unmarked_repeat([other.row for other in said])
    if repeat is not None and (item.at is None or item.at > _time(repeat[0])):
        return Verdict(None, f"{_named(repeat[1])} may be after an agent that no header names")
    return Verdict(False, "no series of the session names a contrast agent")


def _doubt(item: _Said, said: Sequence[_Said], name: str, source: str) -> str:
    """Between the last series without and the first with the agent, only a header could tell when it was given."""
    if source == "its header" or item.row.role != "MEGRE":
        return ""
    native = [other.at for other in said if other.agent is False or (other.row.role == "T1w" and not other.agent)]
    times = [at for at in native if at is not None]
    if item.at is None or not times or max(times) > item.at:
        return ""
    return f"acquired between the last series without and {name} with agent; correct it if the agent was given before"


def _said(row: PlannedSeries) -> _Said:
    agent, source = has_agent(row.series)
    if row.role == "ce-gadolinium_T1w" and (agent is None or row.confidence == 1.0):
        return _Said(row, True, "its role")
    if row.role == "T1w" and row.confidence == 1.0:
        return _Said(row, False, "its role")
    return _Said(row, agent, source)


def _named(series: ConvertedSeries) -> str:
    return f"series {series.number} ({series.description})" if series.description else f"series {series.number}"


def _time(series: ConvertedSeries) -> datetime:
    assert series.acquired_at is not None
    return series.acquired_at
