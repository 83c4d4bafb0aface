"""Brain and CSF mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm._backend import like, namespace_of, to_numpy
from napari_msqsm.qsm.host.brain_mask import brain_mask
from napari_msqsm.qsm.host.csf_mask import csf_mask
from napari_msqsm.qsm.phase_quality import phase_quality
from napari_msqsm.qsm.robust import count

if TYPE_CHECKING:
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.qsm.step import Progress, Values

_MOST_CSF = {"ventricles": 0.15, "global": 0.35}


def brain_mask_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Find the brain."""
    combined = values["combined_magnitude"]
    phase = values["phase_rad"]
    found = brain_mask(
        to_numpy(combined),
        voxel_size_mm=values["voxel_size_mm"],
        phase_quality=None if phase is None else to_numpy(phase_quality(phase, values["magnitude"])),
        settings=settings.brain_mask,
    )
    return {"mask": like(found, combined)}


def csf_mask_step(values: Values, settings: ReconstructionSettings, _: Progress) -> Values:
    """Find cerebrospinal fluid."""
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
    share = float(found.sum()) / count(mask)
    if share > _MOST_CSF[getattr(settings.csf_mask, "region", "ventricles")]:
        sentence = f"{100 * share:.0f} % of the brain looked like CSF by its R2*, which cannot be; no CSF mask is used"
        return {"csf_mask": xp.zeros_like(mask), "csf_mask_warnings": [sentence]}
    return {"csf_mask": like(found, mask), "csf_mask_warnings": []}
