"""The scanners, and what each vendor's technicians call the usual sequences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROLES = ("GRE", "FLAIR", "T1w", "T2w", "T1w+Gd")
"""In the usual order: the contrast agent is given before the last."""


@dataclass(frozen=True)
class Scanner:
    """What its headers say about it."""

    manufacturer: str
    model: str
    software: str | list[str]
    station: str
    serial: str = "12345"


SCANNERS = {
    "siemens": Scanner("SIEMENS", "Prisma", "syngo MR E11", "AWP12345"),
    "siemens-xa": Scanner("Siemens Healthineers", "MAGNETOM Vida", "syngo MR XA50", "AWP54321"),
    "ge": Scanner("GE MEDICAL SYSTEMS", "SIGNA Premier", ["29", "LX", "MR Software release:MR29.1"], "GEMR1"),
    "philips": Scanner("Philips Medical Systems", "Ingenia", ["5.6.1", "5.6.1.0"], "PHILIPS-1"),
    "canon": Scanner("CANON_MEC", "Vantage Galan 3T", "V7.0", "CANON1"),
    "uih": Scanner("UIH", "uMR 790", "V10R001", "UIH1"),
}
CLASSIC = ("siemens", "ge", "philips", "canon", "uih")


@dataclass(frozen=True)
class Protocol:
    """One sequence: what it is called and what it measures."""

    description: str
    header: dict[str, Any] = field(default_factory=dict)
    plane: str = "axial"
    voxel_mm: tuple[float, float, float] = (1.5, 1.25, 3.0)


_GADOLINIUM = {
    "ContrastBolusAgent": "Gadovist",
    "ContrastBolusRoute": "IV",
    "ContrastBolusVolume": 7.5,
}


def _spin_echo(tr: float, te: float, ti: float | None = None, dimensions: str = "3D") -> dict[str, Any]:
    out: dict[str, Any] = {
        "ScanningSequence": "SE" if ti is None else ["SE", "IR"],
        "SequenceVariant": ["SK", "SP"],
        "ScanOptions": "",
        "MRAcquisitionType": dimensions,
        "RepetitionTime": tr,
        "EchoTime": te,
        "FlipAngle": 120.0,
        "EchoTrainLength": 200,
    }
    return out if ti is None else {**out, "InversionTime": ti}


def _t1(tr: float, te: float, ti: float | None) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ScanningSequence": ["GR", "IR"],
        "SequenceVariant": ["SK", "SP", "MP"],
        "ScanOptions": "",
        "MRAcquisitionType": "3D",
        "RepetitionTime": tr,
        "EchoTime": te,
        "FlipAngle": 9.0,
        "EchoTrainLength": 1,
    }
    return out if ti is None else {**out, "InversionTime": ti}


_NAMES = {
    "siemens": ("t2_space_dark-fluid_sag_p2_iso", "t1_mprage_sag_p2_iso", "t2_tse_tra_320", "t1_mprage_sag_p2_iso_KM"),
    "siemens-xa": ("t2_spc_da-fl_sag", "t1_mprage_sag", "t2_tse_tra", "t1_mprage_sag_KM"),
    "ge": ("Sag CUBE T2 FLAIR", "Sag 3D BRAVO", "Ax T2 FRFSE", "Sag 3D BRAVO +C"),
    "philips": ("3D_Brain_VIEW_FLAIR_SHC", "sT1W_3D_TFE", "T2W_TSE", "sT1W_3D_TFE_Gd"),
    "canon": ("SAG FLAIR 3D", "SAG T1 MPRAGE", "AX T2 FSE", "SAG T1 MPRAGE CE"),
    "uih": ("t2_flair_mx3d_sag", "t1_gre_fsp_3d_sag", "t2_fse_tra", "t1_gre_fsp_3d_sag+C"),
}
_SEQUENCES = {
    "siemens": ("*spcir_278ns", "*tfl3d1_16ns", "*tse2d1_15", "*tfl3d1_16ns"),
    "siemens-xa": ("*spcir_278ns", "*tfl3d1_16ns", "*tse2d1_15", "*tfl3d1_16ns"),
}


def protocols(vendor: str) -> dict[str, Protocol]:
    """FLAIR, T1w, T2w and T1w+Gd as this vendor's scanners write them."""
    measures = (_spin_echo(5000, 386, 1800), _t1(2300, 2.98, 900), _spin_echo(6000, 100, dimensions="2D"))
    headers = [*measures, {**measures[1], **_GADOLINIUM}]
    names = _NAMES[vendor]
    sequences = _SEQUENCES.get(vendor, ("", "", "", ""))
    out = {}
    for role, name, sequence, header in zip(("FLAIR", "T1w", "T2w", "T1w+Gd"), names, sequences, headers, strict=True):
        more = {**header, "SequenceName": sequence} if sequence else header
        plane = "axial" if role == "T2w" else "sagittal"
        voxel_mm = (1.5, 1.25, 3.0) if role == "T2w" else (1.0, 1.1, 1.2)
        out[role] = Protocol(name, more, plane, voxel_mm)
    return out


GRE_NAMES = {
    "siemens": "gre_qsm_tra_p2",
    "siemens-xa": "gre_qsm_tra",
    "ge": "Ax SWAN QSM",
    "philips": "QSM_mFFE",
    "canon": "AX FFE3D QSM",
    "uih": "gre_fsp_3d_tra_qsm",
}
GRE_HEADER: dict[str, Any] = {
    "ScanningSequence": "GR",
    "SequenceVariant": ["SP", "OSP"],
    "ScanOptions": "",
    "MRAcquisitionType": "3D",
    "RepetitionTime": 40.0,
    "FlipAngle": 15.0,
    "PixelBandwidth": 260.0,
}
