"""Tiny acquisitions on disk, and the command line in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

ECHO_TIMES_S = (0.005, 0.010, 0.015, 0.020)
SHAPE = (24, 26, 22)


@dataclass(frozen=True)
class Acquisition:
    """Files of one acquisition, and what is in them."""

    folder: Path
    magnitude: tuple[Path, ...]
    phase: tuple[Path, ...]
    mask: Path
    field: Path

    @property
    def arguments(self) -> list[str]:
        """Arguments that read it."""
        return [
            *("--magnitude", *map(str, self.magnitude)),
            *("--phase", *map(str, self.phase)),
            *("--echo-times", *map(str, ECHO_TIMES_S)),
            *("--b0", "3", "--phase-range", "-4096", "4096"),
        ]


def arrays():
    """Return magnitude and phase (echo, X, Y, Z), brain mask and field in Hz of a ball with an iron-rich core."""
    axes = np.meshgrid(*(np.arange(n) - n / 2 + 0.5 for n in SHAPE), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    brain, core = radius < 9.5, radius < 3
    field_hz = np.where(core, 2.0, 54 * axes[2] / np.maximum(radius, 3) ** 3) + 0.5 * axes[0]
    r2star = np.where(core, 40.0, 15.0)
    times = np.array(ECHO_TIMES_S)[:, None, None, None]
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 5, (2, *times.shape[:1], *SHAPE))
    signal = 1000 * brain * np.exp(-r2star * times + 2j * np.pi * field_hz * times) + noise[0] + 1j * noise[1]
    return np.abs(signal), np.angle(signal), brain, field_hz


def save(path, array, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine), path)
    return path


@pytest.fixture
def acquisition(tmp_path) -> Acquisition:
    magnitude, phase, brain, field_hz = arrays()
    folder = tmp_path / "in"
    echoes = range(len(ECHO_TIMES_S))
    return Acquisition(
        folder,
        tuple(save(folder / f"e{k + 1}_mag.nii.gz", magnitude[k].astype(np.float32)) for k in echoes),
        tuple(
            save(folder / f"e{k + 1}_phase.nii.gz", np.rint(phase[k] * 4096 / np.pi).astype(np.int16)) for k in echoes
        ),
        save(folder / "mask.nii.gz", brain.astype(np.uint8)),
        save(folder / "field.nii.gz", (field_hz * brain).astype(np.float32)),
    )


@pytest.fixture
def bids(tmp_path) -> Path:
    """Study of one patient: the first session is complete, the second has no phase."""
    root = tmp_path / "study"
    magnitude, phase, *_ = arrays()
    description = {"Name": "tiny", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    root.mkdir()
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    for session, parts in (("01", ("mag", "phase")), ("02", ("mag",))):
        for echo, time_s in enumerate(ECHO_TIMES_S):
            for part in parts:
                stem = f"sub-01_ses-{session}_echo-{echo + 1}_part-{part}_MEGRE"
                path = root / "sub-01" / f"ses-{session}" / "anat" / f"{stem}.nii.gz"
                save(path, (magnitude if part == "mag" else phase)[echo].astype(np.float32))
                sidecar = {"EchoTime": time_s, "MagneticFieldStrength": 3.0}
                if part == "phase":
                    sidecar["Units"] = "rad"
                path.with_name(f"{stem}.json").write_text(json.dumps(sidecar), encoding="utf-8")
    return root


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        """Lines on stderr."""
        return [line for line in self.err.splitlines() if line.strip()]


@pytest.fixture
def msqsm(capsys, monkeypatch):
    """Run a command in this process, quietly."""
    monkeypatch.setenv("MSQSM_THREADS", "1")

    def run(*arguments) -> Ran:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run
