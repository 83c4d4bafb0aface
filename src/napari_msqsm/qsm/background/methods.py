"""Every background removal: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.pdf import PdfSettings, pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.background.result import LocalField

BackgroundSettings = Annotated[PdfSettings | LbvSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., LocalField]] = {
    PdfSettings: pdf,
    LbvSettings: lbv,
}
