"""What a finished reconstruction left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """Files and numbers of one result.

    Parameters
    ----------
    label
        Session, or name of the result's folder.
    files
        Every file written, by what it is: ``Chimap``, ``totalfield``, ``localfield``, ``R2starmap``, ``mask``,
        ``brain_mask``, ``csf_mask``, ``provenance``.
    converged
        Whether the inversion reached its tolerance.
    warnings
        What the user should know, one sentence each.
    assumptions
        What was assumed about the input and not read from it.
    quality
        Numbers that judge the result.
    seconds
        Seconds per step; steps taken from the cache took next to nothing.
    reused
        Steps taken from the cache.
    """

    label: str
    files: Mapping[str, Path]
    converged: bool = True
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    reused: tuple[str, ...] = ()

    @property
    def chimap(self) -> Path:
        """The susceptibility map, ppm."""
        return self.files["Chimap"]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "label": self.label,
            "files": {name: str(path) for name, path in self.files.items()},
            "converged": self.converged,
            "warnings": list(self.warnings),
            "assumptions": list(self.assumptions),
            "quality": dict(self.quality),
            "seconds": dict(self.seconds),
            "reused": list(self.reused),
        }
