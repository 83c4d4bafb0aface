"""From converted series to the import table: who, when, what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.acquisitions import acquisitions_of, incomplete, order_of
from napari_msqsm.workflow.dicom_import.existing import Existing
from napari_msqsm.workflow.dicom_import.features import features_of
from napari_msqsm.workflow.dicom_import.gadolinium import verdicts
from napari_msqsm.workflow.dicom_import.grouping import grouped, one_line
from napari_msqsm.workflow.dicom_import.people import patients_of, sessions_of
from napari_msqsm.workflow.dicom_import.plan import ImportPlan, PlannedSeries
from napari_msqsm.workflow.dicom_import.roles import has_agent, propose_role
from napari_msqsm.workflow.dicom_import.settle import by_session, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.io.dicom.series import ConvertedSeries, Staged

_LEAST_ECHOES = 3
_BY_ORDER = 0.6
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def propose(staged: Staged, existing: Existing | None = None) -> ImportPlan:
    """Propose what becomes of every series.

    Parameters
    ----------
    staged
        Converted series.
    existing
        The study that they are added to, and its key.
    """
    existing = existing or Existing()
    rows: list[PlannedSeries] = []
    for patient_id, series in patients_of(map(_with_possible_date, staged.series), existing).items():
        for session_id, visit in sessions_of(patient_id, series, existing).items():
            rows += [_row(one, patient_id, session_id, existing) for one in visit]
    rows = _one_series_per_echo(rows)
    rows = [row for visit in by_session(rows).values() for row in _after_agent(_repeats(visit))]
    rows = _aborted(rows)
    rows.sort(key=lambda row: (row.patient_id, row.session_id, order_of(row.series)))
    return settle(ImportPlan(tuple(rows), staged.left_out, existing=existing))


def _row(series: ConvertedSeries, patient_id: str, session_id: str, existing: Existing) -> PlannedSeries:
    there = existing.row_of(series.series_uid)
    if there is not None:
        why = f"is in the study already, as {there.stem}"
        return PlannedSeries(series, "ignore", 0.99, why, there.patient_id, there.session_id)
    proposal = propose_role(series)
    return PlannedSeries(series, proposal.role, proposal.confidence, proposal.why, patient_id, session_id)


def _one_series_per_echo(rows: Sequence[PlannedSeries]) -> list[PlannedSeries]:
    """Join a gradient echo that was stored as one series per echo: each alone looks like something else."""
    alike = grouped(
        rows,
        lambda row: (
            row.series.study_uid,
            row.series.description,
            row.series.acquired_at,
            one_line(row.series.header.get("ScanningSequence")),
            tuple(sorted({image.shape for image in row.series.images})),
        ),
    )
    joined = {
        row.series.series_uid
        for key, group in alike.items()
        if "GR" in key[3].upper()
        and all(len(row.series.echo_times_s) == 1 for row in group)
        and len({row.series.echo_times_s for row in group}) >= _LEAST_ECHOES
        and not any(row.confidence == 0.99 for row in group)
        for row in group
    }
    why = "gradient echo of several echoes, stored as one series per echo"
    return [
        replace(row, role="MEGRE", confidence=0.75, why=why) if row.series.series_uid in joined else row for row in rows
    ]


def _repeats(rows: Sequence[PlannedSeries]) -> list[PlannedSeries]:
    """One acquisition reconstructed twice, with and without correction of the coil's shading, is one image."""
    out = list(rows)
    twins = grouped(
        [row for row in rows if row.is_kept and row.role != "MEGRE" and row.series.acquired_at is not None],
        lambda row: (row.role, row.series.acquired_at, row.series.echo_times_s, row.series.study_uid),
    )
    for group in twins.values():
        best = max(group, key=lambda row: (_corrections(row.series), -row.series.number))
        for row in group:
            if row is not best:
                why = f"the same acquisition as series {best.series.number}, reconstructed otherwise"
                out[out.index(row)] = replace(row, role="ignore", confidence=0.8, why=why)
    return out


def _after_agent(rows: Sequence[PlannedSeries]) -> list[PlannedSeries]:
    """Take a T1w that says nothing of itself but follows a series with contrast agent for one after it."""
    judged = verdicts(rows)
    out = []
    for row in rows:
        verdict = judged[row.series.series_uid]
        if row.role == "T1w" and verdict.post_gd and has_agent(row.series)[0] is None:
            confidence = min(row.confidence, _BY_ORDER)
            row = replace(row, role="ce-gadolinium_T1w", confidence=confidence, why=f"{row.why}; {verdict.why}")
        out.append(row)
    return out


def _aborted(rows: Sequence[PlannedSeries]) -> list[PlannedSeries]:
    """Leave an aborted scan out where a complete one of the same role is in its session."""
    out = list(rows)
    for patient in grouped([row for row in rows if row.is_kept], lambda row: (row.patient_id, row.role)).values():
        per_session = [acquisitions_of(visit) for visit in by_session(patient).values()]
        alike = [acquisition for group in per_session for acquisition in group]
        for group in per_session:
            lacks = [incomplete(acquisition, alike) for acquisition in group]
            if all(lacks):
                continue
            for acquisition, lack in zip(group, lacks, strict=True):
                for row in acquisition.rows if lack else ():
                    why = f"aborted: {lack}, and a complete {row.role} is there"
                    out[out.index(row)] = replace(row, role="ignore", confidence=0.8, why=why)
    return out


def _corrections(series: ConvertedSeries) -> int:
    words = features_of(series).image_type
    return sum(word in words for word in ("NORM", "DIS2D", "DIS3D", "PFP", "FIL"))


def _with_possible_date(series: ConvertedSeries) -> ConvertedSeries:
    """Take a date that no scanner can have written for none, and say so."""
    when = series.acquired_at
    if when is None or _FIRST_YEAR <= when.year <= _LAST_YEAR:
        return series
    problem = f"its date, in the year {when.year}, is impossible and counts as unknown"
    return replace(series, acquired_at=None, problems=(*series.problems, problem))
