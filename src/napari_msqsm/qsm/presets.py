"""All settings of a reconstruction in one tree, and named sets of them."""

from __future__ import annotations

from typing import Any

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.background.lbv import LbvSettings
from napari_msqsm.qsm.background.methods import BackgroundSettings
from napari_msqsm.qsm.background.pdf import PdfSettings
from napari_msqsm.qsm.background.residual import ResidualBackgroundSettings
from napari_msqsm.qsm.field_fit import FieldFitSettings
from napari_msqsm.qsm.host.brain_mask import BrainMaskSettings
from napari_msqsm.qsm.host.brain_opening import OpeningSettings
from napari_msqsm.qsm.host.brain_surface import SurfaceSettings
from napari_msqsm.qsm.host.csf_fluid import FluidCsfSettings
from napari_msqsm.qsm.host.csf_mask import CsfMaskSettings
from napari_msqsm.qsm.host.csf_r2star import R2starCsfSettings
from napari_msqsm.qsm.inversion.medi import MediSettings
from napari_msqsm.qsm.inversion.methods import InversionSettings
from napari_msqsm.qsm.inversion.tkd import TkdSettings
from napari_msqsm.qsm.phase_offset.mcpc3ds import Mcpc3dsSettings
from napari_msqsm.qsm.phase_offset.methods import NoOffsetSettings, PhaseOffsetSettings
from napari_msqsm.qsm.r2star.arlo import ArloSettings
from napari_msqsm.qsm.r2star.methods import R2starSettings
from napari_msqsm.qsm.reference import ReferenceSettings
from napari_msqsm.qsm.reliability import ReliabilitySettings
from napari_msqsm.qsm.strong_sources import NoStrongSourcesSettings, StrongSourcesSettings
from napari_msqsm.qsm.unwrapping.methods import UnwrapSettings
from napari_msqsm.qsm.unwrapping.path import PathSettings
from napari_msqsm.qsm.weight_choice.methods import FixedWeightSettings, WeightChoiceSettings
from napari_msqsm.settings import Settings, validated


class ReconstructionSettings(Settings):
    """One section per step of the chain."""

    phase_offset: PhaseOffsetSettings = NoOffsetSettings()
    field_fit: FieldFitSettings = FieldFitSettings()
    reliability: ReliabilitySettings = ReliabilitySettings()
    unwrapping: UnwrapSettings = PathSettings()
    brain_mask: BrainMaskSettings = SurfaceSettings()
    r2star: R2starSettings = ArloSettings()
    background: BackgroundSettings = PdfSettings()
    residual_background: ResidualBackgroundSettings = ResidualBackgroundSettings()
    csf_mask: CsfMaskSettings = R2starCsfSettings()
    inversion: InversionSettings = MediSettings()
    weight_choice: WeightChoiceSettings = FixedWeightSettings()
    strong_sources: StrongSourcesSettings = NoStrongSourcesSettings()
    reference: ReferenceSettings = ReferenceSettings()


PRESETS: dict[str, ReconstructionSettings] = {
    "recommended": ReconstructionSettings(
        phase_offset=Mcpc3dsSettings(),
        field_fit=FieldFitSettings(dephasing_rounds=2),
        reliability=ReliabilitySettings(misfit_noise=True, edge_misfit_limit=10.0),
        background=LbvSettings(),
        residual_background=ResidualBackgroundSettings(smv_radii_mm=(10.0, 5.0), neighbours_at_edge=True, rim="joined"),
        csf_mask=FluidCsfSettings(),
        inversion=MediSettings(
            lambda_data=2000.0,
            lambda_csf=300.0,
            edge_fraction=1.0,
            edges="inside",
            phase_scale="ppm",
            precondition=True,
            cg_rtol=0.1,
            outer_rtol=0.05,
        ),
    ),
    "published": ReconstructionSettings(),
    "fast": ReconstructionSettings(
        brain_mask=OpeningSettings(min_phase_quality=0.8),
        reliability=ReliabilitySettings(misfit_noise=True, edge_misfit_limit=10.0),
        background=LbvSettings(cg_rtol=1e-3),
        residual_background=ResidualBackgroundSettings(smv_radii_mm=()),
        inversion=TkdSettings(threshold=0.2),
    ),
}
"""``published``: MEDI+0 as the toolbox runs it. ``recommended``: the brain kept up to a voxel at its edge, λ
independent of the scanner. ``fast``: a preview in a second, with streaks."""


DEFAULT_PRESET = "recommended"
"""What is used when nothing is chosen."""


def with_method(settings: ReconstructionSettings, section: str, method: str) -> ReconstructionSettings:
    """Return settings with another method, at its defaults, in one section (``inversion``, ``tkd``).

    Raises
    ------
    ParameterError
        When there is no such method.
    """
    if getattr(settings, section).method == method:
        return settings
    known = methods_of(section)
    if method not in known:
        raise ParameterError(f"there is no {section} method {method!r}; known: {', '.join(known)}")
    return validated(ReconstructionSettings, settings.model_dump() | {section: {"method": method}})


def methods_of(section: str) -> tuple[str, ...]:
    """Names of the methods of a section."""
    schema: dict[str, Any] = ReconstructionSettings.model_json_schema()
    found = schema["properties"][section]
    names = [option["$ref"] for option in found.get("oneOf", [found])]
    return tuple(schema["$defs"][name.rsplit("/", 1)[-1]]["properties"]["method"]["const"] for name in names)
