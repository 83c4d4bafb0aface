"""Errors of many lesions in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from followed.errors import LesionErrors

LARGE_MM = 3.5
COMPARED = (("known", "true"), ("read", "known"), ("read", "true"), ("true", "own"), ("read", "own"))


def differences(errors: Sequence[LesionErrors], one: str, other: str) -> NDArray[np.float64]:
    """(n, 3) ``one − other`` at onset, at year 1, and of the change; NaN where there is no number."""
    at = np.array([[a - b for a, b in zip(getattr(e, one), getattr(e, other), strict=True)] for e in errors])
    return np.column_stack([at, at[:, 1] - at[:, 0]])


def summary(errors: Sequence[LesionErrors]) -> dict[str, float]:
    """Bias and median absolute error of every comparison, for large and small lesions with and without a rim."""
    found: dict[str, float] = {}
    for size, large in (("r >= 3.5 mm", True), ("r < 3.5 mm", False)):
        for kind, rims in (("rim+", {True}), ("rim-", {False}), ("all", {True, False})):
            chosen = [each for each in errors if (each.radius_mm >= LARGE_MM) is large and each.rim in rims]
            if not chosen:
                continue
            name = f"{size}, {kind}"
            found[f"{name}: lesions"] = len(chosen)
            found[f"{name}: dice_median"] = float(np.nanmedian([each.dice for each in chosen]))
            found[f"{name}: without a number"] = int(sum(not np.all(np.isfinite(each.read)) for each in chosen))
            for one, other in COMPARED:
                values = differences(chosen, one, other)
                bias, error = np.nanmean(values, axis=0), np.nanmedian(np.abs(values), axis=0)
                for when, b, e in zip(("onset", "year 1", "change"), bias, error, strict=True):
                    found[f"{name}: {one} - {other}, {when}: bias_ppb"] = float(b)
                    found[f"{name}: {one} - {other}, {when}: median_ppb"] = float(e)
    return found
