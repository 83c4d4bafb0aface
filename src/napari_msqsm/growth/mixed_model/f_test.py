"""Result of a test of several contrasts at once."""

from __future__ import annotations

from dataclasses import dataclass

from napari_msqsm.growth.distributions import f_p


@dataclass(frozen=True)
class FTest:
    """F statistic, degrees of freedom and p value."""

    f: float
    numerator_df: int
    denominator_df: float
    p: float

    @classmethod
    def of(cls, f: float, numerator_df: int, denominator_df: float) -> FTest:
        """Make the test of a statistic."""
        return cls(f, numerator_df, denominator_df, f_p(f, numerator_df, denominator_df))
