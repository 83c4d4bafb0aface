"""What is measured on in a patient, looked at once: images of the sessions, references, lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import MsqsmError, ParameterError
from napari_msqsm.workflow.measure.kept import Kept
from napari_msqsm.workflow.measure.roi import LesionRois
from napari_msqsm.workflow.measure.session_images import SessionImages
from napari_msqsm.workflow.reference.references import References
from napari_msqsm.workflow.workbench.propagate import propagation_plan

if TYPE_CHECKING:
    from napari_msqsm.workflow.reference.region import ReferenceRegion
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing

DAYS_PER_YEAR = 365.25


class Measuring:
    """Everything that the lesions of a patient are measured with.

    Parameters
    ----------
    drawing, maps
        Of the patient. The drawing may change: what is asked for is measured in it as it is then.
    references
        Of the same drawing; made when not given.
    """

    def __init__(self, drawing: Drawing, maps: PatientMaps, references: References | None = None) -> None:
        self.drawing, self.maps = drawing, maps
        self.references = references or References(drawing, maps)
        self.sessions = tuple(SessionImages(maps, session) for session in maps.sessions)
        self._by_label = {each.session.label: each for each in self.sessions}
        self._kept = Kept()
        self._no_references = ""

    def prepare(self) -> None:
        """Read all images and find the white matter; what is measured afterwards comes at once."""
        for images in self.sessions:
            _ = images.flags, images.lost, images.holes
        self._reference(0)

    def lesion(self, label: int) -> LesionRois:
        """One lesion, ready to be measured.

        Raises
        ------
        ParameterError
            When there is no such lesion.
        """
        if self.drawing.lesion(label) is None:
            raise ParameterError(f"there is no lesion {label} to measure")
        stale = frozenset(propagation_plan(self.drawing, self.maps, label).sessions("renew"))
        return LesionRois(self.drawing, self.maps, label, self._reference(label), kept=self._kept, stale=stale)

    def images(self, session: str) -> SessionImages | None:
        """Images of a session by BIDS name; None where there is no such session, or it repeats another one."""
        return self._by_label.get(session)

    def age_y(self, session: str, onset: str) -> float | None:
        """Age in years at a session of a lesion that first enhances at another one; None without dates or onset."""
        here, first = self.images(session), self.images(onset)
        days = None if here is None or first is None else here.session.days_since(first.session)
        return None if days is None else days / DAYS_PER_YEAR

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known of the images, as far as they were looked at."""
        told = [note for images in self.sessions for note in images.notes]
        return (*told, *((self._no_references,) if self._no_references else ()))

    def _reference(self, label: int) -> ReferenceRegion | None:
        """Find the reference of a lesion; None where nothing tells where white matter is."""
        if self._no_references:
            return None
        try:
            if not any(images.map is not None for images in self.sessions):
                return None
            return self.references.region(label)
        except MsqsmError as error:
            self._no_references = f"there is no reference: {error}"
            return None
