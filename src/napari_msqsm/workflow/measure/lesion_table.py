"""The lesion table on disk: TSV with a data dictionary, and other formats on request."""

from __future__ import annotations

import csv
import importlib.util
from typing import TYPE_CHECKING, Any, Literal, get_args

from napari_msqsm import __version__
from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.workflow.measure.columns import COLUMNS
from napari_msqsm.workflow.provenance import write_json_file
from napari_msqsm.workspace.freshness import read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.workflow.measure.patient_table import PatientTable
    from napari_msqsm.workflow.measure.row import LesionRow

Format = Literal["tsv", "csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
NAME = "lesion_table"
MISSING = "n/a"
_NEEDS = {"xlsx": "openpyxl", "parquet": "pyarrow"}
_ABOUT = "About"


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that there are not, or that need something that is not installed.

    Raises
    ------
    ParameterError
        Before anything is measured.
    """
    for name in formats:
        if name not in FORMATS:
            raise ParameterError(f"there is no format {name!r}; choose from {', '.join(FORMATS)}")
        if not _installed(name):
            needed = _NEEDS[name]
            raise ParameterError(f"{name} needs {needed}, which is not installed; pip install {needed}, or choose csv")


def write_lesion_table(
    root: Path, tables: Sequence[PatientTable], *, keep: Collection[str] = (), formats: Sequence[str] = ()
) -> dict[str, Path]:
    """Write ``lesion_table.tsv`` and its data dictionary, each at once or not at all.

    Parameters
    ----------
    root
        Root of the derivatives.
    tables
        What was measured.
    keep
        Patients that were not measured now: their rows stay as they are in the table that is there.
    formats
        Of `FORMATS`, beside the TSV. Those that are there from an earlier run are written anew as well, or removed
        where what they need is not installed: no old table stays beside a new one.

    Returns
    -------
    dict
        Files by format; ``json`` is the data dictionary.

    Raises
    ------
    InputError
        When the table that is there cannot be read and rows of it are to be kept.
    """
    path = root / f"{NAME}.tsv"
    kept = _kept_rows(path, keep) if keep else []
    new = [{name: _text(value) for name, value in row.as_dict().items()} for table in tables for row in table.rows]
    rows = sorted([*kept, *new], key=lambda row: row["patient_id"])  # stable: lesions and sessions keep their order
    files = {"tsv": path, "json": path.with_suffix(".json")}
    _write_text(path, rows, "\t")
    write_json_file(files["json"], _dictionary(files["json"], tables, keep))
    for name in FORMATS[1:]:
        other = path.with_suffix(f".{name}")
        if name in formats or (other.is_file() and _installed(name)):
            _write_other(other, name, rows)
            files[name] = other
        else:
            other.unlink(missing_ok=True)
    return files


def as_frame(rows: Sequence[LesionRow]) -> Any:
    """Rows as a data frame with the columns in their order; numbers as numbers, missing ones NaN, words None."""
    return _frame([{name: _text(value) for name, value in row.as_dict().items()} for row in rows])


def _installed(name: str) -> bool:
    """Whether what a format needs is there."""
    return name not in _NEEDS or importlib.util.find_spec(_NEEDS[name]) is not None


def _text(value: Any) -> str:
    """Cell of the table; numbers in as many digits as it takes to read the same number again."""
    if value is None:
        return MISSING
    return repr(value + 0.0) if isinstance(value, float) else str(value)  # + 0.0: no minus zero


def _write_text(path: Path, rows: Sequence[Mapping[str, str]], separator: str) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(COLUMNS), delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_other(path: Path, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    if name == "csv":
        _write_text(path, rows, ",")
        return
    with atomic_path(path) as temporary:
        if name == "xlsx":
            _frame(rows).to_excel(temporary, index=False, sheet_name=NAME)
        else:
            _frame(rows).to_parquet(temporary, index=False)


def _frame(rows: Sequence[Mapping[str, str]]) -> Any:
    import pandas as pd

    columns = {}
    for column in COLUMNS.values():
        cells = [None if row[column.name] == MISSING else row[column.name] for row in rows]
        if column.text:
            columns[column.name] = pd.Series(cells, dtype=object)
        else:
            columns[column.name] = pd.Series([float("nan") if cell is None else float(cell) for cell in cells])
    return pd.DataFrame(columns)


def _kept_rows(path: Path, keep: Collection[str]) -> list[dict[str, str]]:
    """Rows of patients in the table that is there; columns that it lacks are missing."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"table {path} cannot be read ({error}); move it away, or measure all patients again"
        ) from None
    return [
        {name: row.get(name) or MISSING for name in COLUMNS} for row in found if (row.get("patient_id") or "") in keep
    ]


def _dictionary(path: Path, tables: Sequence[PatientTable], keep: Collection[str]) -> dict[str, Any]:
    """Make the data dictionary, and per patient what the rows rest on."""
    entries: dict[str, Any] = {name: column.as_json() for name, column in COLUMNS.items()}
    before = ((read_record(path) or {}).get(_ABOUT) or {}).get("Patients") or {}
    patients = {name: entry for name, entry in before.items() if name in keep}
    for table in tables:
        patients[table.patient_id] = {
            "CovariateSources": table.sources,
            "RescansLeftOut": list(table.rescans),
            "Notes": list(table.notes),
        }
    about = {
        "Description": "One row per lesion and session. Missing is n/a.",
        "GeneratedBy": {"Name": "napari-msqsm", "Version": __version__},
        "Patients": {name: patients[name] for name in sorted(patients)},
    }
    return entries | {_ABOUT: about}
