"""Every dipole inversion: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings, closed_form_l2
from napari_msqsm.qsm.inversion.ilsqr import IlsqrSettings, ilsqr
from napari_msqsm.qsm.inversion.medi import MediSettings, medi
from napari_msqsm.qsm.inversion.rts import RtsSettings, rts
from napari_msqsm.qsm.inversion.tfi import TfiSettings, tfi
from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd
from napari_msqsm.qsm.inversion.tv_admm import TvSettings, tv_admm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.inversion.result import Inversion

InversionSettings = Annotated[
    MediSettings | TkdSettings | ClosedFormL2Settings | IlsqrSettings | TvSettings | RtsSettings | TfiSettings,
    Field(discriminator="method"),
]

METHODS: Mapping[type, Callable[..., Inversion]] = {
    MediSettings: medi,
    TkdSettings: tkd,
    ClosedFormL2Settings: closed_form_l2,
    IlsqrSettings: ilsqr,
    TvSettings: tv_admm,
    RtsSettings: rts,
    TfiSettings: tfi,
}
