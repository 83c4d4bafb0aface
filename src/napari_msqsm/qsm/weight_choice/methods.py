"""Every choice of the weight: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_msqsm.qsm.weight_choice.discrepancy import DiscrepancySettings, discrepancy
from napari_msqsm.qsm.weight_choice.l_curve import LCurveSettings, l_curve
from napari_msqsm.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.weight_choice.curve import Choice


class FixedWeightSettings(Settings):
    """The weight that the inversion's own settings give."""

    method: Literal["fixed"] = "fixed"


WeightChoiceSettings = Annotated[
    FixedWeightSettings | LCurveSettings | DiscrepancySettings,
    Field(discriminator="method"),
]

METHODS: Mapping[type, Callable[..., Choice]] = {LCurveSettings: l_curve, DiscrepancySettings: discrepancy}
"""Those that look at the data."""

NEEDS_ABSOLUTE_NOISE = (DiscrepancySettings,)
