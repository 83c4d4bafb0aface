"""Scans that were repeated on the same day: which they are, and what was measured in each region of both."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.nifti import load_mask, load_volume
from napari_msqsm.io.tables import read_table
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session, Study

RESCAN_COLUMN = "rescan_of"
REFERENCES = ("csf", "brain")
_LEAST_COVERED = 0.9
_LEAST_VOXELS = 3

Labels = dict[tuple[str, str], "NDArray[np.bool_]"]


@dataclass(frozen=True)
class RegionPair:
    """Mean χ of one region in a scan and in its rescan, relative to the same reference.

    Parameters
    ----------
    patient_id, first, second
        Whose scans; labels of the sessions.
    group, region
        Such as ``lesions``, ``lesion 3``.
    reference
        What χ is relative to: ``csf`` (the mean over that map's own CSF mask) or ``brain`` (over its whole mask).
    first_voxels, second_voxels
        Voxels of the region inside the masks of the maps.
    first_ppb, second_ppb
        Means of the maps.
    first_true_ppb, second_true_ppb
        Means of the true χ over the same voxels, relative to the same reference; NaN where there is no truth. Their
        difference is what voxels that lie elsewhere in the head make.
    """

    patient_id: str
    first: str
    second: str
    group: str
    region: str
    reference: str
    first_voxels: int
    second_voxels: int
    first_ppb: float
    second_ppb: float
    first_true_ppb: float
    second_true_ppb: float


@dataclass(frozen=True, eq=False)
class _Measured:
    """One map with its reference values, and the truth where there is one."""

    chi_ppb: NDArray[np.float64]
    mask: NDArray[np.bool_]
    csf: NDArray[np.bool_]
    true_ppb: NDArray[np.float64] | None
    labels: Labels

    def zero_of(self, image: NDArray[np.float64], reference: str) -> float:
        where = self.csf if reference == "csf" else self.mask
        return float(image[where].mean()) if where.any() else math.nan

    def mean(self, region: tuple[str, str], reference: str) -> tuple[int, float, float]:
        """Voxels, mean and true mean; NaN where too little of the region has a χ."""
        whole = self.labels.get(region)
        if whole is None:
            return 0, math.nan, math.nan
        inside = whole & self.mask
        count = int(np.count_nonzero(inside))
        if count < _LEAST_VOXELS or count < _LEAST_COVERED * np.count_nonzero(whole):
            return count, math.nan, math.nan
        true = math.nan
        if self.true_ppb is not None:
            true = float(self.true_ppb[inside].mean()) - self.zero_of(self.true_ppb, reference)
        return count, float(self.chi_ppb[inside].mean()) - self.zero_of(self.chi_ppb, reference), true


def rescanned(study: Study) -> list[tuple[Session, Session]]:
    """Pairs of scan and rescan: sessions that the column ``rescan_of`` of ``sub-*_sessions.tsv`` joins.

    Raises
    ------
    InputError
        When there is none, or a rescan names a session that does not exist.
    """
    pairs = []
    for patient in study.patients:
        by_name = {session.session_id: session for session in patient.sessions}
        for session in patient.sessions:
            name = session.covariates.get(RESCAN_COLUMN)
            if name is None:
                continue
            first = by_name.get(str(name).removeprefix("ses-"))
            if first is None:
                raise InputError(
                    f"{session.label} is said to repeat {name}, which does not exist; correct {RESCAN_COLUMN} in "
                    f"sub-{patient.patient_id}_sessions.tsv"
                )
            pairs.append((first, session))
    if not pairs:
        raise InputError(
            f"no session in {study.root} repeats another; name the first scan of every rescan in the column "
            f"{RESCAN_COLUMN} of sub-*_sessions.tsv"
        )
    return pairs


def measured_pairs(study: Study, maps_root: Path, regions_root: Path) -> list[RegionPair]:
    """Mean χ of every region in every scan and its rescan.

    Parameters
    ----------
    study
        With rescans.
    maps_root
        Root of the derivatives with the maps.
    regions_root
        Root of the derivatives with the regions: ``sub-*/ses-*/anat/*_desc-*_dseg.nii.gz``, each on the grid of its own
        scan. Names and groups are taken from ``desc-*_dseg.tsv`` (``index``, ``name``, ``group``) in that root. A
        ``Chimap`` beside the regions is taken as the truth.

    Raises
    ------
    InputError
        When there are no rescans, maps or regions, or a grid differs.
    """
    pairs = []
    for first, second in rescanned(study):
        one, other = (_measured(session, maps_root, regions_root) for session in (first, second))
        for region, reference in itertools.product(sorted(set(one.labels) | set(other.labels), key=_order), REFERENCES):
            (n1, x1, t1), (n2, x2, t2) = one.mean(region, reference), other.mean(region, reference)
            if math.isfinite(x1) and math.isfinite(x2):
                pairs.append(
                    RegionPair(first.patient_id, first.label, second.label, *region, reference, n1, n2, x1, x2, t1, t2)
                )
    return pairs


def _order(region: tuple[str, str]) -> tuple[str, int, str]:
    group, name = region
    number = name.rsplit(" ", 1)[-1]
    return group, int(number) if number.isdigit() else -1, name


def _measured(session: Session, maps_root: Path, regions_root: Path) -> _Measured:
    anat = maps_root / session.label.replace("_", "/") / "anat"
    chi_path = anat / f"{session.label}_Chimap.nii.gz"
    if not chi_path.is_file():
        raise InputError(
            f"there is no map of {session.label} in {maps_root}; reconstruct all sessions first (msqsm run)"
        )
    chi = load_volume(chi_path, what="susceptibility map")
    mask = load_mask(anat / f"{session.label}_desc-brain_mask.nii.gz", on=chi.grid)
    csf_path = anat / f"{session.label}_desc-csf_mask.nii.gz"
    csf = load_mask(csf_path, on=chi.grid) & mask if csf_path.is_file() else np.zeros_like(mask)
    home = regions_root / session.label.replace("_", "/") / "anat"
    labels = dict(_labels(home, session.label, regions_root, chi.grid))
    if not labels:
        raise InputError(f"there are no regions of {session.label} in {regions_root}; give --regions")
    true_path, true = home / f"{session.label}_Chimap.nii.gz", None
    if true_path.is_file() and true_path.resolve() != chi_path.resolve():
        true = PPB_PER_PPM * _on(chi.grid, true_path).astype(np.float64)
    return _Measured(PPB_PER_PPM * chi.array.astype(np.float64), mask, csf, true, labels)


def _labels(
    home: Path, label: str, regions_root: Path, grid: Grid
) -> Iterator[tuple[tuple[str, str], NDArray[np.bool_]]]:
    for path in sorted(home.glob(f"{label}_desc-*_dseg.nii.gz")):
        kind = path.name.removesuffix(".nii.gz").removeprefix(f"{label}_")
        what = kind.removeprefix("desc-").removesuffix("_dseg")
        names = _names(regions_root / f"{kind}.tsv")
        numbers = np.rint(_on(grid, path)).astype(np.int32)
        for number in np.unique(numbers[numbers > 0]).tolist():
            default = {"name": f"{what.removesuffix('s')} {number}", "group": what}
            row = default | names.get(int(number), {})
            yield (row["group"], row["name"]), numbers == number


def _names(path: Path) -> dict[int, dict[str, str]]:
    if not path.is_file():
        return {}
    table = read_table(path, text_columns=("name", "group"))
    rows = table.to_dict("records")
    return {int(row["index"]): {key: str(row[key]) for key in ("name", "group") if key in row} for row in rows}


def _on(grid: Grid, path: Path) -> NDArray[Any]:
    volume = load_volume(path, what="image of regions or truth")
    if not volume.grid.same_as(grid):
        raise InputError(f"{path.name} does not lie on the grid of the map; give regions on the grid of each scan")
    return volume.array
