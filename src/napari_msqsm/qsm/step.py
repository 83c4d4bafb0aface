"""A step of the chain: what it needs, what it makes, which settings it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from napari_msqsm.qsm.presets import ReconstructionSettings

Values = Mapping[str, Any]
"""Named arrays and plain values that flow between steps."""

Progress = Callable[[float], None]
"""Takes the fraction done; may raise to stop."""

Compute = Callable[[], Values]
Around = Callable[["Step", Values, ReconstructionSettings, Compute], Values]
"""Wraps a step: given its inputs, either calls ``compute()`` or supplies what it made before."""


@dataclass(frozen=True)
class Step:
    """One step.

    Parameters
    ----------
    name
        Also the key of its settings section, where it has one.
    title
        Shown to the user while it runs.
    version
        Raised whenever the same input and settings would give another result.
    needs, makes
        Names of the values that it takes and gives.
    settings
        Sections of `ReconstructionSettings` that it reads.
    run
        ``run(values, settings, on_progress)``.
    weight
        Its usual part of the whole time, for the progress bar.
    """

    name: str
    title: str
    version: int
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    settings: tuple[str, ...]
    run: Callable[[Values, ReconstructionSettings, Progress], Values]
    weight: float
