"""Tab-separated tables, as BIDS has them. Importing pandas takes a quarter of a second: it waits for the first one."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError
from napari_msqsm.io.atomic import atomic_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_MISSING = ["n/a", "N/A", "NA", ""]


def read_table(path: Path, *, text_columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a TSV or CSV file, also ``.gz``; ``n/a``, ``NA`` and empty fields are missing.

    Parameters
    ----------
    path
        The file; commas separate where its name says CSV, tabs otherwise.
    text_columns
        Columns that stay text (``01`` is not 1).

    Raises
    ------
    InputError
        When it does not exist or is not a table.
    """
    import pandas as pd

    path = Path(path)
    separator = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            return pd.read_csv(
                path,
                sep=separator,
                index_col=False,
                na_values=_MISSING,
                keep_default_na=False,
                dtype=dict.fromkeys(text_columns, str),
                encoding="utf-8-sig",
            )
    except FileNotFoundError:
        raise InputError(f"table {path} does not exist; check the path") from None
    except (OSError, EOFError, ValueError, zlib.error, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise InputError(f"table {path} cannot be read ({str(error).splitlines()[0].strip('. ')})") from None


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a TSV file atomically; missing is ``n/a``."""
    with atomic_path(Path(path)) as temporary:
        table.to_csv(temporary, sep="\t", na_rep="n/a", index=False, lineterminator="\n", encoding="utf-8")


def cells(row: pd.Series[Any]) -> dict[str, Any]:
    """Row as plain Python values; missing ones are left out."""
    import pandas as pd

    return {str(key): _plain(value) for key, value in row.items() if not pd.isna(value)}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
