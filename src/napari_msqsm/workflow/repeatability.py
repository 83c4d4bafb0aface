"""Scan–rescan repeatability of χ per region and group of regions, as tables."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from napari_msqsm.errors import InputError
from napari_msqsm.io.tables import write_table
from napari_msqsm.qsm.repeatability import repeatability
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.patient_record import differences, makings_of
from napari_msqsm.workflow.rescans import REFERENCES, RegionPair, measured_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Study

ALL = "all"
_LEAST_UNITS_FOR_ICC = 3
_COLUMNS = {
    "group": "Group of regions",
    "region": f"Region; {ALL}: all regions of the group, pooled",
    "reference": "What χ is relative to: csf (the map's own CSF mask) or brain (the whole mask of the map)",
    "n_pairs": "Pairs of scan and rescan",
    "mean_ppb": "Mean of all values (ppb)",
    "bias_ppb": "Mean of rescan minus scan (ppb)",
    "sd_difference_ppb": "Standard deviation of the differences (ppb)",
    "within_sd_ppb": "Within-subject standard deviation, sd_difference / √2 (ppb)",
    "repeatability_coefficient_ppb": "1.96 · √2 · within_sd (ppb); doi 10.1016/S0140-6736(86)90837-8, "
    "doi 10.1177/096228029900800204",
    "icc": "Intraclass correlation ICC(1,1), doi 10.1037/0033-2909.86.2.420; n/a below three different regions of "
    "patients, whose values have no spread to compare with",
    "true_sd_difference_ppb": "Standard deviation of the differences of the true χ over the same voxels (ppb): the "
    "part of sd_difference that is due to voxels lying elsewhere in the head; n/a without truth",
    "error_within_sd_ppb": "Within-subject standard deviation of value minus true value (ppb): the part that is due "
    "to the maps; n/a without truth",
    "mean_error_ppb": "Mean of value minus true value (ppb); n/a without truth",
    "mean_voxels": "Mean number of voxels of a region",
}


def repeatability_table(pairs: Sequence[RegionPair]) -> pd.DataFrame:
    """Statistics per region, and per group over all of its regions."""
    rows = []
    for reference in REFERENCES:
        there = [pair for pair in pairs if pair.reference == reference]
        for group in dict.fromkeys(pair.group for pair in there):
            members = [pair for pair in there if pair.group == group]
            names = list(dict.fromkeys(pair.region for pair in members))
            for name in names:
                rows.append(_row(group, name, reference, [pair for pair in members if pair.region == name]))
            rows.append(_row(group, ALL, reference, members))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def write_repeatability(study: Study, maps_root: Path, regions_root: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Measure all pairs and write ``repeatability.tsv``, ``repeatability_pairs.tsv`` and a sidecar beside the maps.

    Parameters
    ----------
    study, maps_root, regions_root
        See `napari_msqsm.workflow.rescans.measured_pairs`.

    Returns
    -------
    table, warnings
        The statistics, and in which ways maps of one patient were not made alike.

    Raises
    ------
    InputError
        When there are no rescans, maps or regions; nothing is written then.
    """
    pairs = measured_pairs(study, maps_root, regions_root)
    if not pairs:
        raise InputError(f"no region of {regions_root} is covered by both maps of a pair in {maps_root}")
    patients = list(dict.fromkeys(pair.patient_id for pair in pairs))
    makings = {patient: makings_of(maps_root, patient) for patient in patients}
    warnings = tuple(
        f"sub-{patient}: {sentence}" for patient, found in makings.items() for sentence in differences(found)
    )
    table = repeatability_table(pairs)
    write_table(maps_root / "repeatability.tsv", table)
    write_table(maps_root / "repeatability_pairs.tsv", pd.DataFrame([dataclasses.asdict(pair) for pair in pairs]))
    locate = provenance.relative_to(maps_root)
    provenance.write_json_file(
        maps_root / "repeatability.json",
        {name: {"Description": text} for name, text in _COLUMNS.items()}
        | {
            "SettingsDigests": sorted(
                {making.settings_digest for found in makings.values() for making in found.values()}
            ),
            "Regions": locate(regions_root),
            "Pairs": sorted({f"{pair.first} {pair.second}" for pair in pairs}),
            "Warnings": warnings,
            "Software": provenance.versions(),
            "CommandLine": provenance.command_line(),
        },
    )
    return table, warnings


def as_text(table: pd.DataFrame) -> str:
    """Write the groups as lines for the terminal, in ppb."""
    head = ["reference", "group", "pairs", "bias", "within-subject SD", "repeatability", "ICC"]
    lines = [head]
    for _, row in table[table["region"] == ALL].iterrows():
        numbers = [row["bias_ppb"], row["within_sd_ppb"], row["repeatability_coefficient_ppb"]]
        icc = f"{row['icc']:.3f}" if math.isfinite(row["icc"]) else "–"
        lines.append(
            [row["reference"], row["group"], str(row["n_pairs"]), *(f"{number:.2f}" for number in numbers), icc]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _row(group: str, region: str, reference: str, pairs: Sequence[RegionPair]) -> dict[str, Any]:
    found = repeatability([pair.first_ppb for pair in pairs], [pair.second_ppb for pair in pairs])
    units = {(pair.patient_id, pair.region) for pair in pairs}
    return {
        "group": group,
        "region": region,
        "reference": reference,
        "n_pairs": found.n,
        "mean_ppb": round(found.mean, 3),
        "bias_ppb": round(found.bias, 3),
        "sd_difference_ppb": round(found.sd_difference, 3),
        "within_sd_ppb": round(found.within_sd, 3),
        "repeatability_coefficient_ppb": round(found.coefficient, 3),
        "icc": round(found.icc, 4) if len(units) >= _LEAST_UNITS_FOR_ICC else math.nan,
        **_against_truth([pair for pair in pairs if math.isfinite(pair.first_true_ppb + pair.second_true_ppb)]),
        "mean_voxels": round(_mean([(pair.first_voxels + pair.second_voxels) / 2 for pair in pairs]), 1),
    }


def _against_truth(pairs: Sequence[RegionPair]) -> dict[str, float]:
    if not pairs:
        return dict.fromkeys(("true_sd_difference_ppb", "error_within_sd_ppb", "mean_error_ppb"), math.nan)
    true = repeatability([pair.first_true_ppb for pair in pairs], [pair.second_true_ppb for pair in pairs])
    errors = repeatability(
        [pair.first_ppb - pair.first_true_ppb for pair in pairs],
        [pair.second_ppb - pair.second_true_ppb for pair in pairs],
    )
    return {
        "true_sd_difference_ppb": round(true.sd_difference, 3),
        "error_within_sd_ppb": round(errors.within_sd, 3),
        "mean_error_ppb": round(errors.mean, 3),
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
