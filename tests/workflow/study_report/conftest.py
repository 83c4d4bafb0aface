"""Studies of empty images whose tables and sidecars tell everything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.bids import open_study

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Study

SIDECAR = {
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Skyra",
    "SoftwareVersions": "VE11",
    "RepetitionTime": 0.049,
    "FlipAngle": 15,
}
TIMES_S = (0.005, 0.01)


@dataclass
class Made:
    """A study that grows visit by visit."""

    root: Path
    dates: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def study(self) -> Study:
        return open_study(self.root)

    def image(self, path: Path, sidecar: dict[str, Any], shape=(4, 5, 6), voxel_mm=1.0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        affine = np.diag((voxel_mm, voxel_mm, voxel_mm, 1.0))
        nib.save(nib.Nifti1Image(np.ones(shape, np.float32), affine), path)
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar), "utf-8")
        return path

    def visit(
        self, patient, session, date="n/a", *, times_s=TIMES_S, parts=("mag", "phase"), contrasts=("FLAIR",), **sidecar
    ):
        stem = f"sub-{patient}_ses-{session}"
        folder = self.root / f"sub-{patient}" / f"ses-{session}" / "anat"
        folder.mkdir(parents=True, exist_ok=True)
        voxel_mm = sidecar.pop("voxel_mm", 1.0)
        for number, time_s in enumerate(times_s, start=1):
            for part in parts:
                own = SIDECAR | sidecar | {"EchoTime": time_s} | ({"Units": "rad"} if part == "phase" else {})
                self.image(folder / f"{stem}_echo-{number}_part-{part}_MEGRE.nii.gz", own, voxel_mm=voxel_mm)
        for contrast in contrasts:
            self.image(folder / f"{stem}_{contrast}.nii.gz", dict(SIDECAR))
        self.dates.setdefault(patient, []).append((session, date))
        rows = "".join(f"ses-{one}\t{when}\t3\n" for one, when in self.dates[patient])
        table = self.root / f"sub-{patient}" / f"sub-{patient}_sessions.tsv"
        table.write_text("session_id\tacq_time\tedss\n" + rows, "utf-8")
        people = "".join(f"sub-{one}\tF\n" for one in self.dates)
        (self.root / "participants.tsv").write_text("participant_id\tsex\n" + people, "utf-8")

    def map(self, label, **record):
        patient, session = label.split("_")
        home = self.root / "derivatives" / "msqsm" / patient / session / "anat"
        values = {"Quality": {"csf_sd_ppb": 5.0, "kept_fraction": 0.9}, "Converged": True, "Warnings": []}
        return self.image(home / f"{label}_Chimap.nii.gz", values | record)


@pytest.fixture
def made(tmp_path) -> Made:
    root = tmp_path / "study"
    root.mkdir()
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}', "utf-8")
    return Made(root)
