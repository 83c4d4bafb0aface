"""Synthetic patients that are followed for a year, and how far their lesions are off; for tests and benchmarks."""

from followed.errors import LesionErrors, lesion_errors
from followed.noise import scanned_noise_ppb
from followed.patients import DESIGN, FollowedPatient, follow
from followed.summary import differences, summary

__all__ = [
    "DESIGN",
    "FollowedPatient",
    "LesionErrors",
    "differences",
    "follow",
    "lesion_errors",
    "scanned_noise_ppb",
    "summary",
]
