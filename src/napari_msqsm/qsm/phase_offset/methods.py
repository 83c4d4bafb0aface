"""Every removal of phase offsets: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_msqsm.qsm.phase_offset.mcpc3ds import Mcpc3dsSettings, mcpc3ds
from napari_msqsm.qsm.phase_offset.result import PhaseOffset
from napari_msqsm.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm._backend import Array


class NoOffsetSettings(Settings):
    """Phase as it is."""

    method: Literal["none"] = "none"


def no_offset(magnitude: Array, phase_rad: Array) -> PhaseOffset:  # noqa: ARG001  called like every other
    """Leave the phase as it is: the field fit has an offset of its own in every voxel."""
    return PhaseOffset()


PhaseOffsetSettings = Annotated[NoOffsetSettings | Mcpc3dsSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., PhaseOffset]] = {
    NoOffsetSettings: no_offset,
    Mcpc3dsSettings: mcpc3ds,
}
