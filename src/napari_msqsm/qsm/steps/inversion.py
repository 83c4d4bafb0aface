"""From local field to referenced χ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import InputError
from napari_msqsm.qsm.background.lbv import LbvSettings
from napari_msqsm.qsm.echo_spacing import smallest_spacing_s
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.method import run_method, takes
from napari_msqsm.qsm.reference import referenced
from napari_msqsm.qsm.robust import any_of, count
from napari_msqsm.qsm.steps.background import check_background
from napari_msqsm.qsm.steps.weight import inversion_weight
from napari_msqsm.qsm.strong_sources import TwoPassSettings, two_pass
from napari_msqsm.qsm.weight_choice.choose import time_share

if TYPE_CHECKING:
    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.inversion.result import Inversion
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values
    from napari_msqsm.settings import Settings

_LEAST_KEPT = 0.99


def inversion_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Susceptibility, not yet referenced; and the local field, where the background was left to the inversion."""
    is_local = values["local_field_is_given"]
    if not is_local:
        check_background(settings)
    residual = None if is_local else settings.residual_background

    filters = residual is not None and takes(METHODS[type(settings.inversion)], "residual_background")
    keeps_rim = filters and residual is not None and residual.rim != "drop"
    mask, noise = values["mask"] if keeps_rim else values["local_mask"], values["noise_sd_hz"]
    if not isinstance(settings.background, LbvSettings):  # LBV's own model is that its edge has no local field
        noise = namespace_of(noise).where(values["local_mask"], noise, noise * 0.0)

    def invert_with(inversion: Settings, field_hz: Array, report: Progress) -> Inversion:
        result: Inversion = run_method(
            METHODS[type(inversion)],
            field_hz,
            mask=mask,
            magnitude=values["combined_magnitude"],
            noise_sd_hz=noise,
            csf_mask=values["csf_mask"],
            voxel_size_mm=values["voxel_size_mm"],
            b0_direction=values["b0_direction"],
            hz_per_ppm=values["hz_per_ppm"],
            echo_spacing_s=smallest_spacing_s(values["echo_times_s"]),
            residual_background=residual,
            background_removed=is_local,
            settings=inversion,
            on_progress=report,
        )
        return result

    field = values["total_field_hz"] if values["local_field_hz"] is None else values["local_field_hz"]
    share = time_share(settings.weight_choice)
    weight = inversion_weight(
        lambda inversion, report: invert_with(inversion, field, report),
        field,
        mask,
        values=values,
        settings=settings,
        on_progress=lambda done: on_progress(share * done),
    )

    def invert(field_hz: Array, report: Progress) -> Inversion:
        return invert_with(weight.settings, field_hz, report)

    def on_final_progress(done: float) -> None:
        on_progress(share + (1.0 - share) * done)

    if isinstance(settings.strong_sources, TwoPassSettings):
        result = two_pass(
            invert,
            field,
            noise_sd_hz=noise,
            voxel_size_mm=values["voxel_size_mm"],
            b0_direction=values["b0_direction"],
            hz_per_ppm=values["hz_per_ppm"],
            settings=settings.strong_sources,
            on_progress=on_final_progress,
        )
    else:
        result = invert(field, on_final_progress)
    warnings = [*weight.warnings, *result.warnings]
    kept = count(result.mask) / count(values["mask"])
    if kept < _LEAST_KEPT:
        radii = settings.residual_background.smv_radii_mm if filters else ()
        cause = (
            f"the filter against what is left of the background field ({_mm(radii)})" if radii else "background removal"
        )
        warnings.append(f"{100 * (1 - kept):.0f} % of the mask was given up at its edge by {cause}")
    if not result.cg_converged:
        warnings.append(
            f"the last linear system of the inversion was left after {result.cg_iterations[-1]} iterations "
            "(inversion.cg_max_iter), before its tolerance"
        )
    if not result.converged and (result.cg_converged or len(result.outer_changes) > 1):
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
            **({"weight_choice": dict(weight.record)} if weight.record else {}),
        },
        "inversion_warnings": warnings,
        "local_field_hz": result.local_field_hz if values["local_field_hz"] is None else None,
    }


def reference_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Set what χ = 0 means."""
    mask, warnings, region = values["chi_mask"], [], None
    if values["reference_mask"] is not None:
        region = values["reference_mask"]
        if not any_of(region & mask):
            raise InputError("reference_mask does not overlap the voxels that have a χ; give a region inside the brain")
    elif settings.reference.region == "csf":
        region = values["csf_mask"]
        if not any_of(region & mask):
            region = mask
            warnings.append("no ventricular CSF was found: χ is referenced to the whole brain instead")
    elif settings.reference.region == "brain":
        region = mask
    chi, shift = referenced(values["unreferenced_chi_ppm"], mask=mask, region=region)
    return {"chi_ppm": chi, "reference_shift_ppm": shift, "reference_warnings": warnings}


def _mm(lengths: tuple[float, ...]) -> str:
    return "spheres of " + " and ".join(f"{length:g} mm" for length in lengths)
