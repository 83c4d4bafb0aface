"""Magnetic and relaxation properties of every tissue at 3 T.

Susceptibility is relative to water (and cerebrospinal fluid, 0 ppm): deep grey matter in the order of Langkammer
et al. 2012 (doi 10.1016/j.neuroimage.2012.05.049), relaxation after Stanisz et al. 2005 (doi 10.1002/mrm.20605),
air and bone after Schenck 1996 (doi 10.1118/1.597854); rounded to typical values of adult patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

CHI_AIR_PPM = 9.4
"""Air relative to tissue."""


class Tissue(IntEnum):
    """Labels of the segmentation; lesions follow from `LESION_LABEL` on."""

    AIR = 0
    CAUDATE = 1
    PUTAMEN = 2
    PALLIDUM = 3
    RED_NUCLEUS = 4
    SUBSTANTIA_NIGRA = 5
    DENTATE = 6
    THALAMUS = 7
    WHITE_MATTER = 8
    GREY_MATTER = 9
    CSF = 10
    VEIN = 11
    VENTRICLE = 12
    BONE = 13
    SCALP = 14
    MUSCLE = 15
    EYE = 16
    SPINAL_CORD = 17
    CHOROID_PLEXUS = 18


LESION_LABEL = 100
"""Label of the first lesion in the segmentation."""


@dataclass(frozen=True)
class Properties:
    """What one tissue looks like to the scanner."""

    chi_ppm: float
    r2star_hz: float
    t1_s: float
    t2_s: float
    proton_density: float


PROPERTIES: dict[Tissue, Properties] = {
    Tissue.AIR: Properties(CHI_AIR_PPM, 0.0, 1.0, 0.1, 0.0),
    Tissue.CAUDATE: Properties(0.060, 24.0, 1.35, 0.082, 0.82),
    Tissue.PUTAMEN: Properties(0.070, 27.0, 1.28, 0.076, 0.81),
    Tissue.PALLIDUM: Properties(0.160, 42.0, 1.02, 0.060, 0.74),
    Tissue.RED_NUCLEUS: Properties(0.120, 36.0, 1.05, 0.064, 0.76),
    Tissue.SUBSTANTIA_NIGRA: Properties(0.140, 40.0, 1.08, 0.062, 0.76),
    Tissue.DENTATE: Properties(0.115, 34.0, 1.12, 0.066, 0.77),
    Tissue.THALAMUS: Properties(0.015, 21.0, 1.15, 0.078, 0.77),
    Tissue.WHITE_MATTER: Properties(-0.030, 21.0, 0.85, 0.069, 0.68),
    Tissue.GREY_MATTER: Properties(0.015, 17.0, 1.40, 0.096, 0.83),
    Tissue.CSF: Properties(0.0, 2.0, 4.0, 1.6, 1.0),
    Tissue.VEIN: Properties(0.280, 60.0, 1.60, 0.045, 0.80),
    Tissue.VENTRICLE: Properties(0.0, 1.5, 4.2, 1.8, 1.0),
    Tissue.BONE: Properties(-2.1, 200.0, 0.40, 0.002, 0.12),
    Tissue.SCALP: Properties(0.30, 32.0, 0.36, 0.070, 0.75),
    Tissue.MUSCLE: Properties(0.02, 35.0, 1.40, 0.040, 0.72),
    Tissue.EYE: Properties(0.0, 3.0, 3.8, 1.2, 0.98),
    Tissue.SPINAL_CORD: Properties(-0.025, 22.0, 0.90, 0.070, 0.70),
    Tissue.CHOROID_PLEXUS: Properties(-0.02, 22.0, 1.6, 0.12, 0.90),
}

BRAIN = frozenset(
    tissue for tissue in Tissue if tissue not in {Tissue.AIR, Tissue.BONE, Tissue.SCALP, Tissue.MUSCLE, Tissue.EYE}
)
"""Everything inside the skull, with its fluid."""


def table(name: str) -> dict[Tissue, Any]:
    """One property of all tissues, such as ``table("chi_ppm")``."""
    return {tissue: getattr(properties, name) for tissue, properties in PROPERTIES.items()}
