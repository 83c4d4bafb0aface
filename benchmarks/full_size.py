"""One reconstruction of a synthetic head at full size in a process of its own; prints its figures as JSON.

``python benchmarks/full_size.py SCAN.npz PRESET [--start local]`` after ``--make`` has written the scan.
"""

from __future__ import annotations

import argparse
import collections
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import scipy.fft
from skimage.metrics import structural_similarity

from napari_msqsm._backend import default_threads, fft_for
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.series import MultiEchoSeries
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.scan import gradient_echo, scan_grid
from napari_msqsm.phantom.scanner import SIEMENS
from napari_msqsm.qsm.memory import peak_bytes, workload_of
from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.qsm.reconstruct import reconstruct

_BYTES_PER_RSS = 1 if sys.platform == "darwin" else 1024
_PROGRAM_GB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_RSS / 1e9
"""What the imports take."""
_TILT_DEG, _CENTRE_MM, _N_LESIONS, _NOISE, _SUBVOXEL_MM = 12.0, (0.0, -4.0, 12.0), 12, 0.01, 0.9


def make(path: Path, shape: list[int], voxel_mm: list[float], n_echoes: int) -> None:
    """Write a scan of a synthetic patient in slices tilted by 12°."""
    rng = np.random.default_rng(7)
    patient = SyntheticPatient.drawn(rng, n_lesions=_N_LESIONS, times_y=(0.0,), heterogeneity_ppb=5.0)
    extent = [n * step for n, step in zip(shape, voxel_mm, strict=True)]
    grid = scan_grid(voxel_mm, extent, tilt_deg=_TILT_DEG, centre_mm=_CENTRE_MM)
    scan = gradient_echo(
        patient,
        time_y=0.0,
        grid=grid,
        pose=np.eye(4),
        scanner=SIEMENS,
        n_echoes=n_echoes,
        noise=_NOISE,
        subvoxel_mm=_SUBVOXEL_MM,
        blank_air=False,
        rng=rng,
    )
    np.savez(
        path,
        magnitude=np.abs(scan.signal),
        phase_rad=np.angle(scan.signal),
        affine=grid.affine,
        chi_ppm=scan.truth.chi_ppm,
        local_field_hz=scan.truth.local_field_hz,
        mask=scan.truth.brain_mask,
    )


def run(path: Path, preset: str, start: str) -> dict[str, object]:
    """Reconstruct and score; the truth's brain mask is given."""
    with np.load(path) as stored:
        scan = dict(stored)
    times = SIEMENS.echo_times_s(len(scan["magnitude"]))
    grid = Grid(scan["mask"].shape, scan["affine"])
    series = MultiEchoSeries(
        scan["magnitude"],
        scan["phase_rad"],
        times,
        SIEMENS.b0_tesla,
        grid,
        imaging_frequency_hz=SIEMENS.imaging_frequency_hz,
    )
    given = {"local_field_hz": scan["local_field_hz"]} if start == "local" else {}
    cpu_s, transforms = {}, {}

    def around(step, _, __, compute):
        before = time.process_time()
        with _Counted() as counted:
            out = compute()
        cpu_s[step.name], transforms[step.name] = time.process_time() - before, counted.shapes
        return out

    before = time.process_time()
    out = reconstruct(series, PRESETS[preset], mask=scan["mask"], around=around, **given)
    whole_s = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_RSS
    work = workload_of(grid.shape, grid.voxel_size_mm, len(times), mask=scan["mask"], has_phase=True)
    fft_s = _fft_only_s(transforms["inversion"])
    return {
        "cpu_s": whole_s,
        "wall_s": sum(out.seconds.values()),
        "threads": default_threads(),
        "peak_rss_gb": peak / 1e9,
        "program_gb": _PROGRAM_GB,
        "planned_gb": peak_bytes(work, PRESETS[preset]) / 1e9,
        "inversion_cpu_s": cpu_s["inversion"],
        "inversion_transforms": sum(transforms["inversion"].values()),
        "inversion_fft_only_cpu_s": fft_s,
        "inversion_over_fft_only": cpu_s["inversion"] / fft_s,
        "iterations": sum(out.record["cg_iterations"]),
        "outer_steps": len(out.record["outer_changes"]),
        "residual": float(out.record["outer_changes"][-1]),
        "converged": out.converged,
        "kept": float(out.mask[scan["mask"]].mean()),
        **_scores(out.chi_ppm, scan["chi_ppm"], out.mask & scan["mask"]),
        **{f"cpu_s {name}": seconds for name, seconds in cpu_s.items()},
    }


class _Counted:
    """Counts the real 3-D transforms by direction and shape of the image while the block runs."""

    def __enter__(self) -> _Counted:
        self.shapes = collections.Counter()
        self._rfftn, self._irfftn = scipy.fft.rfftn, scipy.fft.irfftn

        def rfftn(image, *args, **keywords):
            self.shapes["rfftn", tuple(image.shape)] += 1
            return self._rfftn(image, *args, **keywords)

        def irfftn(spectrum, s, **keywords):
            self.shapes["irfftn", tuple(s)] += 1
            return self._irfftn(spectrum, s=s, **keywords)

        scipy.fft.rfftn, scipy.fft.irfftn = rfftn, irfftn
        return self

    def __exit__(self, *_: object) -> None:
        scipy.fft.rfftn, scipy.fft.irfftn = self._rfftn, self._irfftn


def _fft_only_s(transforms: collections.Counter, sample: int = 40) -> float:
    """CPU seconds of as many transforms alone, from some of each kind."""
    fft, seconds = fft_for(np), 0.0
    for (direction, shape), number in transforms.items():
        image = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        spectrum = fft.rfftn(image, axes=(0, 1, 2))
        some = min(number, sample)
        before = time.process_time()
        for _ in range(some):
            if direction == "rfftn":
                fft.rfftn(image, axes=(0, 1, 2))
            else:
                fft.irfftn(spectrum, s=shape, axes=(0, 1, 2))
        seconds += number * (time.process_time() - before) / some
    return seconds


def _scores(chi_ppm, truth_ppm, mask) -> dict[str, float]:
    """NRMSE in % and XSIM (Milovic C et al., MRM 2025;93:411, doi 10.1002/mrm.30271), means over the mask removed."""
    found, wanted = (np.where(mask, image - image[mask].mean(), 0) for image in (chi_ppm, truth_ppm))
    similar = structural_similarity(
        found,
        wanted,
        data_range=1.0,
        K1=0.01,
        K2=0.001,
        sigma=1.5,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )[1]
    return {
        "nrmse_percent": float(100 * np.linalg.norm(found - wanted) / np.linalg.norm(wanted)),
        "xsim": float(similar[mask].mean()),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scan", type=Path)
    parser.add_argument("preset", nargs="?", default="published")
    parser.add_argument("--start", choices=["echoes", "local"], default="echoes")
    parser.add_argument("--make", nargs=7, metavar=("X", "Y", "Z", "DX", "DY", "DZ", "ECHOES"), type=float)
    args = parser.parse_args()
    if args.make:
        make(args.scan, [int(n) for n in args.make[:3]], args.make[3:6], int(args.make[6]))
    else:
        sys.stdout.write(json.dumps(run(args.scan, args.preset, args.start)) + "\n")


if __name__ == "__main__":
    main()
