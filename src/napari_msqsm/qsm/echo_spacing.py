"""How echo times lie."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EQUAL_TOLERANCE = 2e-3


def smallest_spacing_s(echo_times_s: Sequence[float]) -> float:
    """Smallest time between neighbouring echoes; the echo time itself for a single echo."""
    if len(echo_times_s) == 1:
        return echo_times_s[0]
    return min(later - earlier for earlier, later in itertools.pairwise(echo_times_s))


def equally_spaced(echo_times_s: Sequence[float]) -> bool:
    """Whether a field and the same plus whole periods make the same phase at all echoes."""
    spacing = mean_spacing_s(echo_times_s)
    return all(
        abs(time - echo_times_s[0] - echo * spacing) <= _EQUAL_TOLERANCE * spacing
        for echo, time in enumerate(echo_times_s)
    )


def mean_spacing_s(echo_times_s: Sequence[float]) -> float:
    """Mean time between neighbouring echoes; the echo time itself for a single echo."""
    n = len(echo_times_s)
    return (echo_times_s[-1] - echo_times_s[0]) / (n - 1) if n > 1 else echo_times_s[0]
