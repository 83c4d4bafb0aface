"""The bundled sample study: what it is made of, where it lies, and a copy to work on."""

from __future__ import annotations

import shutil
from pathlib import Path

from napari_msqsm.errors import InputError
from napari_msqsm.phantom.design import StudyDesign

SAMPLE_DESIGN = StudyDesign(
    n_patients=1,
    n_sessions=3,
    n_lesions=6,
    voxel_size_mm=(1.8, 1.8, 3.0),
    flair_voxel_size_mm=(1.6, 1.6, 3.0),
    field_of_view_mm=(167.4, 208.8, 108.0),
    n_echoes=4,
    noise=0.008,
    blank_air=True,
    true_fields=False,
    magnitude_levels=300,
    seed=3,
)
"""Small enough to be bundled: below 5 MB a session."""

_PACKAGE = Path(__file__).resolve().parents[1]


def sample_study_path() -> Path:
    """Where the sample study lies: inside an installed package, or beside the sources of an editable one.

    Raises
    ------
    InputError
        When it is not there.
    """
    for folder in (_PACKAGE / "sample_data", _PACKAGE.parents[1] / "sample_data"):
        if (folder / "dataset_description.json").is_file():
            return folder
    raise InputError("the sample study is missing from this installation; install napari-msqsm again")


def copy_sample_study(to: Path) -> Path:
    """Copy the sample study to a folder of the user, where results may be written; keeps what is there already.

    Raises
    ------
    InputError
        When the folder holds something else than this study.
    """
    source = sample_study_path()
    if to.exists() and (not to.is_dir() or (any(to.iterdir()) and not _is_copy(source, to))):
        raise InputError(f"{to} holds something else; give a new folder for the sample study")
    shutil.copytree(source, to, dirs_exist_ok=True, copy_function=_copy_missing)
    return to


def _is_copy(source: Path, to: Path) -> bool:
    theirs = to / "dataset_description.json"
    return theirs.is_file() and theirs.read_bytes() == (source / "dataset_description.json").read_bytes()


def _copy_missing(source: str, to: str) -> str:
    target = Path(to)
    if not target.exists() or target.stat().st_size != Path(source).stat().st_size:
        shutil.copyfile(source, to)
    return to
