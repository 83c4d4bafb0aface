"""From local field to referenced χ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.qsm.echo_spacing import smallest_spacing_s
from napari_msqsm.qsm.inversion.methods import METHODS
from napari_msqsm.qsm.method import run_method
from napari_msqsm.qsm.reference import referenced
from napari_msqsm.qsm.robust import any_of, count

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values

_LEAST_KEPT = 0.99


def inversion_step(values: Values, settings: ReconstructionSettings, on_progress: Progress) -> Values:
    """Susceptibility of the local field, not yet referenced."""
    residual = None if values["local_field_is_given"] else settings.residual_background
    result = run_method(
        METHODS[type(settings.inversion)],
        values["local_field_hz"],
        mask=values["local_mask"] if residual is None or residual.rim == "drop" else values["mask"],
        magnitude=values["combined_magnitude"],
        noise_sd_hz=values["noise_sd_hz"],
        csf_mask=values["csf_mask"],
        voxel_size_mm=values["voxel_size_mm"],
        b0_direction=values["b0_direction"],
        hz_per_ppm=values["hz_per_ppm"],
        echo_spacing_s=smallest_spacing_s(values["echo_times_s"]),
        residual_background=residual,
        settings=settings.inversion,
        on_progress=on_progress,
    )
    warnings = list(result.warnings)
    kept = count(result.mask) / count(values["mask"])
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


def reference_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Set what χ = 0 means."""
    mask, warnings, region = values["chi_mask"], [], None
    if settings.reference.region == "csf":
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
