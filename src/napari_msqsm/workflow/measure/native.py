"""Regions on the native grid of a session, so that anybody can measure in them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.lesions.carried_voxels import carried_voxels
from napari_msqsm.workflow.coregistration.pairs import result_path
from napari_msqsm.workflow.provenance import bids_uri, relative_to, write_json_file
from napari_msqsm.workflow.reference.region import native_voxels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.lesions.carry import CarriedRoi
    from napari_msqsm.model.study import Session
    from napari_msqsm.workflow.measure.patient_table import PatientTable
    from napari_msqsm.workflow.measure.roi import Roi
    from napari_msqsm.workflow.workbench.maps import PatientMaps, SessionMap

LESIONS, NAWM = "desc-lesions_dseg", "desc-nawm_dseg"
WEIGHTS, REGISTERED_WEIGHTS = "desc-lesions_weights", "space-baseline_desc-lesions_weights"
NAWM_VOXELS = "desc-nawm_weights"
_COLUMNS = {
    "label": {"Description": "Label of the lesion"},
    "i": {"Description": "Voxel along the first axis of the map, from 0"},
    "j": {"Description": "Voxel along the second axis"},
    "k": {"Description": "Voxel along the third axis"},
    "part": {"Description": "Part of the voxel that the region fills, less what was cut out; they add up to n_voxels"},
    "weight": {"Description": "Weight of the voxel in the mean: the square of part"},
}


def write_native(maps: PatientMaps, table: PatientTable, names: Mapping[int, str]) -> dict[str, Path]:
    """Write regions and weights of every session of a patient; what an earlier run left and does not hold is removed.

    Parameters
    ----------
    maps
        Images of the patient.
    table
        What was measured.
    names
        Name of the lesion of each label.

    Returns
    -------
    dict
        Files by session and kind.
    """
    files: dict[str, Path] = {}
    for session in maps.sessions:
        found = maps.map(session.label) if table.has_map(session.label) else None
        rois = {label: roi for (label, at), roi in table.rois.items() if at == session.label}
        writer = _Writer(maps, session, names)
        if found is None or not any(roi.carried is not None for roi in rois.values()):
            writer.remove()
            continue
        writer.image(LESIONS, _lesions(rois, found), "Regions that χ of lesions is measured in; means rest on weights")
        nawm, voxels = _nawm(table, found)
        writer.image(NAWM, nawm, "Adjacent normal-appearing white matter of each lesion, by the lesion's label")
        writer.table(NAWM_VOXELS, voxels, "Voxels of the normal-appearing white matter of each lesion", {})
        native = {label: roi.carried for label, roi in rois.items() if roi.carried is not None}
        writer.weights(WEIGHTS, native, "How much each voxel of the native map counts in the mean over a lesion")
        there = {label: roi.registered for label, roi in rois.items() if roi.registered is not None}
        words = "How much each voxel of the map on the baseline's grid counts in the mean over a lesion"
        writer.weights(REGISTERED_WEIGHTS, there, words)
        files |= writer.files
    return files


class _Writer:
    """Files of one session."""

    def __init__(self, maps: PatientMaps, session: Session, names: Mapping[int, str]) -> None:
        self._maps, self._session, self._names = maps, session, names
        self._top = maps.out_dir or maps.study.derivatives_root
        self.files: dict[str, Path] = {}

    def remove(self) -> None:
        for suffix in (LESIONS, NAWM, WEIGHTS, REGISTERED_WEIGHTS, NAWM_VOXELS):
            for ending in (".json", ".nii.gz" if suffix.endswith("dseg") else ".tsv.gz"):
                self._path(suffix, ending).unlink(missing_ok=True)

    def image(self, suffix: str, array: NDArray[np.uint16], description: str) -> None:
        found = self._maps.map(self._session.label)
        if found is None:
            return
        path = self._path(suffix, ".nii.gz")
        save_volume(path, array, found.grid, sidecar={"Description": description} | self._about(array))
        self.files[f"{self._session.label} {suffix}"] = path

    def weights(self, suffix: str, rois: Mapping[int, CarriedRoi], description: str) -> None:
        rows = [_sparse(label, roi) for label, roi in sorted(rois.items())]
        whole = {str(label): roi.whole_mm3 for label, roi in sorted(rois.items())}
        self.table(suffix, pd.concat(rows), description, {"WholeVolume": whole, "WholeVolumeUnit": "mm3"})

    def table(self, suffix: str, rows: pd.DataFrame, description: str, more: Mapping[str, Any]) -> None:
        path = self._path(suffix, ".tsv.gz")
        with atomic_path(path) as temporary:
            rows.to_csv(
                temporary, sep="\t", index=False, lineterminator="\n", compression={"method": "gzip", "mtime": 1}
            )
        about = {"Description": description} | self._about(np.unique(rows["label"])) | dict(more) | _COLUMNS
        write_json_file(self._path(suffix, ".json"), about)
        self.files[f"{self._session.label} {suffix}"] = path

    def _about(self, labels: NDArray[Any]) -> dict[str, Any]:
        chimap = result_path(self._maps.study, self._session, "Chimap", self._maps.out_dir)
        inside = chimap.resolve().is_relative_to(self._maps.study.root.resolve())
        source = bids_uri(self._maps.study.root)(chimap) if inside else relative_to(self._top)(chimap)
        present = [int(label) for label in np.unique(labels) if label]
        return {"Sources": [source], "Lesions": {str(label): self._names.get(label, "n/a") for label in present}}

    def _path(self, suffix: str, ending: str) -> Path:
        path = result_path(self._maps.study, self._session, suffix, self._maps.out_dir)
        return path.with_name(path.name.removesuffix(".nii.gz") + ending)


def _lesions(rois: Mapping[int, Roi], found: SessionMap) -> NDArray[np.uint16]:
    """(X, Y, Z) voxels that each region becomes, without its vein; where two meet, the lower label keeps its own."""
    out: NDArray[np.uint16] = np.zeros(found.grid.shape, dtype=np.uint16)
    flat = out.reshape(-1)
    for label, roi in sorted(rois.items()):
        if roi.region is None or roi.to_session is None or roi.carried is None:
            continue
        index = carried_voxels(roi.region.mask, roi.region.grid, found.grid, roi.to_session.inverse())
        index = index[_counts(roi.carried, index)]
        flat[index[flat[index] == 0]] = label
    return out


def _counts(carried: CarriedRoi, index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether voxels (flat index) of the session count in the region."""
    at = np.stack(np.unravel_index(index, carried.grid.shape))
    at -= np.array([part.start or 0 for part in carried.block])[:, None]
    inside = np.all((at >= 0) & (at < np.array(carried.filled.shape)[:, None]), axis=0)
    found = np.zeros(index.size, dtype=np.bool_)
    found[inside] = carried.filled[tuple(at[:, inside])] > 0
    return found


