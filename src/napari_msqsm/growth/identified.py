"""Whether the rows can tell the variances of a model apart at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.mixed_model.groups import Groups

_TOLERANCE = 1e-9


def unidentified(design: NDArray[np.float64], groups: Groups) -> tuple[str, ...]:
    """Say which variances cannot be told from the fixed effects, one sentence each; empty where all can.

    Parameters
    ----------
    design
        (n, p) fixed effects.
    groups
        Sorted rows.

    Notes
    -----
    A variance needs at least one direction in which its random effects move the rows and the fixed effects (and the
    random effects above it) do not: ``rank [X Z_p] > rank X`` for patients, ``rank [X Z_p Z_l] > rank [X Z_p]`` for
    lesions, ``n > rank [X Z_p Z_l]`` for the residual (Henderson's method 3, Biometrics 1953;9:226, doi
    10.2307/3001853).
    """
    n = design.shape[0]
    ranks = [_rank(design), _with_patients(design, groups, groups.patient_of_row)]
    words = ["patients"]
    if groups.nested:
        ranks.append(_with_patients(design, groups, groups.lesion_of_row))
        words.append("lesions")
    out = [
        f"the variance of {word} cannot be told from the fixed effects, which leave no difference between {word}; take "
        "a simpler time basis or fewer covariates"
        for word, below, above in zip(words, ranks, ranks[1:], strict=False)
        if above <= below
    ]
    if n <= ranks[-1]:
        out.append("there is no residual left: every row is explained by fixed and random effects")
    return tuple(out)


def _with_patients(design: NDArray[np.float64], groups: Groups, level: NDArray[np.intp]) -> int:
    """Rank of fixed effects, intercepts of a level (patients or lesions) and slopes of patients together.

    What is left of the fixed effects beside the others adds to the number of the others.
    """
    rank = int(level.max()) + 1
    left = _centred(design, level)
    for slope in groups.effects.T[1:]:
        along = _centred(slope[:, None], level)
        size = _sums(along**2, groups.patient_of_row)
        real = size > _TOLERANCE * max(1.0, float(size.max()))
        rank += int(np.count_nonzero(real))
        part = _sums(along * left, groups.patient_of_row) / np.where(real, size, 1.0) * real
        left = left - along * part[groups.patient_of_row]
    return rank + _rank(left, design)


def _centred(values: NDArray[np.float64], level: NDArray[np.intp]) -> NDArray[np.float64]:
    means = _sums(values, level) / np.bincount(level)[:, None]
    return np.asarray(values - means[level])


def _sums(values: NDArray[np.float64], level: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.stack([np.bincount(level, weights=column) for column in values.T], axis=1)


def _rank(matrix: NDArray[np.float64], unit: NDArray[np.float64] | None = None) -> int:
    """Rank with every column in units of its own length, or of that in ``unit``."""
    lengths = np.linalg.norm(matrix if unit is None else unit, axis=0)
    return int(np.linalg.matrix_rank(matrix / np.where(lengths > 0, lengths, 1.0), tol=_TOLERANCE * matrix.shape[0]))
