"""The files of a study that say what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_msqsm import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

BIDS_VERSION = "1.10.0"
_ACQ_TIME = (
    "Day of the scan, moved by a number of days that is private and the same for all scans of a patient, unless dates "
    "were kept. The time of day is not that of the scan: a session begins at 12:00:00, and what was scanned later in "
    "it follows after the true number of seconds."
)


def study_files(name: str, *, dates_kept: bool) -> Mapping[str, str]:
    """Texts of the files that a new study needs, by file name."""
    description = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "napari-msqsm", "Version": __version__, "Description": "msqsm import"}],
    }
    participants = {
        "participant_id": {"Description": "Patient, numbered in order of the first scan"},
        "sex": {"Description": "Sex in the scanner's header", "Levels": {"F": "female", "M": "male", "O": "other"}},
    }
    sessions = {
        "session_id": {"Description": "Session, numbered in order of import and date"},
        "acq_time": {"Description": _ACQ_TIME},
        "age": {"Description": "Age at the scan; 89 stands for 89 and above", "Units": "year"},
    }
    scans = {
        "filename": {"Description": "Image"},
        "acq_time": {"Description": _ACQ_TIME},
        "post_gd": {
            "Description": "Whether it was acquired after gadolinium was given in this session",
            "Levels": {"true": "after", "false": "before, or none was given", "n/a": "not known"},
        },
    }
    return {
        "dataset_description.json": as_json(description),
        "README.md": _README.format(dates=_TRUE_DATES if dates_kept else _MOVED_DATES),
        "participants.json": as_json(participants),
        "sessions.json": as_json(sessions),
        "scans.json": as_json(scans),
    }


def as_json(value: Any) -> str:
    """JSON text as all our files have it."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_MOVED_DATES = "Dates of each patient are moved by a private number of days; days between scans are true."
_TRUE_DATES = "Dates are true ones."
_README = f"""# Multiple-sclerosis study

Imported from DICOM by `msqsm import` {__version__}.

* Headers hold acquisition parameters from a fixed list and nothing else.
* {{dates}} Times of day are not kept: sessions begin at noon.
* Who is who stands in a key file outside this folder. Keep it private, and keep it: a later import needs it.
* Faces were not removed from the images.
"""
