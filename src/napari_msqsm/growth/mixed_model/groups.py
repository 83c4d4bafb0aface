"""Sums over lesions and patients that the likelihood needs: made once, whatever the variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError, ShapeMismatchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows sorted into lesions, and lesions into patients.

    Parameters
    ----------
    patient_of_row, lesion_of_row
        (n,) numbers from 0; lesions are numbered so that those of one patient follow each other.
    effects
        (n, q) columns of the patient's random effects: ones, and the age for a random slope.
    n_in_lesion
        (L,) rows of each lesion.
    patient_of_lesion
        (L,).
    first_lesion
        (P,) first lesion of each patient.
    nested
        Whether lesions have a random intercept of their own.
    """

    patient_of_row: NDArray[np.intp]
    lesion_of_row: NDArray[np.intp]
    effects: NDArray[np.float64]
    n_in_lesion: NDArray[np.float64]
    patient_of_lesion: NDArray[np.intp]
    first_lesion: NDArray[np.intp]
    nested: bool

    @classmethod
    def of(cls, patient: ArrayLike, lesion: ArrayLike | None = None, slope: ArrayLike | None = None) -> Groups:
        """Sort rows.

        Parameters
        ----------
        patient
            (n,) identifiers.
        lesion
            (n,) identifiers within the patient: the same name in two patients means two lesions. None for a model
            without an effect of the lesion.
        slope
            (n,) variable that has a random slope for each patient; None for random intercepts alone.

        Raises
        ------
        ShapeMismatchError
            When lengths differ.
        InputError
            When there is no row.
        """
        patients = _numbered(patient)
        n = patients.size
        if n == 0:
            raise InputError("there is no row to fit; check the table")
        lesions = np.zeros(n, dtype=np.intp) if lesion is None else _numbered(lesion)
        columns = [np.ones(n)] + ([] if slope is None else [np.asarray(slope, dtype=np.float64)])
        if lesions.size != n or any(column.shape != (n,) for column in columns):
            raise ShapeMismatchError(f"patient, lesion and slope must have one value per row; got {n} patients")
        both, lesion_of_row = np.unique(np.stack([patients, lesions], axis=1), axis=0, return_inverse=True)
        lesion_of_row = lesion_of_row.ravel()
        patient_of_lesion = both[:, 0]
        first = np.flatnonzero(np.diff(patient_of_lesion, prepend=-1))
        return cls(
            patients,
            lesion_of_row,
            np.stack(columns, axis=1),
            np.bincount(lesion_of_row).astype(np.float64),
            patient_of_lesion,
            first,
            lesion is not None,
        )

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return self.first_lesion.size

    @property
    def n_lesions(self) -> int:
        """Number of lesions; that of patients in a model without lesions."""
        return self.n_in_lesion.size

    def by_lesion(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (n, …) rows of each lesion: (L, …)."""
        order = np.argsort(self.lesion_of_row, kind="stable")
        starts = np.concatenate([[0], np.cumsum(self.n_in_lesion).astype(np.intp)[:-1]])
        return _added(values[order], starts)

    def by_patient(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (L, …) lesions of each patient: (P, …)."""
        return _added(values, self.first_lesion)


def _added(values: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(np.add.reduceat(values, starts, axis=0))


def _numbered(names: ArrayLike) -> NDArray[np.intp]:
    array: NDArray[Any] = np.asarray(names)
    return np.asarray(np.unique(array, return_inverse=True)[1], dtype=np.intp).ravel()
