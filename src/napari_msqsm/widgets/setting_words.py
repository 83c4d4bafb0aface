"""Words of the settings' form, without Qt: labels, names of methods and of choices, values as text."""

from __future__ import annotations

from typing import Any

from napari_msqsm.errors import ParameterError

_LABELS = {
    "phase_offset": "Phase offset",
    "field_fit": "Field fit",
    "reliability": "Reliability of the field",
    "unwrapping": "Unwrapping",
    "brain_mask": "Brain mask",
    "r2star": "R2*",
    "background": "Background field",
    "residual_background": "Residual background",
    "csf_mask": "CSF mask",
    "inversion": "Inversion",
    "reference": "Reference",
    "phase_offset.smoothing_sd_mm": "Smoothing, SD",
    "phase_offset.least_even_odd_rad": "Least even/odd difference",
    "field_fit.atol_rad": "Tolerance",
    "field_fit.outlier_echoes": "Leave bad echoes out",
    "field_fit.dephasing_rounds": "Refits without dephased echoes",
    "reliability.misfit_noise": "Misfit counts as noise",
    "reliability.edge_misfit_limit": "Misfit limit at the edge",
    "unwrapping.magnitude_weight": "Weigh by magnitude",
    "brain_mask.min_phase_quality": "Least phase quality",
    "brain_mask.holes": "Holes",
    "brain_mask.threshold": "Brain mask threshold",
    "brain_mask.erosion_mm": "Brain mask erosion",
    "brain_mask.smoothness": "Stiffness",
    "brain_mask.margin_mm": "Margin beyond the surface",
    "brain_mask.subdivisions": "Fineness",
    "background.ridge": "Ridge",
    "background.max_radius_mm": "Largest sphere",
    "background.truncation": "Truncation",
    "background.radius_mm": "Sphere",
    "background.n_levels": "Levels of magnitude",
    "brain_sd_ppm": "Size of χ inside",
    "outside_sd_ppm": "Size of χ outside",
    "least_noise_ppm": "Noise added",
    "residual_background.smv_radii_mm": "SMV radii",
    "residual_background.neighbours_at_edge": "Six neighbours at the edge",
    "residual_background.rim": "Rim without a field",
    "csf_mask.max_r2star_hz": "CSF: largest R2*",
    "csf_mask.region": "CSF of",
    "csf_mask.r2star_share": "R2* below a part of the brain's",
    "csf_mask.most_deviation_sd": "CSF: partial volume (SD)",
    "csf_mask.least_depth_mm": "Least depth",
    "csf_mask.least_deep": "Reaches this part of the depth",
    "csf_mask.rim_mm": "Rim left out",
    "inversion.lambda_data": "λ (data)",
    "inversion.lambda_csf": "λ CSF",
    "inversion.edge_fraction": "Edges left free",
    "inversion.edges": "Edges counted",
    "inversion.merit": "MERIT",
    "inversion.phase_scale": "Unit of λ",
    "inversion.threshold": "Threshold on |D|",
    "inversion.lambda_gradient": "λ (gradient)",
    "inversion.cone": "Cone |D|",
    "inversion.alpha": "α",
    "inversion.radians_per_ppm": "Phase of 1 ppm",
    "inversion.mu": "μ",
    "inversion.max_outer": "Most steps",
    "inversion.outer_rtol": "Tolerance of a step",
    "inversion.least_squares_iterations": "Iterations of the first step",
    "inversion.precondition": "Preconditioned",
    "strong_sources": "Strong sources",
    "strong_sources.threshold_ppm": "Strong beyond",
    "strong_sources.expected_sd_ppm": "Expected size",
    "weight_choice": "Choice of the weight",
    "reference.region": "χ = 0 in",
    "max_r2star_hz": "Largest R2*",
    "max_iter": "Most iterations",
    "rtol": "Tolerance",
    "cg_max_iter": "Most CG iterations",
    "cg_rtol": "CG tolerance",
    "shading_mm": "Length of shading",
}
_METHODS = {
    "phase_offset.none": "as it is",
    "phase_offset.mcpc3ds": "MCPC-3D-S",
    "unwrapping.path": "path",
    "unwrapping.quality": "quality-guided (ROMEO)",
    "unwrapping.laplacian": "Laplacian",
    "brain_mask.surface": "deformable surface",
    "brain_mask.opening": "threshold and opening",
    "r2star.arlo": "ARLO",
    "r2star.loglinear": "log-linear",
    "r2star.nonlinear": "non-linear, noise floor",
    "background.none": "left to the inversion (TFI)",
    "background.pdf": "PDF",
    "background.lbv": "LBV",
    "background.vsharp": "V-SHARP",
    "background.resharp": "RESHARP",
    "background.wiener": "Wiener separation",
    "csf_mask.r2star": "low R2*",
    "csf_mask.fluid": "pure fluid",
    "inversion.medi": "MEDI / MEDI+0",
    "inversion.tkd": "TKD",
    "inversion.l2": "closed-form L2",
    "inversion.ilsqr": "iLSQR",
    "inversion.tv": "total variation (FANSI)",
    "inversion.rts": "rapid two-step (RTS)",
    "inversion.tfi": "total field (TFI)",
    "strong_sources.none": "one pass",
    "strong_sources.two-pass": "two passes",
    "weight_choice.fixed": "as set",
    "weight_choice.discrepancy": "discrepancy principle",
    "weight_choice.l-curve": "L-curve",
}
_CHOICES = {
    "residual_background.rim": {"drop": "dropped", "joined": "kept beside a field", "keep": "kept"},
    "brain_mask.holes": {"fill": "filled", "keep": "left out"},
    "phase_offset.readout": {"auto": "found from the data"},
    "csf_mask.region": {"global": "ventricles and sulci"},
    "inversion.edges": {"published": "with the mask's rim", "inside": "inside the mask"},
    "inversion.phase_scale": {"echo-spacing": "radians per echo spacing", "ppm": "ppm"},
    "reference.region": {"csf": "CSF", "brain": "whole brain", "none": "nothing (as inverted)"},
}
_UNITS = ("_mm3", "_mm", "_hz", "_s", "_rad", "_y", "_ppm", "_ppb")
_SPELLING = {"cg": "CG", "csf": "CSF", "smv": "SMV", "r2star": "R2*", "sd": "SD"}


