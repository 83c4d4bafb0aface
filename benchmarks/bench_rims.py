"""Contrast of rims of 1–1.5 mm in synthetic lesions: how much of it a reconstruction at the paper's voxel size shows.

Every benchmark records, over the lesions, the part of the contrast of rim and core that the map has: of the true χ
averaged over the same voxels (``of_voxels``), and of the contrast in the head itself (``of_head``).
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.rims import RimRecovery, RimRegion, rim_recovery, rim_regions
from napari_msqsm.phantom.scan import GradientEcho, gradient_echo, scan_grid
from napari_msqsm.phantom.scanner import SIEMENS
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct

if TYPE_CHECKING:
    from napari_msqsm.qsm.reconstruct import Reconstruction

VOXEL_MM, FIELD_OF_VIEW_MM, CENTRE_MM = (0.75, 0.75, 3.0), (168.0, 208.0, 108.0), (0.0, -4.0, 12.0)
N_LESIONS, N_ECHOES, NOISE, TIME_Y = 24, 8, 0.01, 2.0


@dataclass(frozen=True)
class Scanned:
    """One scan with its rims."""

    scan: GradientEcho
    series: MultiEchoSeries
    regions: tuple[RimRegion, ...]

    def recovery(self, out: Reconstruction) -> tuple[RimRecovery, ...]:
        return rim_recovery(out.chi_ppm, self.scan.truth.chi_ppm, self.regions, mask=out.mask)


@pytest.fixture(scope="module")
def scanned() -> Scanned:
    rng = np.random.default_rng(11)
    patient = SyntheticPatient.drawn(rng, n_lesions=N_LESIONS, times_y=(0.0, TIME_Y), heterogeneity_ppb=5.0)
    grid = scan_grid(VOXEL_MM, FIELD_OF_VIEW_MM, tilt_deg=10.0, centre_mm=CENTRE_MM)
    pose = np.eye(4)
    scan = gradient_echo(
        patient,
        time_y=TIME_Y,
        grid=grid,
        pose=pose,
        scanner=SIEMENS,
        n_echoes=N_ECHOES,
        noise=NOISE,
        subvoxel_mm=0.75,
        blank_air=False,
        rng=rng,
    )
    series = MultiEchoSeries(
        np.abs(scan.signal),
        np.angle(scan.signal),
        SIEMENS.echo_times_s(N_ECHOES),
        SIEMENS.b0_tesla,
        grid,
        imaging_frequency_hz=SIEMENS.imaging_frequency_hz,
    )
    return Scanned(scan, series, rim_regions(patient.lesions, grid=grid, pose=pose, time_y=TIME_Y))


@pytest.mark.parametrize("preset", ["published", "recommended"])
@pytest.mark.parametrize("start", ["true local field", "echoes"])
def bench_rims(record, scanned, preset, start):
    truth = scanned.scan.truth
    given = {"local_field_hz": truth.local_field_hz} if start == "true local field" else {}

    def figures(out):
        found = scanned.recovery(out)
        return {
            "lesions": len(found),
            "of_voxels_median": statistics.median(rim.of_voxels for rim in found),
            "of_voxels_least": min(rim.of_voxels for rim in found),
            "of_voxels_pooled": sum(rim.map_ppb for rim in found) / sum(rim.true_ppb for rim in found),
            "of_head_median": statistics.median(rim.of_head for rim in found),
            "map_ppb": statistics.fmean(rim.map_ppb for rim in found),
            "true_ppb": statistics.fmean(rim.true_ppb for rim in found),
            "head_ppb": statistics.fmean(rim.head_ppb for rim in found),
            "residual": float(out.record["outer_changes"][-1]),
            "iterations": sum(out.record["cg_iterations"]),
        }

    record(reconstruct, scanned.series, PRESETS[preset], mask=truth.brain_mask, figures=figures, **given)
