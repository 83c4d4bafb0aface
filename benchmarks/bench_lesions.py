"""``chi_ppb`` of synthetic lesions, from complex echoes to the number, against what is true.

Three patients with 30 lesions each, scanned at onset and a year later: reconstruction by the recommended preset,
alignment, one click on FLAIR, carrying, propagation, reference and measuring are the product's. What is recorded, per
group of lesions: number, bias and median absolute error of onset, of year 1 and of the change, for each of the
comparisons of `followed.errors`, and Dice of the proposals.

The patients of these seeds were not looked at while anything was chosen.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np
import pytest

from followed import follow, lesion_errors, scanned_noise_ppb, summary

if TYPE_CHECKING:
    from followed import LesionErrors

SEEDS = (201, 202, 203)


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    return tmp_path_factory.mktemp("followed")


@pytest.fixture(scope="module")
def collected() -> list[LesionErrors]:
    return []


@pytest.mark.parametrize("seed", SEEDS)
def bench_patient(record, studies, collected, seed):
    """Scan, reconstruct, align and measure one patient; the last seed records the figures of all."""

    def whole() -> list[LesionErrors]:
        collected.extend(lesion_errors(follow(studies / f"seed-{seed}", seed)))
        return collected

    record(whole, figures=summary)


def bench_noise(record):
    """Noise of the reconstructed χ: standard deviation over two scans that differ by their noise alone."""

    def figures(noise_ppb):
        return {"white_matter_noise_ppb": noise_ppb}

    assert 5.0 < record(scanned_noise_ppb, 204, figures=figures) < 7.0


def bench_read_again(record, studies):
    """Measure the lesions of a patient that is reconstructed already."""
    if not (studies / f"seed-{SEEDS[0]}").exists():
        pytest.skip("run bench_patient in the same session")
    patient = follow(studies / f"seed-{SEEDS[0]}", SEEDS[0])
    found = record(lesion_errors, patient, figures=lambda each: {"lesions": len(each)})
    assert statistics.median(one.dice for one in found) > 0.8
    assert np.isfinite([one.read for one in found]).mean() > 0.9
