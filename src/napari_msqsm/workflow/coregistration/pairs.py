"""Which images of a patient are aligned to which: everything to the magnitude of the baseline's gradient echo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids import derivative_path
from napari_msqsm.model.study import CONTRASTS

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Contrast, Patient, Session, Study

GRE = "MEGRE"
_NAMES = {"ce-gadolinium_T1w": "ceT1w"}
"""Words of a file name hold letters and digits only."""


@dataclass(frozen=True)
class Pair:
    """A moving image and the fixed image that it is aligned to.

    Parameters
    ----------
    patient_id
        Without ``sub-``.
    session
        Label of the moving image's session, such as ``sub-01_ses-02``.
    contrast
        ``MEGRE``, ``FLAIR``, ``T1w``, ``ce-gadolinium_T1w`` or ``T2w``.
    moving
        Its files: every echo of a gradient echo (root sum of squares is taken), one file otherwise.
    fixed_session
        Label of the baseline.
    fixed
        Files of the baseline's gradient echo.
    xfm
        Where its transform lies or will lie: ITK text, baseline → moving image.
    """

    patient_id: str
    session: str
    contrast: str
    moving: tuple[Path, ...]
    fixed_session: str
    fixed: tuple[Path, ...]
    xfm: Path

    @property
    def name(self) -> str:
        """What the user calls it: ``sub-01_ses-02 FLAIR``."""
        return f"{self.session} {self.contrast}"

    @property
    def record(self) -> Path:
        """JSON file beside the transform."""
        return self.xfm.with_suffix(".json")

    @property
    def same_contrast(self) -> bool:
        """Whether both images are gradient echoes."""
        return self.contrast == GRE


def baseline_of(patient: Patient) -> Session | None:
    """Earliest session with the magnitude of a gradient echo that can be read; None where there is none.

    A session that repeats another one is taken only where nothing else is left.
    """
    usable = [session for session in patient.sessions if magnitude_files(session)]
    first_scans = [session for session in usable if "rescan_of" not in session.covariates]
    return next(iter(first_scans or usable), None)


def magnitude_files(session: Session) -> tuple[Path, ...]:
    """Files that the magnitude is made of: its echoes, or real and imaginary parts; none where they are unusable."""
    if session.unusable:
        return ()
    by_part = {part: tuple(echo.path for echo in session.gre if echo.part == part) for part in ("mag", "real", "imag")}
    if by_part["mag"]:
        return by_part["mag"]
    return by_part["real"] + by_part["imag"] if by_part["real"] and by_part["imag"] else ()


def pairs_of(study: Study, patient: Patient | str, *, out_dir: Path | None = None) -> tuple[Pair, ...]:
    """Pairs of a patient, session by session: first its gradient echo, then the contrasts that there are.

    Parameters
    ----------
    study
        Where the patient belongs.
    patient
        The patient, or its identifier with or without ``sub-``.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Returns
    -------
    tuple of Pair
        None for the baseline's own gradient echo; empty where no session has a gradient echo that can be read.

    Raises
    ------
    InputError
        When there is no such patient.
    """
    person = patient_of(study, patient)
    baseline = baseline_of(person)
    if baseline is None:
        return ()
    fixed, pairs = magnitude_files(baseline), []
    for session in person.sessions:
        images: dict[str, tuple[Path, ...]] = {}
        if session is not baseline and (moving := magnitude_files(session)):
            images[GRE] = moving
        images |= {contrast: (session.contrasts[contrast],) for contrast in CONTRASTS if contrast in session.contrasts}
        for contrast, paths in images.items():
            xfm = transform_path(study, session, contrast, out_dir)
            pairs.append(Pair(person.patient_id, session.label, contrast, paths, baseline.label, fixed, xfm))
    return tuple(pairs)


def patient_of(study: Study, patient: Patient | str) -> Patient:
    """Patient by identifier, with or without ``sub-``.

    Raises
    ------
    InputError
        When there is no such patient.
    """
    if not isinstance(patient, str):
        return patient
    wanted = patient.removeprefix("sub-")
    found = next((person for person in study.patients if person.patient_id == wanted), None)
    if found is None:
        known = ", ".join(person.patient_id for person in study.patients)
        raise InputError(f"there is no patient {patient!r}; patients: {known}")
    return found


def transform_path(study: Study, session: Session, contrast: Contrast | str, out_dir: Path | None = None) -> Path:
    """Where the transform of an image goes: ``…_from-FLAIR_to-baseline_mode-image_xfm.txt``."""
    suffix = f"from-{_NAMES.get(contrast, contrast)}_to-baseline_mode-image_xfm"
    path = result_path(study, session, suffix, out_dir)
    return path.with_name(path.name.replace(".nii.gz", ".txt"))


def result_path(study: Study, session: Session, suffix: str, out_dir: Path | None = None) -> Path:
    """Where an image of a session goes below the root of the derivatives."""
    inside = derivative_path(study, session, suffix).relative_to(study.derivatives_root)
    return (out_dir or study.derivatives_root) / inside
