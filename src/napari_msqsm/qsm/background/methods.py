"""Every background removal: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.background.lbv import LbvSettings, lbv
from napari_msqsm.qsm.background.none import NoBackgroundSettings, no_removal
from napari_msqsm.qsm.background.pdf import PdfSettings, pdf
from napari_msqsm.qsm.background.resharp import ResharpSettings, resharp
from napari_msqsm.qsm.background.vsharp import VsharpSettings, vsharp
from napari_msqsm.qsm.background.wiener import WienerSettings, wiener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.background.result import LocalField

BackgroundSettings = Annotated[
    PdfSettings | LbvSettings | VsharpSettings | ResharpSettings | WienerSettings | NoBackgroundSettings,
    Field(discriminator="method"),
]

METHODS: Mapping[type, Callable[..., LocalField]] = {
    PdfSettings: pdf,
    LbvSettings: lbv,
    VsharpSettings: vsharp,
    ResharpSettings: resharp,
    WienerSettings: wiener,
    NoBackgroundSettings: no_removal,
}
