"""The steps from echoes to susceptibility, in order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.pdf import pdf
from napari_msqsm.qsm.echoes import field_noise_from_magnitude, root_sum_of_squares
from napari_msqsm.qsm.field_fit import equally_spaced, fit_field, smallest_spacing_s
from napari_msqsm.qsm.host.brain_mask import brain_mask
from napari_msqsm.qsm.host.csf_mask import csf_mask
from napari_msqsm.qsm.host.unwrap import unwrap_field
from napari_msqsm.qsm.inversion.medi import MediSettings, medi
from napari_msqsm.qsm.inversion.tkd import tkd
from napari_msqsm.qsm.quality import quality_numbers
from napari_msqsm.qsm.r2star import fit_r2star
from napari_msqsm.qsm.reference import referenced
from napari_msqsm.qsm.reliability import weighed_noise
from napari_msqsm.qsm.step import Step
from napari_msqsm.qsm.unequal_echoes import refit_unwrapped

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values

_LEAST_CONVERGED_FRACTION = 0.99
_LEAST_KEPT = 0.99
_MOST_CSF = 0.15


def _combine(values: Values, _: ReconstructionSettings, __: Progress) -> Values:
    return {"combined_magnitude": root_sum_of_squares(values["magnitude"])}


def _brain_mask(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    combined = values["combined_magnitude"]
    found = brain_mask(to_numpy(combined), voxel_size_mm=values["voxel_size_mm"], settings=settings.brain_mask)
    return {"mask": like(found, combined)}


def _r2star(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    return {
        "r2star_hz": fit_r2star(
            values["magnitude"],
            echo_times_s=values["echo_times_s"],
            mask=values["mask"],
            settings=settings.r2star,
        )
    }


def _field_fit(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    if values["phase_rad"] is None:
        noise = field_noise_from_magnitude(
            values["magnitude"], echo_times_s=values["echo_times_s"], mask=values["mask"]
        )
        unknown = noise * math.nan
        return {
            "signal_noise_sd_hz": noise,
            "fit_residual": unknown,
            "wrapped_field_hz": unknown,
            "period_hz": math.nan,
            "field_fit_warnings": [],
        }
    fit = fit_field(
        values["magnitude"],
        values["phase_rad"],
        echo_times_s=values["echo_times_s"],
        mask=values["mask"],
        settings=settings.field_fit,
        on_progress=on_progress,
    )
    warnings = []
    if fit.converged_fraction < _LEAST_CONVERGED_FRACTION:
        warnings.append(
            f"the field fit did not converge in {100 * (1 - fit.converged_fraction):.1f} % of the voxels; "
            "they are noisy or the phase is not consistent over echoes"
        )
    return {
        "signal_noise_sd_hz": fit.noise_sd_hz,
        "fit_residual": fit.residual,
        "wrapped_field_hz": fit.field_hz,
        "period_hz": fit.period_hz,
        "field_fit_warnings": warnings,
    }


def _reliability(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    noise = values["signal_noise_sd_hz"]
    if values["phase_rad_is_given"]:
        noise = weighed_noise(noise, values["fit_residual"], mask=values["mask"], settings=settings.reliability)
    return {"noise_sd_hz": noise}


def _unwrapping(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    wrapped = values["wrapped_field_hz"]
    found = unwrap_field(to_numpy(wrapped), period_hz=values["period_hz"], mask=to_numpy(values["mask"]))
    field = like(found, wrapped)
    if not equally_spaced(values["echo_times_s"]):
        field = refit_unwrapped(
            field,
            values["magnitude"],
            values["phase_rad"],
            echo_times_s=values["echo_times_s"],
            period_hz=values["period_hz"],
            mask=values["mask"],
            settings=settings.field_fit,
            on_progress=on_progress,
        )
    return {"total_field_hz": field}


def _background(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    shared: dict[str, Any] = {"voxel_size_mm": values["voxel_size_mm"], "on_progress": on_progress}
    mask, noise = values["mask"], values["noise_sd_hz"]
    if isinstance(settings.background, LbvSettings):
        result = lbv(
            values["total_field_hz"],
            mask=mask & (noise > 0),
            settings=settings.background,
            **shared,
        )
    else:
        result = pdf(
            values["total_field_hz"],
            noise_sd_hz=noise,
            mask=mask,
            b0_direction=values["b0_direction"],
            settings=settings.background,
            **shared,
        )
    warnings = []
    if not result.converged:
        warnings.append(f"background removal stopped after {result.iterations} iterations before its tolerance")
    return {
        "local_field_hz": result.field_hz,
        "local_mask": result.mask,
        "background_converged": result.converged,
        "background_warnings": warnings,
    }


def _csf_mask(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    mask = values["mask"]
    xp = namespace_of(values["magnitude"])
    if len(values["echo_times_s"]) < 2:
        return {"csf_mask": xp.zeros_like(mask), "csf_mask_warnings": ["with one echo there is no R2* to find CSF by"]}
    signal = values["magnitude"][0, ...] * xp.exp(values["r2star_hz"] * float(values["echo_times_s"][0]))
    found = csf_mask(
        to_numpy(values["r2star_hz"]),
        mask=to_numpy(values["mask"]),
        voxel_size_mm=values["voxel_size_mm"],
        signal=to_numpy(signal),
        settings=settings.csf_mask,
    )
    share = float(found.sum()) / _count(mask)
    if share > _MOST_CSF:
        sentence = f"{100 * share:.0f} % of the brain looked like CSF by its R2*, which cannot be; no CSF mask is used"
        return {"csf_mask": xp.zeros_like(mask), "csf_mask_warnings": [sentence]}
    return {"csf_mask": like(found, mask), "csf_mask_warnings": []}


def _inversion(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    residual = None if values["local_field_is_given"] else settings.residual_background
    keep_rim = residual is not None and residual.keep_rim
    mask = values["mask"] if keep_rim else values["local_mask"]
    shared: dict[str, Any] = {
        "mask": mask,
        "voxel_size_mm": values["voxel_size_mm"],
        "b0_direction": values["b0_direction"],
        "hz_per_ppm": values["hz_per_ppm"],
    }
    warnings = []
    if isinstance(settings.inversion, MediSettings):
        result = medi(
            values["local_field_hz"],
            magnitude=values["combined_magnitude"],
            noise_sd_hz=values["noise_sd_hz"],
            csf_mask=values["csf_mask"],
            echo_spacing_s=smallest_spacing_s(values["echo_times_s"]),
            residual_background=residual,
            settings=settings.inversion,
            on_progress=on_progress,
            **shared,
        )
        if settings.inversion.lambda_csf > 0 and not _any(values["csf_mask"] & result.mask):
            warnings.append("no ventricular CSF was found: MEDI ran without the uniform-CSF term (+0)")
    else:
        result = tkd(values["local_field_hz"], settings=settings.inversion, **shared)
    kept = _count(result.mask) / _count(values["mask"])
    if kept < _LEAST_KEPT:
        radii = settings.residual_background.smv_radii_mm if residual is not None else ()
        cause = (
            f"the filter against what is left of the background field ({_mm(radii)})" if radii else "background removal"
        )
        warnings.append(f"{100 * (1 - kept):.0f} % of the mask was given up at its edge by {cause}")
    if not result.cg_converged:
        warnings.append(
            f"the last linear system of the inversion was left after {result.cg_iterations[-1]} iterations "
            "(inversion.cg_max_iter), before its tolerance"
        )
    if not result.converged:
        warnings.append(
            f"the inversion did not converge: its last step changed χ by {result.outer_changes[-1]:.2g} of its norm"
        )
    return {
        "unreferenced_chi_ppm": result.chi_ppm,
        "chi_mask": result.mask,
        "converged": result.converged,
        "inversion_record": {
            "outer_changes": list(result.outer_changes),
            "cg_iterations": list(result.cg_iterations),
            "objective": list(result.objective),
        },
        "inversion_warnings": warnings,
    }


def _reference(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    mask, warnings, region = values["chi_mask"], [], None
    if settings.reference.region == "csf":
        region = values["csf_mask"]
        if not _any(region & mask):
            region = mask
            warnings.append("no ventricular CSF was found: χ is referenced to the whole brain instead")
    elif settings.reference.region == "brain":
        region = mask
    chi, shift = referenced(values["unreferenced_chi_ppm"], mask=mask, region=region)
    return {"chi_ppm": chi, "reference_shift_ppm": shift, "reference_warnings": warnings}


def _quality(values: Values, _: ReconstructionSettings, __: Progress) -> Values:
    names = (
        "chi_ppm",
        "chi_mask",
        "mask",
        "csf_mask",
        "local_field_hz",
        "noise_sd_hz",
        "fit_residual",
        "voxel_size_mm",
        "hz_per_ppm",
    )
    quality = dict(quality_numbers(**{name: values[name] for name in names}))
    if not values["noise_sd_is_given"] and (not values["phase_rad_is_given"] or len(values["echo_times_s"]) < 3):
        quality["field_noise_median_ppb"] = math.nan  # no more than its pattern is known
    return {"quality": quality}


def _mm(lengths: tuple[float, ...]) -> str:
    return "spheres of " + " and ".join(f"{length:g} mm" for length in lengths)


def _count(mask: Array) -> int:
    xp = namespace_of(mask)
    return int(xp.count_nonzero(mask))


def _any(mask: Array) -> bool:
    xp = namespace_of(mask)
    return bool(xp.any(mask))


STEPS: tuple[Step, ...] = (
    Step("combine", "Combining echoes", 1, ("magnitude",), ("combined_magnitude",), (), _combine, 1),
    Step(
        "brain_mask",
        "Brain mask",
        1,
        ("combined_magnitude", "voxel_size_mm"),
        ("mask",),
        ("brain_mask",),
        _brain_mask,
        4,
    ),
    Step("r2star", "R2* map", 2, ("magnitude", "echo_times_s", "mask"), ("r2star_hz",), ("r2star",), _r2star, 1),
    Step(
        "field_fit",
        "Field fit",
        2,
        ("magnitude", "phase_rad", "echo_times_s", "mask"),
        ("signal_noise_sd_hz", "fit_residual", "wrapped_field_hz", "period_hz", "field_fit_warnings"),
        ("field_fit",),
        _field_fit,
        10,
    ),
    Step(
        "reliability",
        "Reliability of the field",
        1,
        ("signal_noise_sd_hz", "fit_residual", "phase_rad_is_given", "mask"),
        ("noise_sd_hz",),
        ("reliability",),
        _reliability,
        1,
    ),
    Step(
        "unwrapping",
        "Unwrapping",
        2,
        ("wrapped_field_hz", "period_hz", "mask", "magnitude", "phase_rad", "echo_times_s"),
        ("total_field_hz",),
        ("unwrapping", "field_fit"),
        _unwrapping,
        5,
    ),
    Step(
        "background",
        "Background field",
        3,
        ("total_field_hz", "noise_sd_hz", "mask", "voxel_size_mm", "b0_direction"),
        ("local_field_hz", "local_mask", "background_converged", "background_warnings"),
        ("background",),
        _background,
        30,
    ),
    Step(
        "csf_mask",
        "CSF mask",
        2,
        ("r2star_hz", "magnitude", "echo_times_s", "mask", "voxel_size_mm"),
        ("csf_mask", "csf_mask_warnings"),
        ("csf_mask",),
        _csf_mask,
        2,
    ),
    Step(
        "inversion",
        "Dipole inversion",
        2,
        (
            "local_field_hz",
            "local_mask",
            "mask",
            "combined_magnitude",
            "noise_sd_hz",
            "csf_mask",
            "echo_times_s",
            "voxel_size_mm",
            "b0_direction",
            "hz_per_ppm",
            "local_field_is_given",
        ),
        ("unreferenced_chi_ppm", "chi_mask", "converged", "inversion_record", "inversion_warnings"),
        ("inversion", "residual_background"),
        _inversion,
        45,
    ),
    Step(
        "reference",
        "Reference",
        1,
        ("unreferenced_chi_ppm", "chi_mask", "csf_mask"),
        ("chi_ppm", "reference_shift_ppm", "reference_warnings"),
        ("reference",),
        _reference,
        1,
    ),
    Step(
        "quality",
        "Quality",
        2,
        (
            "chi_ppm",
            "chi_mask",
            "mask",
            "csf_mask",
            "local_field_hz",
            "noise_sd_hz",
            "fit_residual",
            "voxel_size_mm",
            "hz_per_ppm",
            "echo_times_s",
            "phase_rad_is_given",
            "noise_sd_is_given",
        ),
        ("quality",),
        (),
        _quality,
        1,
    ),
)
"""In order: what a step needs is given or made by an earlier one."""
