"""Where a patient's drawing lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane, PlaneKind

if TYPE_CHECKING:
    from pathlib import Path

_OF_PATIENT = {
    ONSET: "space-baseline_desc-lesions_dseg",
    VEIN: "space-baseline_desc-veins_dseg",
    NAWM: "space-baseline_desc-nawm_dseg",
}
_OF_SESSION = {
    PlaneKind.FLAIR: "space-FLAIR_desc-lesions_dseg",
    PlaneKind.FOLLOW_UP: "space-baseline_desc-lesions_dseg",
}


@dataclass(frozen=True)
class Places:
    """Files and folders of a patient's drawing.

    Parameters
    ----------
    root
        Root of the derivatives.
    patient_id
        Without ``sub-``.
    """

    root: Path
    patient_id: str

    @property
    def name(self) -> str:
        """``sub-01``."""
        return f"sub-{self.patient_id}"

    @property
    def home(self) -> Path:
        """Folder of the patient."""
        return self.root / self.name

    @property
    def lesions(self) -> Path:
        """Table of the lesions, one row each."""
        return self.home / f"{self.name}_lesions.tsv"

    @property
    def follow_ups(self) -> Path:
        """Table of what is known of lesions at sessions after their onset."""
        return self.home / f"{self.name}_followups.tsv"

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.home / f"{self.name}_journal"

    @property
    def audit(self) -> Path:
        """Who did what and when."""
        return self.home / f"{self.name}_audit.tsv"

    @property
    def lock(self) -> Path:
        """Who draws."""
        return self.home / f"{self.name}.lock"

    def plane(self, plane: Plane) -> Path:
        """Label image of a plane."""
        if plane in _OF_PATIENT:
            return self.home / "anat" / f"{self.name}_{_OF_PATIENT[plane]}.nii.gz"
        folder = self.root.joinpath(*plane.session.split("_"))
        return folder / "anat" / f"{plane.session}_{_OF_SESSION[plane.kind]}.nii.gz"

    def relative(self, path: Path) -> str:
        """Path as the journal names it: below the folder of the patient."""
        return path.relative_to(self.home).as_posix()
