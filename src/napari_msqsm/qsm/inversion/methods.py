"""Every dipole inversion: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.inversion.medi import MediSettings, medi
from napari_msqsm.qsm.inversion.tkd import TkdSettings, tkd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm.qsm.inversion.result import Inversion

InversionSettings = Annotated[MediSettings | TkdSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., Inversion]] = {
    MediSettings: medi,
    TkdSettings: tkd,
}
