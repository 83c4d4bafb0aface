"""Settings of the reference, all methods together."""

from __future__ import annotations

from pydantic import Field

from napari_msqsm.lesions.reference.ground import GroundSettings
from napari_msqsm.lesions.reference.ring import RingSettings
from napari_msqsm.lesions.reference.tissue import TissueSettings
from napari_msqsm.settings import Settings


class ReferenceSettings(Settings):
    """How the adjacent normal-appearing white matter is found."""

    ring: RingSettings = Field(default_factory=RingSettings)
    tissue: TissueSettings = Field(default_factory=TissueSettings)
    ground: GroundSettings = Field(default_factory=GroundSettings)
