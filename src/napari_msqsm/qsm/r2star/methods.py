"""Every R2* method: its settings and its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_msqsm.qsm.r2star.arlo import ArloSettings, arlo
from napari_msqsm.qsm.r2star.log_linear import LogLinearSettings, log_linear
from napari_msqsm.qsm.r2star.nonlinear import NonlinearSettings, nonlinear

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_msqsm._backend import Array

R2starSettings = Annotated[ArloSettings | LogLinearSettings | NonlinearSettings, Field(discriminator="method")]

METHODS: Mapping[type, Callable[..., Array]] = {
    ArloSettings: arlo,
    LogLinearSettings: log_linear,
    NonlinearSettings: nonlinear,
}
