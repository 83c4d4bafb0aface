"""Noise of the reconstructed χ, by scanning a head twice with other noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from followed.patients import DESIGN
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.phantom.person import drawn_person, stream_of
from napari_msqsm.phantom.scan import gradient_echo, scan_grid
from napari_msqsm.phantom.scanner import SIEMENS
from napari_msqsm.phantom.tissue import Tissue
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct
from napari_msqsm.units import PPB_PER_PPM

if TYPE_CHECKING:
    from napari_msqsm.phantom.design import StudyDesign


def scanned_noise_ppb(seed: int, design: StudyDesign = DESIGN) -> float:
    """Standard deviation over white matter of the difference of two reconstructions, divided by √2."""
    rng = stream_of(design.model_copy(update={"seed": seed}), 0)
    person, _ = drawn_person(rng, design)
    grid = scan_grid(
        design.voxel_size_mm, design.field_of_view_mm, tilt_deg=design.tilt_deg, centre_mm=design.centre_mm
    )
    scan = gradient_echo(
        person,
        time_y=0.0,
        grid=grid,
        pose=np.eye(4),
        scanner=SIEMENS,
        n_echoes=design.n_echoes,
        noise=0.0,
        subvoxel_mm=design.subvoxel_mm,
        blank_air=design.blank_air,
        rng=rng,
    )
    truth = scan.truth
    level = np.float32(design.noise * np.abs(scan.signal[0])[truth.brain_mask].mean())
    maps = []
    for _ in range(2):
        noise = rng.standard_normal((2, *scan.signal.shape), np.float32)
        signal = scan.signal + level * (noise[0] + 1j * noise[1])
        times_s = SIEMENS.echo_times_s(design.n_echoes)
        series = MultiEchoSeries(
            np.abs(signal),
            np.angle(signal),
            times_s,
            SIEMENS.b0_tesla,
            grid,
            imaging_frequency_hz=SIEMENS.imaging_frequency_hz,
        )
        maps.append(reconstruct(series, PRESETS["recommended"]))
    white = (truth.tissues == Tissue.WHITE_MATTER) & (truth.lesions == 0) & maps[0].mask & maps[1].mask
    return float(np.std((maps[0].chi_ppm - maps[1].chi_ppm)[white], dtype=np.float64)) * PPB_PER_PPM / np.sqrt(2.0)
