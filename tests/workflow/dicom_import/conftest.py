"""Converted series made by hand: what a scanner's header says and small NIfTI files, as they come from a conversion."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.io.dicom.series import ConvertedImage, ConvertedSeries, Staged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AFFINE = np.array([[-0.8, 0.6, 0, 10], [0.6, 0.8, 0, -20], [0, 0, 1, 5], [0, 0, 0, 1]]) @ np.diag([1, 1.2, 3, 1])
SHAPE = (6, 7, 5)
ECHO_TIMES_S = (0.005, 0.010, 0.015)
GRE = {"ScanningSequence": "GR", "MRAcquisitionType": "3D", "RepetitionTime": 40.0, "FlipAngle": 15.0}
FLAIR = {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 5000.0, "InversionTime": 1800.0, "FlipAngle": 120.0}
T1 = {"ScanningSequence": ["GR", "IR"], "RepetitionTime": 2300.0, "InversionTime": 900.0, "FlipAngle": 9.0}
T2 = {"ScanningSequence": "SE", "RepetitionTime": 6000.0, "FlipAngle": 120.0}
PROTOCOLS = {
    "MEGRE": (GRE, ECHO_TIMES_S, "gre_qsm_tra"),
    "FLAIR": (FLAIR, (0.386,), "t2_space_dark-fluid_sag"),
    "T1w": (T1, (0.003,), "t1_mprage_sag"),
    "ce-gadolinium_T1w": ({**T1, "ContrastBolusAgent": "Gadovist"}, (0.003,), "t1_mprage_sag_KM"),
    "T2w": (T2, (0.100,), "t2_tse_tra"),
}
PERSON = {
    "PatientID": "MS0815",
    "PatientName": "Musterfrau^Erika",
    "PatientBirthDate": "19840312",
    "PatientSex": "F",
    "PatientAge": "034Y",
    "InstitutionName": "Hospital of Nowhere",
    "ReferringPhysicianName": "House^Gregory",
    "AccessionNumber": "A20180305",
    "StationName": "AWP12345",
}


class Scanner:
    """Makes converted series; each call is one series, some minutes after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.visit(datetime.fromisoformat("2018-03-05T09:15"))

    def visit(self, begin: datetime) -> None:
        """Begin another examination."""
        self._number = count(1)
        self._study = f"1.2.3.{begin:%Y%m%d}"
        self.now = begin

    def series(self, role="", *, parts=("mag",), minutes=5.0, person=PERSON, shape=SHAPE, **changes):
        """One series; ``changes`` replace what the protocol of the role says, keywords of DICOM go into the header."""
        protocol, times, name = PROTOCOLS.get(role, ({}, (), role))
        number = changes.pop("number", None) or next(self._number)
        times = changes.pop("echo_times_s", times)
        name = changes.pop("description", name)
        at = changes.pop("acquired_at", self.now)
        study_uid = changes.pop("study_uid", None) or f"{self._study}.{person['PatientID']}"
        problems = changes.pop("problems", ())
        series_uid = changes.pop("series_uid", None) or f"{study_uid}.{number}"
        header = {"Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "M"], **person, **protocol, **changes}
        header = {key: value for key, value in header.items() if value is not None}
        images = tuple(
            self._image(part, time_s, shape, f"{series_uid}_{part}_{n}", name)
            for part in parts
            for n, time_s in enumerate(times or (None,))
        )
        self.now += timedelta(minutes=minutes)
        return ConvertedSeries(
            series_uid, study_uid, person["PatientID"], number, name, at, 10, images, header, tuple(problems)
        )

    def gre(self, **changes):
        """Magnitude and phase, as Siemens stores them: two series of one acquisition."""
        at = changes.pop("acquired_at", self.now)
        first = self.series("MEGRE", minutes=0, acquired_at=at, **changes)
        second = self.series("MEGRE", parts=("phase",), acquired_at=at, **changes)
        return [first, second]

    def session(self, roles=("MEGRE", "FLAIR", "T1w", "T2w", "ce-gadolinium_T1w"), **changes):
        """Series of a whole visit."""
        out = []
        for role in roles:
            out += self.gre(**changes) if role == "MEGRE" else [self.series(role, **changes)]
        return out

    def staged(self, *series) -> Staged:
        return Staged(self.folder, tuple(series), ())

    def _image(self, part, time_s, shape, name, description) -> ConvertedImage:
        rng = np.random.default_rng(abs(hash(name)) % 2**32)
        low, high = (-4096, 4095) if part == "phase" else (0, 4000)
        image = nib.Nifti1Image(rng.integers(low, high, shape).astype(np.int16), AFFINE)
        image.header["descrip"] = b"TE=5.0;Time=91500.000;Musterfrau"
        image.header["db_name"] = b"MS0815"
        image.header["aux_file"] = b"Musterfrau^Erika"
        image.header["intent_name"] = b"A20180305"
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Musterfrau^Erika 1984"))
        path = self.folder / f"{name}.nii"
        nib.save(image, path)
        sidecar = {
            "Modality": "MR",
            "Manufacturer": "Siemens",
            "ManufacturersModelName": "Prisma",
            "MagneticFieldStrength": 3,
            "ImagingFrequency": 123.2,
            "ImageType": ["ORIGINAL", "PRIMARY", "P" if part == "phase" else "M"],
            "SeriesDescription": f"{description} Musterfrau",
            "ProtocolName": description,
            "InstitutionName": "Hospital of Nowhere",
            "StationName": "AWP12345",
            "AcquisitionDateTime": f"{self.now:%Y-%m-%dT%H:%M:%S}",
            "AcquisitionTime": f"{self.now:%H:%M:%S.0}",
            "SeriesInstanceUID": name,
            "PatientName": "Musterfrau^Erika",
            "ImageComments": "Erika was late",
            "ReceiveCoilName": "Head_32",
        }
        if time_s is not None:
            sidecar["EchoTime"] = time_s
        return ConvertedImage(path, part, time_s, shape, sidecar)


@pytest.fixture
def scanner(tmp_path) -> Scanner:
    folder = tmp_path / "staged"
    folder.mkdir()
    return Scanner(folder)


@pytest.fixture
def write(tmp_path) -> Callable[..., object]:
    """Propose and write series into ``tmp_path / "study"``."""
    from napari_msqsm.workflow.dicom_import.existing import read_existing
    from napari_msqsm.workflow.dicom_import.importing import Proposal, write_study
    from napari_msqsm.workflow.dicom_import.key_file import key_path, read_key
    from napari_msqsm.workflow.dicom_import.propose import propose

    def run(staged: Staged, *, change=None, bids_dir=None, **options):
        bids_dir = bids_dir or tmp_path / "study"
        key = key_path(bids_dir, options.get("key_file"))
        plan = propose(staged, read_existing(bids_dir, read_key(key), key_file=key))
        proposal = Proposal(plan, staged)
        return write_study(proposal, change(plan) if change else plan, bids_dir, **options)

    return run


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Content of every file below a folder, by its name."""

    def run(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return run


@pytest.fixture
def sessions() -> Callable[..., pd.DataFrame]:
    """Sessions table of a patient, as text."""

    def run(root: Path, patient: str = "01") -> pd.DataFrame:
        return pd.read_csv(root / f"sub-{patient}" / f"sub-{patient}_sessions.tsv", sep="\t", dtype=str)

    return run
