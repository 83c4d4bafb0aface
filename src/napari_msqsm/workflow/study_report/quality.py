"""Quality numbers of the reconstructions that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError
from napari_msqsm.io.sidecar import stem_of
from napari_msqsm.qsm.quality.limits import suspicions
from napari_msqsm.workflow.patient_record import differences, makings_of
from napari_msqsm.workspace.freshness import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study


@dataclass(frozen=True)
class MapQuality:
    """How good one map is.

    Parameters
    ----------
    label
        Session, or name of the folder.
    numbers
        Quality numbers by the names of `napari_msqsm.qsm.quality.numbers.MEANING`; empty where the map was made
        elsewhere.
    suspicious
        Number → what its unusual value suggests.
    warnings
        Recorded with the map.
    converged
        Whether every iteration did.
    adopted
        Whether the map was made by another program.
    picture
        Picture to judge it by; None where there is none.
    """

    label: str
    numbers: Mapping[str, float | None]
    suspicious: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    converged: bool = True
    adopted: bool = False
    picture: Path | None = None

    @property
    def needs_a_look(self) -> bool:
        """Whether a person should look at the map before anything rests on it."""
        return bool(self.suspicious or self.warnings) or not self.converged

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "label": self.label,
            "numbers": dict(self.numbers),
            "suspicious": dict(self.suspicious),
            "warnings": list(self.warnings),
            "converged": self.converged,
            "adopted": self.adopted,
            "picture": str(self.picture) if self.picture else None,
        }


def qualities_of(study: Study) -> tuple[MapQuality, ...]:
    """Read the records of all maps of a study."""
    found = []
    for session in study.sessions:
        path = session.derivatives.get("Chimap")
        if path is None:
            continue
        record = read_record(path.with_name(stem_of(path) + ".json"))
        found.append(quality_from(session.label, record or {}, picture_path(study, session.label)))
    return tuple(found)


def quality_of_folder(folder: Path) -> MapQuality:
    """Read the record of a reconstruction outside a study.

    Raises
    ------
    InputError
        When the folder holds none.
    """
    record = read_record(folder / "provenance.json")
    if record is None or not (folder / "Chimap.nii.gz").is_file():
        raise InputError(f"{folder} holds no reconstruction (Chimap.nii.gz with provenance.json) and no BIDS study")
    return quality_from(folder.resolve().name, record, folder / "qa.png")


def quality_from(label: str, record: Mapping[str, Any], picture: Path) -> MapQuality:
    """Judge the numbers of a record."""
    recorded = record.get("Quality") or {}
    numbers = {
        str(name): None if value is None else float(value)
        for name, value in recorded.items()
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    }
    return MapQuality(
        label=label,
        numbers=numbers,
        suspicious=suspicions(numbers),
        warnings=tuple(str(sentence) for sentence in record.get("Warnings") or ()),
        converged=bool(record.get("Converged", True)),
        adopted=bool(record.get("Adopted", False)),
        picture=picture if picture.is_file() else None,
    )


def picture_path(study: Study, label: str) -> Path:
    """Where the picture of a session lies."""
    return study.derivatives_root / label.split("_", 1)[0] / "figures" / f"{label}_desc-qsm_qa.png"


def made_differently(study: Study) -> tuple[str, ...]:
    """Say of which patients the maps were not made alike."""
    return tuple(
        f"sub-{patient.patient_id}: {sentence}"
        for patient in study.patients
        for sentence in differences(makings_of(study.derivatives_root, patient.patient_id))
    )
