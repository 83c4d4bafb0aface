"""The truth of a synthetic study on disk: maps of a session, its pose, and its lesions."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.phantom.patient import SyntheticPatient
    from napari_msqsm.phantom.scan import GradientEcho
    from napari_msqsm.phantom.visit import Visit

_CHI_DECIMALS = 4
"""0.1 ppb."""


def write_truth(truth: Path, visit: Visit, scan: GradientEcho) -> None:
    """Write χ, masks, tissues and lesions on the grid of the gradient echo, and the pose of the head."""
    true = scan.truth
    anat = truth / visit.folder / "anat"
    images: dict[str, tuple[NDArray[Any], Mapping[str, Any]]] = {
        "Chimap": (np.round(true.chi_ppm, _CHI_DECIMALS), {"Units": "ppm", "SkullStripped": True}),
        "desc-brain_mask": (true.brain_mask, {"Type": "Brain"}),
        "desc-csf_mask": (true.csf_mask, {"Type": "ROI"}),
        "desc-tissues_dseg": (true.tissues, {"Description": "Tissue that covers the middle of every voxel"}),
        "desc-lesions_dseg": (true.lesions, {"Description": "Lesions by number, on the gradient-echo grid"}),
    }
    for suffix, (image, side) in images.items():
        save_volume(anat / f"{visit.label}_{suffix}.nii.gz", image, scan.grid, sidecar=side)
    pose = {"Description": "Head (baseline) to scanner coordinates, RAS mm", "Matrix": visit.pose.tolist()}
    write_json(truth / visit.folder / f"{visit.label}_desc-pose_xfm.json", pose)


def write_flair_lesions(truth: Path, visit: Visit, lesions: NDArray[np.uint8], grid: Grid) -> None:
    """Write lesions by number on the grid of the structural images."""
    save_volume(
        truth / visit.folder / "anat" / f"{visit.label}_space-FLAIR_desc-lesions_dseg.nii.gz",
        lesions,
        grid,
        sidecar={
            "Description": "Lesions by number, on the FLAIR grid",
            "SpatialReference": f"bids:raw:{visit.folder}/anat/{visit.label}_FLAIR.nii.gz",
        },
    )


def write_transform(truth: Path, visit: Visit, first: Visit) -> None:
    """Write where a point of the first scan lies in this one."""
    one, other = f"ses{first.session_id}", f"ses{visit.session_id}"
    write_json(
        truth / visit.folder / f"{visit.label}_from-{one}_to-{other}_mode-image_xfm.json",
        {
            "Description": f"Scanner coordinates of {first.label} to those of {visit.label}, RAS mm",
            "Matrix": visit.after(first).tolist(),
        },
    )


def write_true_fields(truth: Path, visit: Visit, scan: GradientEcho) -> None:
    """Write R2*, total and local field."""
    folder = truth / visit.folder
    save_volume(
        folder / "anat" / f"{visit.label}_R2starmap.nii.gz", scan.truth.r2star_hz, scan.grid, sidecar={"Units": "1/s"}
    )
    for suffix, image in (("total", scan.truth.total_field_hz), ("local", scan.truth.local_field_hz)):
        path = folder / "fmap" / f"{visit.label}_desc-{suffix}_fieldmap.nii.gz"
        save_volume(path, image, scan.grid, sidecar={"Units": "Hz"})


def lesion_rows(person: SyntheticPatient, visit: Visit) -> list[dict[str, Any]]:
    """Rows of the table of lesions for one session."""
    rows = []
    for lesion in person.lesions:
        age = visit.time_y - lesion.onset_y
        rows.append(
            {
                "lesion_id": lesion.lesion_id,
                "session_id": f"ses-{visit.session_id}",
                "lesion_age_y": round(age, 4),
                "chi_ppb": round(lesion.course(age), 3) if age >= 0 else math.nan,
                "rim": "rim+" if lesion.rim else "rim-",
                "enhancement": "shell" if lesion.shell else "nodular",
                "central_vein": int(lesion.vein is not None),
                "enhances": int(lesion.enhances(visit.time_y)),
            }
        )
    return rows


def tissue_names() -> pd.DataFrame:
    """Names and groups of the labels of ``desc-tissues_dseg``."""
    rows = []
    for tissue in Tissue:
        if tissue is Tissue.AIR:
            continue
        name = tissue.name.lower().replace("_", " ")
        deep = Tissue.CAUDATE <= tissue <= Tissue.THALAMUS
        rows.append({"index": int(tissue), "name": name, "group": "deep grey matter" if deep else name})
    return pd.DataFrame(rows)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
