"""Where a reconstruction runs: the memory that it needs is compared with the GPU's before it begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_msqsm import _backend
from napari_msqsm.qsm.echo_wise import EchoesOnHost
from napari_msqsm.qsm.memory import Workload, peak_bytes, workload_of

if TYPE_CHECKING:
    from napari_msqsm._backend import Namespace
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.workflow.inputs import Inputs

_BYTES_PER_GB = 1e9
_TOO_SMALL = (
    "the reconstruction ran on the CPU: even with the echoes kept in host memory it needs {needed:.1f} GB of the GPU, "
    "of which {free:.1f} GB are free; close other programs on the GPU, or choose methods with smaller margins"
)
_RAN_OUT = (
    "the reconstruction went on on the CPU: the GPU ran out of memory, although {needed:.1f} GB were expected to "
    "suffice and {free:.1f} GB were free; close other programs on the GPU"
)


@dataclass(frozen=True)
class Placement:
    """Where arrays go.

    Parameters
    ----------
    xp
        Namespace of the device.
    echoes_on_host
        Whether the echoes stay in host memory and are moved one by one.
    needed_bytes, free_bytes
        On the GPU: what the plan expects, and what there is; 0 on the CPU or where it cannot be known.
    notice
        What the user should know about the choice; empty for nothing.
    """

    xp: Namespace
    echoes_on_host: bool = False
    needed_bytes: int = 0
    free_bytes: int = 0
    notice: str = ""

    @property
    def device(self) -> str:
        """``cuda`` or ``cpu``."""
        return "cuda" if _backend.is_gpu(self.xp) else "cpu"

    def moved(self, inputs: Inputs) -> Inputs:
        """Move the arrays of the inputs to where they belong."""

        def up(array: Any) -> Any:
            return None if array is None else self.xp.asarray(array)

        def up_echoes(array: Any) -> Any:
            if array is None or not self.echoes_on_host:
                return up(array)
            return EchoesOnHost(array, up(array[0, :1, :1, :1]))

        series = inputs.series
        return replace(
            inputs,
            series=replace(series, magnitude=up_echoes(series.magnitude), phase_rad=up_echoes(series.phase_rad)),
            mask=up(inputs.mask),
            csf_mask=up(inputs.csf_mask),
            reference_mask=up(inputs.reference_mask),
            total_field_hz=up(inputs.total_field_hz),
            local_field_hz=up(inputs.local_field_hz),
            noise_sd_hz=up(inputs.noise_sd_hz),
        )


def placed(inputs: Inputs, settings: ReconstructionSettings, xp: Namespace) -> Placement:
    """Choose between the GPU, the GPU with the echoes in host memory, and the CPU.

    Parameters
    ----------
    inputs
        In host memory, with the brain mask where it is known: without one the whole grid counts.
    settings
        Of the reconstruction.
    xp
        What the user's choice of a device came to.
    """
    if not _backend.is_gpu(xp):
        return Placement(xp)
    free = _backend.gpu_memory_free()
    work = _workload(inputs)
    whole, least = (peak_bytes(work, settings, on_gpu=True, echoes_on_host=on_host) for on_host in (False, True))
    if free is None or whole <= free:
        return Placement(xp, needed_bytes=whole, free_bytes=free or 0)
    if least <= free:
        return Placement(xp, echoes_on_host=True, needed_bytes=least, free_bytes=free)
    return _on_cpu(_TOO_SMALL, least, free)


def after_running_out(placement: Placement) -> Placement:
    """Go on on the CPU when the GPU's memory did not suffice after all."""
    return _on_cpu(_RAN_OUT, placement.needed_bytes, placement.free_bytes)


def _on_cpu(notice: str, needed: int, free: int) -> Placement:
    sentence = notice.format(needed=needed / _BYTES_PER_GB, free=free / _BYTES_PER_GB)
    return Placement(_backend.array_module("cpu"), notice=sentence)


def _workload(inputs: Inputs) -> Workload:
    series = inputs.series
    return workload_of(
        series.grid.shape,
        series.grid.voxel_size_mm,
        series.n_echoes,
        mask=inputs.mask,
        has_phase=series.phase_rad is not None,
    )
