"""Where results go: BIDS derivatives of a session, or a folder with fixed names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm import __version__
from napari_msqsm.io.atomic import atomic_path
from napari_msqsm.io.bids import derivative_path
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.qsm.quality.numbers import MEANING
from napari_msqsm.workflow.provenance import bids_uri, plain, relative_to, write_json_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.workflow.provenance import Locate

_BIDS_VERSION = "1.10.0"
_BIDS_NAMES = {
    "Chimap": ("Chimap", "anat"),
    "R2starmap": ("R2starmap", "anat"),
    "mask": ("desc-brain_mask", "anat"),
    "brain_mask": ("desc-wholebrain_mask", "anat"),
    "csf_mask": ("desc-csf_mask", "anat"),
    "totalfield": ("desc-total_fieldmap", "fmap"),
    "localfield": ("desc-local_fieldmap", "fmap"),
    "magnitude": ("magnitude", "fmap"),
    "T2starmap": ("T2starmap", "anat"),
    "swi": ("desc-swi_T2starw", "anat"),
    "confidence": ("desc-confidence_fieldmap", "fmap"),
}
_QUALITY = "desc-qsm_quality"
_SKULL_STRIPPED = {"SkullStripped": True}
_SIDECARS: dict[str, dict[str, Any]] = {
    "Chimap": {"Units": "ppm", **_SKULL_STRIPPED},
    "R2starmap": {"Description": "Effective transverse relaxation rate R2*", "Units": "1/s", **_SKULL_STRIPPED},
    "mask": {"Description": "Voxels that have a susceptibility", "Type": "Brain"},
    "brain_mask": {
        "Description": "Brain that field and susceptibility were computed in, with the rim that the background removal "
        "may have given up",
        "Type": "Brain",
    },
    "csf_mask": {"Description": "Ventricular CSF that susceptibility is referenced to", "Type": "ROI"},
    "totalfield": {
        "Description": "Total field relative to the scanner frequency, unwrapped",
        "Units": "Hz",
        **_SKULL_STRIPPED,
    },
    "localfield": {"Description": "Field of sources inside the mask", "Units": "Hz", **_SKULL_STRIPPED},
    "magnitude": {"Description": "Root sum of squares of the magnitude over echoes", "SkullStripped": False},
    "T2starmap": {"Description": "Effective transverse relaxation time T2*", "Units": "s", **_SKULL_STRIPPED},
    "swi": {
        "Description": "Susceptibility-weighted image: root sum of squares of the magnitude times a mask made from the "
        "local field",
        "Units": "arbitrary",
        "SkullStripped": False,
    },
    "confidence": {
        "Description": "Inverse variance of each voxel's field as a part of the typical voxel's, 0 to 1; 0 where no "
        "field was measured",
        "Units": "arbitrary",
        **_SKULL_STRIPPED,
    },
}
_IGNORED_BY_VALIDATORS = (
    "sub-*/figures\nsub-*/figures/**\nsub-*/*_desc-qsm_settings.json\nsub-*/**/*_desc-qsm_quality.json\n"
    "sub-*/**/*_mode-image_xfm.*\n"
    "sub-*/sub-*_journal\nsub-*/sub-*_journal/**\nsub-*/sub-*.lock\nsub-*/*_audit.tsv\n"
    "sub-*/*_lesions.tsv\nsub-*/*_followups.tsv\n"
    "study_report.html\nstudy_report.tsv\n"
    "lesion_table.*\nsub-*/**/*_desc-lesions_weights.*\nsub-*/**/*_desc-nawm_weights.*\n"
)


@dataclass(frozen=True)
class Writer:
    """How to write one result.

    Parameters
    ----------
    begin
        Takes the results of an earlier run away, so that none of them stays beside those of this one.
    save
        ``save(name, array, grid, record) -> path``.
    finish
        ``finish(record) -> further files``, after all images.
    locate
        Name under which an input file is recorded.
    picture
        Where the picture for quality assurance goes; None where none is wanted.
    keeps_magnitude
        Whether the combined magnitude is written too (BIDS wants one beside every field map).
    """

    begin: Callable[[], None]
    save: Callable[[str, NDArray[Any], Grid, Mapping[str, Any]], Path]
    finish: Callable[[Mapping[str, Any]], dict[str, Path]]
    locate: Locate
    picture: Path | None = None
    keeps_magnitude: bool = False


def folder_writer(out_dir: Path) -> Writer:
    """Write fixed names into one folder, and ``provenance.json``."""

    def begin() -> None:
        for name in _BIDS_NAMES:
            (out_dir / f"{name}.nii.gz").unlink(missing_ok=True)
        (out_dir / "provenance.json").unlink(missing_ok=True)

    def save(name: str, array: NDArray[Any], grid: Grid, _: Mapping[str, Any]) -> Path:
        out_dir.mkdir(parents=True, exist_ok=True)
        path = out_dir / f"{name}.nii.gz"
        save_volume(path, as_stored(array), grid)
        return path

    def finish(record: Mapping[str, Any]) -> dict[str, Path]:
        path = out_dir / "provenance.json"
        write_json_file(path, record)
        return {"provenance": path}

    return Writer(begin, save, finish, relative_to(out_dir))


def session_writer(study: Study, session: Session, root: Path | None = None) -> Writer:
    """Write BIDS derivatives of a session; the sidecar of the map holds the whole record.

    Parameters
    ----------
    study, session
        Whose results they are.
    root
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    """
    top = root or study.derivatives_root

    def place(name: str) -> Path:
        suffix, datatype = _BIDS_NAMES[name]
        return top / derivative_path(study, session, suffix, datatype=datatype).relative_to(study.derivatives_root)

    chimap = place("Chimap")
    quality = chimap.with_name(chimap.name.replace("_Chimap.nii.gz", f"_{_QUALITY}.json"))

    def begin() -> None:
        for name in _BIDS_NAMES:
            path = place(name)
            path.unlink(missing_ok=True)
            path.with_name(path.name.replace(".nii.gz", ".json")).unlink(missing_ok=True)
        quality.unlink(missing_ok=True)

    def save(name: str, array: NDArray[Any], grid: Grid, record: Mapping[str, Any]) -> Path:
        path = place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        sources = [entry["URI"] for entry in record["InputFiles"] if entry["URI"].startswith("bids:")]
        sidecar = _SIDECARS[name] | {"Sources": sources} | (dict(record) if name == "Chimap" else {})
        save_volume(path, as_stored(array), grid, sidecar=plain(sidecar))
        return path

    def finish(record: Mapping[str, Any]) -> dict[str, Path]:
        files = {"dataset_description": write_dataset_description(top, study.root)}
        if record.get("Quality"):
            write_json_file(quality, _quality_record(record))
            files["quality"] = quality
        return files

    picture = top / f"sub-{session.patient_id}" / "figures" / f"{session.label}_desc-qsm_qa.png"
    return Writer(begin, save, finish, bids_uri(study.root), picture, keeps_magnitude=True)


def _quality_record(record: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: {"Value": value, "Description": MEANING[name]} for name, value in record["Quality"].items()}
    return {"Numbers": numbers, "Converged": record["Converged"], "Warnings": record["Warnings"]}


def write_dataset_description(root: Path, source: Path) -> Path:
    """Write ``dataset_description.json`` of derivatives in ``root`` of the dataset in ``source``."""
    path = root / "dataset_description.json"
    write_json_file(
        path,
        {
            "Name": "napari-msqsm",
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "napari-msqsm", "Version": __version__}],
            "DatasetLinks": {"raw": relative_to(root)(source)},
        },
    )
    with atomic_path(root / ".bidsignore") as temporary:
        temporary.write_text(_IGNORED_BY_VALIDATORS, encoding="utf-8")
    return path


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Images as float32, masks as uint8."""
    return array.astype(np.uint8) if array.dtype == np.bool_ else array.astype(np.float32, copy=False)
