"""Covariates that are words, such as the scanner: one column for each level but the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_msqsm.growth.design import Covariate

_MOST_LEVELS = 12


def with_columns(rows: pd.DataFrame, covariates: Sequence[Covariate]) -> tuple[pd.DataFrame, tuple[Covariate, ...]]:
    """Replace covariates that are words by columns of 0 and 1, named ``scanner[Prisma]``.

    The first level in alphabetical order is the reference and has no column; group means are taken at the mix of levels
    in the rows.

    Raises
    ------
    InputError
        When a covariate has more than 12 levels: it is a number written wrongly, or an identifier.
    """
    rows, out = rows.copy(), []
    for each in covariates:
        if rows[each.column].dtype.kind in "fiub":
            out.append(each)
            continue
        words = rows[each.column].astype(str)
        levels = sorted(words.unique())
        if len(levels) > _MOST_LEVELS:
            raise InputError(
                f"covariate {each.column} has {len(levels)} different words ({levels[0]!r}, {levels[1]!r} …), more "
                f"than {_MOST_LEVELS}; give numbers, or a column with few levels"
            )
        for level in levels[1:]:
            name = f"{each.column}[{level}]"
            rows[name] = np.asarray(words == level, dtype=np.float64)
            out.append(type(each)(name, each.with_group))
    return rows, tuple(out)
