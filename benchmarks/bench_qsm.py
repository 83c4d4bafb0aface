"""Field fit, background removal and MEDI on a synthetic head of realistic size (192×224×64, 1×1×2 mm, 8 echoes)."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.pdf import PdfSettings, pdf
from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.inversion.medi import MediSettings, medi

SHAPE, VOXEL_MM, B0 = (192, 224, 64), (1.0, 1.0, 2.0), (0.0, 0.17, 0.985)
TIMES_S = tuple(0.0045 + 0.0048 * echo for echo in range(8))
HZ_PER_PPM = 127.7


def _ball(axes, centre, radius):
    return sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < radius**2


def _sphere_field(axes, centre, radius, chi):
    offset = [a - c for a, c in zip(axes, centre, strict=True)]
    r2 = np.maximum(sum(o**2 for o in offset), radius**2)
    cos2 = sum(o * b for o, b in zip(offset, B0, strict=True)) ** 2 / r2
    return np.where(r2 > radius**2, chi / 3 * (radius**2 / r2) ** 1.5 * (3 * cos2 - 1), 0)


@pytest.fixture(scope="module")
def head():
    axes = np.meshgrid(*((np.arange(n) - n / 2) * s for n, s in zip(SHAPE, VOXEL_MM, strict=True)), indexing="ij")
    mask = (axes[0] / 70) ** 2 + (axes[1] / 90) ** 2 + (axes[2] / 58) ** 2 < 1
    rng = np.random.default_rng(0)
    centres = rng.uniform((-45, -60, -35), (45, 60, 35), (40, 3))
    radii, chi = rng.uniform(2.5, 8, 40), rng.uniform(-0.06, 0.15, 40)
    local = sum(_sphere_field(axes, c, r, x) for c, r, x in zip(centres, radii, chi, strict=True))
    background = _sphere_field(axes, (5, 88, -50), 18, 9.0) + _sphere_field(axes, (-40, -95, -40), 12, -6.0)
    local_hz = (HZ_PER_PPM * local).astype(np.float32)
    total_hz = local_hz + (HZ_PER_PPM * background).astype(np.float32)
    anatomy = np.ones(SHAPE, np.float32)
    for centre, radius in zip(centres, radii, strict=True):
        anatomy[_ball(axes, centre, radius)] *= 0.8
    magnitude, phase = np.empty((2, len(TIMES_S), *SHAPE), np.float32)
    for echo, time in enumerate(TIMES_S):
        signal = mask * anatomy * np.exp(-20 * time) * np.exp(2j * np.pi * time * total_hz)
        signal = signal + 0.01 * (rng.standard_normal(SHAPE) + 1j * rng.standard_normal(SHAPE))
        magnitude[echo], phase[echo] = np.abs(signal), np.angle(signal)
    return {
        "mask": mask,
        "local_hz": np.where(mask, local_hz + rng.normal(0, 0.1, SHAPE), 0).astype(np.float32),
        "total_hz": total_hz,
        "magnitude": magnitude,
        "phase": phase,
        "noise": mask.astype(np.float32),
    }


def bench_field_fit(record, head):
    record(
        fit_field,
        head["magnitude"],
        head["phase"],
        echo_times_s=TIMES_S,
        mask=head["mask"],
        figures=lambda fit: {
            "residual": float(np.median(fit.residual[head["mask"]])),
            "converged_fraction": fit.converged_fraction,
        },
    )


@pytest.mark.parametrize("method", ["pdf", "lbv"])
def bench_background(record, head, method):
    shared = {"mask": head["mask"], "voxel_size_mm": VOXEL_MM}
    if method == "pdf":
        call = pdf, {"noise_sd_hz": head["noise"], "b0_direction": B0, "settings": PdfSettings()}
    else:
        call = lbv, {"settings": LbvSettings()}

    def figures(result):
        wrong = (result.field_hz - head["local_hz"])[result.mask]
        return {
            "iterations": result.iterations,
            "converged": result.converged,
            "residual": float(np.linalg.norm(wrong) / np.linalg.norm(head["local_hz"][result.mask])),
        }

    record(call[0], head["total_hz"], **shared, **call[1], figures=figures)


@pytest.mark.parametrize("lambda_csf", [0.0, 100.0])
def bench_medi(record, head, lambda_csf):
    record(
        medi,
        head["local_hz"],
        magnitude=head["magnitude"][0],
        noise_sd_hz=head["noise"],
        mask=head["mask"],
        csf_mask=head["mask"] & (np.indices(SHAPE)[0] // 8 == 12),
        voxel_size_mm=VOXEL_MM,
        b0_direction=B0,
        hz_per_ppm=HZ_PER_PPM,
        echo_spacing_s=0.0048,
        settings=MediSettings(lambda_csf=lambda_csf),
        figures=lambda result: {
            "iterations": sum(result.cg_iterations),
            "outer_steps": len(result.outer_changes),
            "residual": result.outer_changes[-1],
            "objective": result.objective[-1],
            "converged": result.converged,
        },
    )
