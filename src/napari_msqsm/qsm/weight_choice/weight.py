"""The weight of an inversion between data and smoothness, as its settings declare it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.settings import with_overrides

if TYPE_CHECKING:
    from napari_msqsm.settings import Settings, SettingsT


@dataclass(frozen=True)
class Weight:
    """A weight.

    Parameters
    ----------
    name
        Its field in the settings.
    value
        What it is set to.
    of_data
        Whether it multiplies the data term, so that the map is smoother when it is smaller.
    """

    name: str
    value: float
    of_data: bool

    def ladder(self, number: int, decades: float) -> tuple[float, ...]:
        """Weights in a geometric sequence with the present one in the middle; the smoothest map comes first."""
        exponents = [decades * (place / (number - 1) - 0.5) for place in range(number)]
        return tuple(self.value * 10.0 ** (power if self.of_data else -power) for power in exponents)


def weight_of(settings: Settings | type[Settings]) -> Weight | None:
    """Find the weight among the fields of an inversion's settings: the one declared with ``weighs``.

    Parameters
    ----------
    settings
        Settings, or their class for the default weight.
    """
    kind = settings if isinstance(settings, type) else type(settings)
    for name, field in kind.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if extra.get("weighs"):
            value = field.default if isinstance(settings, type) else getattr(settings, name)
            return Weight(name, float(value), extra["weighs"] == "data")
    return None


def with_weight(settings: SettingsT, name: str, value: float) -> SettingsT:
    """Return settings with another weight."""
    return with_overrides(settings, {name: value})