def label_of(name: str) -> str:
    """Label of a section or a dotted setting: its name in words, without the unit."""
    key = name.rpartition(".")[2]
    if name in _LABELS or key in _LABELS:
        return _LABELS.get(name) or _LABELS[key]
    for unit in _UNITS:
        key = key.removesuffix(unit)
    words = " ".join(_SPELLING.get(word, word) for word in key.split("_"))
    return words[:1].upper() + words[1:]


def method_words(section: str, method: str) -> str:
    """Name of a method in its chooser; one that has no other name is called as on the command line."""
    return _METHODS.get(f"{section}.{method}", method)


def choice_words(name: str, choice: Any) -> str:
    """Name of one of the values of a dotted setting."""
    return _CHOICES.get(name, {}).get(choice, str(choice))


def as_text(value: Any) -> str:
    """Text of a value in a form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(as_text(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_text(text: str, like: Any) -> Any:
    """Value of a form's text; validation against the setting follows.

    Parameters
    ----------
    text
        What the field holds.
    like
        A value of the same setting: tells a list and a yes/no from a number.

    Raises
    ------
    ParameterError
        When a list holds something else than numbers.
    """
    if isinstance(like, bool):
        return text == "yes"
    if isinstance(like, tuple):
        try:
            return tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
        except ValueError:
            raise ParameterError(f"{text!r} is not a list of numbers; separate them by commas") from None
    return text
