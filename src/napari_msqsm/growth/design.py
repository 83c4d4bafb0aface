"""Fixed effects of a growth model: columns, their names, and the row that stands for a group at an age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import ParameterError
from napari_msqsm.growth.cleaning import NO_RIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_msqsm.growth.time_basis.basis import TimeBasis

INTERCEPT = "(Intercept)"
GROUP = NO_RIM
"""Name of the group's column: 1 without a rim, 0 with one."""
_WITH_GROUP = "*rim"


@dataclass(frozen=True)
class Covariate:
    """A covariate, alone or with its interaction with the group (``dvolume_mm3*rim``)."""

    column: str
    with_group: bool = False

    @classmethod
    def of(cls, text: str) -> Covariate:
        """Read ``edss`` or ``dvolume_mm3*rim``.

        Raises
        ------
        ParameterError
            When it is neither.
        """
        name = text.strip()
        column = name.removesuffix(_WITH_GROUP).strip()
        if not column or "*" in column:
            raise ParameterError(f"a covariate is a column or COLUMN*rim, got {text!r}")
        return cls(column, name.endswith(_WITH_GROUP))


@dataclass(frozen=True, eq=False)
class Design:
    """Fixed effects ``1 + time + group + covariates + time:group (+ covariate:group)``.

    Parameters
    ----------
    names
        Of the columns.
    matrix
        (n, p).
    basis
        Of time.
    covariates
        Those of the model.
    means
        Mean of each covariate over the rows: where group means are taken.
    two_groups
        Whether the group is in the model.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    basis: TimeBasis
    covariates: tuple[Covariate, ...]
    means: dict[str, float]
    two_groups: bool

    @classmethod
    def of(cls, rows: pd.DataFrame, basis: TimeBasis, covariates: Sequence[Covariate]) -> Design:
        """Make the columns for the rows of a clean table."""
        two_groups = rows["rim"].nunique() > 1
        means = {each.column: float(rows[each.column].mean()) for each in covariates}
        values = {each.column: rows[each.column].to_numpy(dtype=np.float64) for each in covariates}
        group = np.asarray(rows["rim"] == NO_RIM, dtype=np.float64)
        columns = _columns(
            basis, rows["lesion_age_y"].to_numpy(dtype=np.float64), group, covariates, values, two_groups
        )
        return cls(
            tuple(columns), np.stack(list(columns.values()), axis=1), basis, tuple(covariates), means, two_groups
        )

    def at(self, ages_y: NDArray[np.float64], rim: str) -> NDArray[np.float64]:
        """(m, p) rows of a group at (m,) ages, covariates at their means."""
        ages_y = np.asarray(ages_y, dtype=np.float64)
        group = np.full(ages_y.size, float(rim == NO_RIM))
        values = {name: np.full(ages_y.size, mean) for name, mean in self.means.items()}
        columns = _columns(self.basis, ages_y, group, self.covariates, values, self.two_groups)
        return np.stack(list(columns.values()), axis=1)

    @property
    def formula(self) -> str:
        """Fixed effects as R writes them."""
        time = " + ".join(self.basis.names) or "1"
        terms = [f"({time}) * rim" if self.two_groups else time]
        for each in self.covariates:
            terms.append(f"{each.column} * rim" if each.with_group and self.two_groups else each.column)
        return " + ".join(terms)


def _columns(
    basis: TimeBasis,
    ages_y: NDArray[np.float64],
    group: NDArray[np.float64],
    covariates: Sequence[Covariate],
    values: dict[str, NDArray[np.float64]],
    two_groups: bool,
) -> dict[str, NDArray[np.float64]]:
    """Columns by name, main effects first, as R orders them."""
    time = dict(zip(basis.names, basis.evaluate(ages_y).T, strict=True))
    columns = {INTERCEPT: np.ones(ages_y.size), **time}
    if two_groups:
        columns[GROUP] = group
    columns |= {each.column: values[each.column] for each in covariates}
    if two_groups:
        columns |= {f"{name}:{GROUP}": column * group for name, column in time.items()}
        columns |= {f"{each.column}:{GROUP}": values[each.column] * group for each in covariates if each.with_group}
    return columns
