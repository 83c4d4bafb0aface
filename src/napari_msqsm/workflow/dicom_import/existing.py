"""What a study holds already, and who is who in it: a later import gives the same patient the same name and offset."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids import is_bids
from napari_msqsm.workflow.dicom_import.grouping import grouped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

_ECHO_OR_PART = re.compile(r"_(?:echo|part)-[A-Za-z0-9]+")
_MOST_NAMES = 3
_IMAGES = (".nii.gz", ".nii")
_FOLDERS = ("anat", "fmap")


@dataclass(frozen=True)
class KeyRow:
    """One DICOM series and what it became in the study: a line of the private key file.

    Parameters
    ----------
    patient_id, session_id
        Names in the study, without ``sub-`` and ``ses-``.
    stem
        Start of its files' names, such as ``sub-01_ses-02_FLAIR``.
    patient_key, patient_name, birth_date, sex
        Who it is, as the scanner wrote it.
    study_uid, series_uid, series_number, series_description
        Which series it was.
    acquired_at
        When, in true time; None where the header had no date.
    offset_days
        Days by which all dates of this patient were moved; 0 where they were kept.
    """

    patient_id: str
    session_id: str
    stem: str
    patient_key: str
    patient_name: str
    birth_date: str
    sex: str
    study_uid: str
    series_uid: str
    series_number: int
    series_description: str
    acquired_at: datetime | None
    offset_days: int


@dataclass(frozen=True)
class Existing:
    """State of the study that an import is added to; empty for a new one.

    Parameters
    ----------
    key
        All lines of the key file.
    sessions
        Patient → names of its sessions on disk, without their prefixes.
    images
        Names of the images of all sessions, without their ending.
    problems
        One sentence each.
    """

    key: tuple[KeyRow, ...] = ()
    sessions: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    images: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    @cached_property
    def _rows(self) -> dict[str, list[KeyRow]]:
        return grouped(self.key, lambda row: row.series_uid)

    @cached_property
    def _images(self) -> dict[str, list[str]]:
        """Names of images by the name of their session."""
        return grouped(self.images, lambda name: "_".join(name.split("_")[:2]))

    def images_of(self, label: str) -> list[str]:
        """Names of the images of a session with a BIDS name such as ``sub-01_ses-02``."""
        return self._images.get(label, [])

    def offset_days(self, patient_id: str) -> int | None:
        """Days by which the dates of a patient were moved; None for one who is not in the key file."""
        return next((row.offset_days for row in self.key if row.patient_id == patient_id), None)

    def row_of(self, series_uid: str) -> KeyRow | None:
        """Say what a series became, where its files are still in the study."""
        return next((row for row in self._rows.get(series_uid, []) if self.has(row.stem)), None)

    def has(self, stem: str) -> bool:
        """Whether files of an acquisition are in the study: ``…_run-1_MEGRE`` stands for all its echoes and parts."""
        names = self.images_of("_".join(stem.split("_")[:2]))
        return any(_ECHO_OR_PART.sub("", name) == stem for name in names)


def read_existing(bids_dir: Path, key: tuple[KeyRow, ...], *, key_file: Path) -> Existing:
    """Look at the folder that will be written to.

    Raises
    ------
    InputError
        When there is something else than a BIDS dataset.
    """
    if not bids_dir.exists():
        return Existing(key)
    if not bids_dir.is_dir():
        raise InputError(f"{bids_dir} is a file; give the folder of the study")
    if any(not entry.name.startswith(".") for entry in bids_dir.iterdir()) and not is_bids(bids_dir):
        raise InputError(f"{bids_dir} is not empty and not a BIDS dataset; give a new folder or that of a study")
    sessions = {
        place.name.removeprefix("sub-"): frozenset(visit.name.removeprefix("ses-") for visit in place.glob("ses-*/"))
        for place in bids_dir.glob("sub-*/")
    }
    images = frozenset(
        _stem(path.name)
        for folder in _FOLDERS
        for path in bids_dir.glob(f"sub-*/**/{folder}/sub-*")
        if path.name.endswith(_IMAGES)
    )
    problems = []
    strangers = sorted(set(sessions) - {row.patient_id for row in key})
    if strangers:
        names = ", ".join(f"sub-{name}" for name in strangers[:_MOST_NAMES])
        more = ", …" if len(strangers) > _MOST_NAMES else ""
        problems.append(
            f"not in the key file {key_file.name}: {names}{more} of {bids_dir.name}; whether they are among the "
            "patients of this import cannot be known"
        )
    return Existing(key, sessions, images, tuple(problems))


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".nii")
