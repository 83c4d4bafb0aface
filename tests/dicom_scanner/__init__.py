"""A synthetic scanner: DICOM series of every vendor with known content, for tests.

``write_study(folder)`` writes one patient, two visits of a Siemens scanner: GRE (magnitude and phase, three echoes),
FLAIR, T1w, T2w, T1w after gadolinium; ``Visit(vendor=…)`` chooses another scanner. ``write_gre`` and
``write_contrast`` write single series; ``cut``, ``fuzz``, ``double``, ``set_elements`` and ``compress_files`` change
files afterwards.
"""

from dicom_scanner.compression import SYNTAXES, compress_files
from dicom_scanner.contrasts import write_contrast
from dicom_scanner.damage import cut, double, fuzz, set_elements
from dicom_scanner.geometry import Geometry
from dicom_scanner.gre import write_gre
from dicom_scanner.people import Patient, Visit, Written
from dicom_scanner.study import ECHO_TIMES_S, TWO_VISITS, write_study
from dicom_scanner.vendors import CLASSIC, ROLES

__all__ = [
    "CLASSIC",
    "ECHO_TIMES_S",
    "ROLES",
    "SYNTAXES",
    "TWO_VISITS",
    "Geometry",
    "Patient",
    "Visit",
    "Written",
    "compress_files",
    "cut",
    "double",
    "fuzz",
    "set_elements",
    "write_contrast",
    "write_gre",
    "write_study",
]
