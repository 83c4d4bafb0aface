"""Write what was fitted into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.tables import write_table
from napari_msqsm.workflow.growth import tables
from napari_msqsm.workflow.growth.figure import growth_figure, save_figure
from napari_msqsm.workflow.growth.r_script import ROWS, r_rows, r_script
from napari_msqsm.workflow.growth.record import as_record
from napari_msqsm.workflow.growth.report import report_page
from napari_msqsm.workflow.provenance import input_files, relative_to, versions, write_json_file

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workflow.growth.fitting import GrowthResult


def write_growth(out_dir: Path, result: GrowthResult, *, source: Path | None, figures: bool = True) -> dict[str, Path]:
    """Write model, tables, R script and, where wanted, figures and report.

    Parameters
    ----------
    out_dir
        Folder; made where it is not there.
    result
        What was fitted.
    source
        Table that it was fitted to, for the record; None where it came from no file.
    figures
        Whether figures and the report are drawn; without, those of an earlier run are taken away.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    names = {
        "model": "model.json",
        "fixed_effects": "fixed_effects.tsv",
        "group_means": "group_means.tsv",
        "curves": "curves.tsv",
        "R script": "model.R",
        "rows": ROWS,
    }
    pictures = {"figure": "curves.svg", "picture": "curves.png", "report": "report.html"}
    files = {name: out_dir / file for name, file in names.items()}
    origin = {
        "InputFiles": [] if source is None else input_files([source], relative_to(out_dir)),
        "Software": versions(),
    }
    write_table(files["fixed_effects"], tables.fixed_effects(result))
    write_table(files["group_means"], tables.group_means(result))
    write_table(files["curves"], tables.curves(result))
    _write_text(files["R script"], r_script(result))
    with atomic_path(files["rows"]) as temporary:
        r_rows(result).to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8", na_rep="NA")
    for name, file in pictures.items():
        (out_dir / file).unlink(missing_ok=True)
        if figures:
            files[name] = out_dir / file
    if figures:
        figure = growth_figure(result)
        save_figure(figure, files["figure"])
        save_figure(figure, files["picture"])
        _write_text(files["report"], report_page(result))
    write_json_file(files["model"], as_record(result) | origin)
    return files


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
