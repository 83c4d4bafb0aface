"""The people of a synthetic study, drawn before anything is scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.patient import SyntheticPatient

if TYPE_CHECKING:
    from napari_msqsm.phantom.design import StudyDesign


def stream_of(design: StudyDesign, number: int) -> np.random.Generator:
    """Source of all draws of a patient, by number from 0."""
    return np.random.default_rng((design.seed, number))


def drawn_person(rng: np.random.Generator, design: StudyDesign) -> tuple[SyntheticPatient, tuple[float, ...]]:
    """Draw a patient and the times of the sessions, in years since the first.

    With ``stream_of(design, number)`` these are the patients of the study that the design makes.
    """
    times = tuple(
        index * design.interval_y * (1.0 if index == 0 else rng.uniform(0.85, 1.15))
        for index in range(design.n_sessions)
    )
    person = SyntheticPatient.drawn(
        rng,
        n_lesions=design.n_lesions,
        times_y=times,
        heterogeneity_ppb=design.heterogeneity_ppb,
        radius_mm=design.lesion_radius_mm,
        rim_ppb=design.rim_ppb,
    )
    return person, times
