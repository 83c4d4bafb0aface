"""Every unwrapping: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.unwrapping.laplacian import LaplacianSettings, laplacian
from napari_msqsm.qsm.unwrapping.path import PathSettings, path
from napari_msqsm.qsm.unwrapping.quality import QualitySettings, quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.unwrapping.result import Unwrapped

UnwrapSettings = Annotated[PathSettings | QualitySettings | LaplacianSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., Unwrapped]] = {
    PathSettings: path,
    QualitySettings: quality,
    LaplacianSettings: laplacian,
}
