"""The curve of one lesion while somebody draws it: the same numbers as in the table, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.workflow.measure.flags import joined, split
from napari_msqsm.workflow.measure.measuring import Measuring

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_msqsm.workflow.reference.references import References
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing


@dataclass(frozen=True)
class CurvePoint:
    """One lesion at one session.

    Parameters
    ----------
    session
        BIDS name of the session.
    age_y
        Years since its onset, negative before; None without onset or dates.
    chi_ppb
        χ relative to its normal-appearing white matter; None where it cannot be told (see ``flags``).
    raw_ppb, nawm_ppb
        What it is the difference of.
    flags
        Names of `napari_msqsm.workflow.measure.flags.FLAGS`.
    """

    session: str
    age_y: float | None
    chi_ppb: float | None
    raw_ppb: float | None
    nawm_ppb: float | None
    flags: tuple[str, ...]


class LiveCurve:
    """Curves of the lesions of a drawing as it is now.

    Parameters
    ----------
    drawing, maps
        Of the patient; maps that were forgotten and read again need a new one.
    references
        Of the same drawing; made when not given.
    outdated
        Sessions whose map is known to be outdated.

    Notes
    -----
    Images are read and the white matter is found when the first curve is asked for, which takes seconds: call `prepare`
    in a task before. A curve takes a few milliseconds per session afterwards, however large the images are.
    """

    def __init__(
        self,
        drawing: Drawing,
        maps: PatientMaps,
        references: References | None = None,
        *,
        outdated: Collection[str] = (),
    ) -> None:
        self._measuring = Measuring(drawing, maps, references)
        self._outdated = frozenset(outdated)

    def prepare(self) -> None:
        """Read all images and find the white matter."""
        self._measuring.prepare()

    def forget_regions(self) -> None:
        """Look at all references again: the drawing may have changed in one thread while another one measured."""
        self._measuring.references.forget_regions()

    def curve(self, label: int) -> tuple[CurvePoint, ...]:
        """Measure a lesion at every session, in order.

        Raises
        ------
        ParameterError
            When there is no such lesion.
        """
        drawing = self._measuring.drawing
        rois = self._measuring.lesion(label)
        lesion = drawing.lesion(label)
        excluded = {"excluded_by_reader"} if lesion is not None and lesion.excluded else set()
        points = []
        for images in self._measuring.sessions:
            session = images.session.label
            roi = rois.at(images)
            flags = roi.flags | excluded | ({"outdated_map"} if session in self._outdated else set())
            age_y = self._measuring.age_y(session, rois.onset)
            points.append(CurvePoint(session, age_y, roi.chi_ppb, roi.raw_ppb, roi.nawm_ppb, split(joined(flags))))
        return tuple(points)