def _nawm(table: PatientTable, found: SessionMap) -> tuple[NDArray[np.uint16], pd.DataFrame]:
    """(X, Y, Z) reference by label, and its voxels as rows: regions that were mirrored may share some."""
    out: NDArray[np.uint16] = np.zeros(found.grid.shape, dtype=np.uint16)
    rows = [pd.DataFrame({name: pd.Series(dtype="int64") for name in _COLUMNS})]
    for label, region in sorted(table.references.items()):
        if region is None or region.missing:
            continue
        at, covered = native_voxels(region, found)
        at = at[:, covered & np.isfinite(found.chi_ppm[tuple(at)])]
        out[tuple(at)] = np.where(out[tuple(at)] == 0, label, out[tuple(at)])
        rows.append(pd.DataFrame({"label": label, "i": at[0], "j": at[1], "k": at[2], "part": 1, "weight": 1}))
    return out, pd.concat([each for each in rows if len(each)] or rows)


def _sparse(label: int, roi: CarriedRoi) -> pd.DataFrame:
    """Voxels of a region that count, one row each; the weights as they are, in as many digits as that takes."""
    at = np.nonzero(roi.filled)
    i, j, k = (index + (part.start or 0) for index, part in zip(at, roi.block, strict=True))
    part = roi.filled[at]
    return pd.DataFrame({"label": label, "i": i, "j": j, "k": k, "part": part, "weight": part.astype(np.float64) ** 2})
