"""Which series belong together: magnitude and phase, echoes, repeated runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.features import features_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from napari_msqsm.io.dicom.series import ConvertedSeries, ImagePart
    from napari_msqsm.workflow.dicom_import.plan import PlannedSeries, Role

_SAME_TIME = timedelta(seconds=90)
"""Magnitude and phase of one acquisition carry the same time, or that of their reconstruction."""
_PARTNERS_APART = 3
_TIME_TOLERANCE_S = 1e-5
_PAIRS: tuple[tuple[ImagePart, ImagePart], ...] = (("mag", "phase"), ("real", "imag"))


@dataclass(frozen=True)
class Acquisition:
    """Rows that were measured at once, in order of series number."""

    rows: tuple[PlannedSeries, ...]

    @property
    def role(self) -> Role:
        """Role of its rows."""
        return self.rows[0].role

    @property
    def order(self) -> tuple[bool, datetime | None, int]:
        """Sort key: when, then series number; what has no time comes last."""
        return order_of(self.rows[0].series)

    @property
    def numbers(self) -> str:
        """Series numbers, for messages."""
        return " and ".join(str(row.series.number) for row in self.rows)

    def echo_times_s(self, *parts: ImagePart) -> tuple[float, ...]:
        """Echo times of some parts, or of all, increasing."""
        found = {
            image.echo_time_s
            for row in self.rows
            for image in row.series.images
            if image.echo_time_s is not None and (not parts or image.part in parts)
        }
        return tuple(sorted(found))

    @property
    def parts(self) -> frozenset[ImagePart]:
        """Which parts it holds."""
        return frozenset(part for row in self.rows for part in row.series.parts)

    @property
    def n_slices(self) -> int:
        """Slices of its images."""
        shapes = (image.shape for row in self.rows for image in row.series.images)
        return max((shape[2] for shape in shapes if len(shape) > 2), default=1)

    @property
    def has_pair(self) -> bool:
        """Whether every echo has magnitude and phase, or real and imaginary parts."""
        return any(
            {one, other} <= self.parts and self.echo_times_s(one) == self.echo_times_s(other) for one, other in _PAIRS
        )


def order_of(series: ConvertedSeries) -> tuple[bool, datetime | None, int]:
    """Sort key of series: when, then series number; what has no time comes last."""
    return (series.acquired_at is None, series.acquired_at, series.number)


def acquisitions_of(rows: Iterable[PlannedSeries]) -> list[Acquisition]:
    """Join rows of one session and one role that were measured at once, in order of time.

    Siemens and others store magnitude and phase as two series, some archives every echo as one: series join where
    they hold different parts or different echoes, on grids of one shape, of the same examination, at the same time.
    """
    groups = [[row] for row in sorted(rows, key=lambda row: order_of(row.series))]
    groups = _joined(_joined(groups, alike=True), alike=False)
    return [Acquisition(tuple(sorted(group, key=lambda row: order_of(row.series)))) for group in groups]


def corrections(acquisition: Acquisition) -> frozenset[str]:
    """Corrections of distortion of its series (``DIS2D``, ``DIS3D`` or none): several where they do not agree."""
    return frozenset(_distortion(row.series) for row in acquisition.rows)


def _joined(groups: Sequence[Sequence[PlannedSeries]], *, alike: bool) -> list[list[PlannedSeries]]:
    """Join each group to the nearest one before it that it belongs to; ``alike``: corrected for distortion alike."""
    out: list[list[PlannedSeries]] = []
    for group in groups:
        fitting = [
            other for other in out if _fit(group, other, alike=alike) and _apart(group, other) <= _PARTNERS_APART
        ]
        if fitting:
            min(fitting, key=lambda other: _apart(group, other)).extend(group)
        else:
            out.append(list(group))
    return out


def _fit(group: Sequence[PlannedSeries], other: Sequence[PlannedSeries], *, alike: bool) -> bool:
    if group[0].role != "MEGRE" or other[0].role != "MEGRE":
        return False
    if alike and {_distortion(row.series) for row in (*group, *other)} != {_distortion(group[0].series)}:
        return False
    return all(_belong(one, two) for one in group for two in other)


def _distortion(series: ConvertedSeries) -> str:
    """Which correction moved its voxels: a magnitude that has it does not lie on a phase that has not."""
    return next((word for word in ("DIS3D", "DIS2D") if word in features_of(series).image_type), "")


def incomplete(acquisition: Acquisition, others: Sequence[Acquisition]) -> str:
    """Say what an acquisition lacks beside others of its role, by which an aborted scan is told; empty for nothing.

    Parameters
    ----------
    acquisition
        The one.
    others
        All of that role by the same protocol, in this session and others of the patient.
    """
    alike = [other for other in others if _name(other) == _name(acquisition)]
    most = max((other.n_slices for other in alike), default=0)
    if acquisition.n_slices < most:
        return f"{acquisition.n_slices} of {most} slices"
    echoes = max((len(other.echo_times_s()) for other in alike), default=0)
    if len(acquisition.echo_times_s()) < echoes:
        return f"{len(acquisition.echo_times_s())} of {echoes} echoes"
    if acquisition.role == "MEGRE" and not acquisition.has_pair and any(other.has_pair for other in alike):
        return "not every echo has magnitude and phase"
    return ""


def _name(acquisition: Acquisition) -> str:
    return " ".join(acquisition.rows[0].series.description.lower().split())


def _apart(group: Sequence[PlannedSeries], other: Sequence[PlannedSeries]) -> int:
    """Distance of the nearest series numbers."""
    return min(abs(one.series.number - two.series.number) for one in group for two in other)


def _belong(one: PlannedSeries, other: PlannedSeries) -> bool:
    a, b = one.series, other.series
    if a.study_uid != b.study_uid or _shapes(a) != _shapes(b):
        return False
    if a.acquired_at is not None and b.acquired_at is not None and abs(a.acquired_at - b.acquired_at) > _SAME_TIME:
        return False
    if not a.parts & b.parts and _same_times(a, b):
        return True
    return not _shared_echo(a, b) and a.description == b.description


def _shapes(series: ConvertedSeries) -> frozenset[tuple[int, ...]]:
    return frozenset(image.shape[:3] for image in series.images)


def _same_times(a: ConvertedSeries, b: ConvertedSeries) -> bool:
    one, other = a.echo_times_s, b.echo_times_s
    if not one or not other:
        return True
    return len(one) == len(other) and all(abs(x - y) <= _TIME_TOLERANCE_S for x, y in zip(one, other, strict=True))


def _shared_echo(a: ConvertedSeries, b: ConvertedSeries) -> bool:
    if not a.echo_times_s or not b.echo_times_s:
        return True
    return any(abs(x - y) <= _TIME_TOLERANCE_S for x in a.echo_times_s for y in b.echo_times_s)
