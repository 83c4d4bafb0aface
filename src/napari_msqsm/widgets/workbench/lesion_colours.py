"""Colours of lesions: each label has its own for good, neighbours in number are far apart in hue."""

from __future__ import annotations

import colorsys

N_COLOURS = 60
_GOLDEN = 0.618033988749895
VEIN_COLOUR = (0.25, 0.75, 1.0, 1.0)
NAWM_COLOUR = (0.55, 0.95, 0.45, 1.0)
PREVIEW_COLOUR = (1.0, 1.0, 0.3, 1.0)
_BRIGHT = ((0.75, 1.0), (0.55, 1.0), (0.9, 0.9))
"""Saturation and value in turn, so that colours of one hue can still be told apart."""


def lesion_colour(label: int) -> tuple[float, float, float, float]:
    """RGBA of a lesion, 0…1; clear for 0."""
    if label == 0:
        return 0.0, 0.0, 0.0, 0.0
    turn = (label - 1) % N_COLOURS
    saturation, value = _BRIGHT[turn % len(_BRIGHT)]
    red, green, blue = colorsys.hsv_to_rgb((0.02 + turn * _GOLDEN) % 1.0, saturation, value)
    return red, green, blue, 1.0


def colour_cycle() -> list[tuple[float, float, float, float]]:
    """Colours of labels 0, 1, …, `N_COLOURS`; after that they come again."""
    return [lesion_colour(label) for label in range(N_COLOURS + 1)]
