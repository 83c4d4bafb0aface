"""What a folder that a user points at holds: a BIDS study, DICOM, or neither; from a few quick looks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from napari_msqsm.io.bids import is_bids
from napari_msqsm.io.dicom.elements import DamagedError, NotDicomError
from napari_msqsm.io.dicom.instance import NoImageError, read_instance

FolderKind = Literal["bids", "dicom", ""]

_MOST_LOOKS = 500


def folder_kind(folder: Path) -> FolderKind:
    """Tell what a folder holds.

    Parameters
    ----------
    folder
        A dataset description makes it a BIDS study. Without one, a DICOM file among the first 500 files makes it DICOM,
        also where its folders are named ``sub-…``.
    """
    if (folder / "dataset_description.json").is_file():
        return "bids"
    if _has_dicom(folder):
        return "dicom"
    return "bids" if is_bids(folder) else ""


def _has_dicom(folder: Path) -> bool:
    looks = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            if looks == _MOST_LOOKS:
                return False
            looks += 1
            try:
                read_instance(str(Path(place) / name))
            except NotDicomError:
                continue
            except (DamagedError, NoImageError, ImportError):  # rare encodings need a package, reading them says so
                return True
            except OSError:
                continue
            return True
    return False
