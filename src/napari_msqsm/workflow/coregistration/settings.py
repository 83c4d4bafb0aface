"""Settings of the coregistration of a patient's images."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from napari_msqsm.registration.settings import RegistrationSettings
from napari_msqsm.settings import Settings, quantity

ALGORITHM_VERSION = "1"
"""Transforms of another version are outdated."""


class CoregistrationSettings(Settings):
    """How the images of a patient are aligned to the gradient echo of the baseline."""

    registration: RegistrationSettings = RegistrationSettings()
    frame: Literal["baseline", "mid-space"] = quantity(
        "baseline",
        top=True,
        help="Align follow-up gradient echoes to the baseline as the paper does, or all of them to a common position "
        "in the middle, which favours no time point.",
        source="10.3174/ajnr.A6071; 10.1016/j.neuroimage.2012.02.084",
    )
    interpolation: Literal["lanczos", "quintic", "cubic", "linear"] = quantity(
        "lanczos", help="Interpolation of the susceptibility map on the baseline's grid."
    )
    loop_closure: bool = quantity(
        True, help="Check follow-up gradient echoes against each other too, where there are two or more."
    )

    @model_validator(mode="after")
    def _middle_is_rigid(self) -> CoregistrationSettings:
        if self.frame == "mid-space" and self.registration.model != "rigid":
            raise ValueError(
                f"frame mid-space takes rigid transforms only, got registration.model {self.registration.model}; "
                "choose rigid, or frame baseline"
            )
        return self
