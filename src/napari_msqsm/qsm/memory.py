r"""How much memory a reconstruction needs, known before it begins.

A step needs the most at one of a few moments, each a sum of images of the grid, of padded boxes and of the mask's
voxels; the numbers of these were counted in the code and checked against measured peaks (``tests/qsm/test_memory.py``).
The peak of the whole is

.. math:: \max_{\text{steps}} \; (\text{echoes} + \text{images made before} + \text{greatest moment of the step})

On a GPU a Fourier transform also holds its plans' work areas and a copy of its input, and the pool that lends memory
loses some between blocks of different size. Both are allowances, not measured on a GPU yet. A run
that needs more than planned is caught where it runs out of memory (`napari_msqsm.workflow.placement`). The check of the
phase's sign, a field fit and a thresholded division, needs less than the chain after it and is not counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import fast_fft_length, namespace_of
from napari_msqsm.qsm.memory_of_steps import HELD_IMAGES, moments
from napari_msqsm.qsm.robust import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_msqsm._backend import Array
    from napari_msqsm.qsm.presets import ReconstructionSettings

_FFT_IMAGES_CPU = 1.0
"""Copy that the inverse transform makes of its input, in images of the box."""
_FFT_IMAGES_GPU = 4.0
"""That copy, the work areas of the forward and the inverse plan, and one more while a plan is made."""
_POOL = 1.15
"""What the GPU's memory pool takes, relative to what lies in it."""
_ECHOES_IN_TRANSIT = 3
"""Echoes on the device at a time where they stay in host memory."""


@dataclass(frozen=True)
class Workload:
    """What decides how much memory is needed.

    Parameters
    ----------
    shape
        (X, Y, Z) of the grid.
    voxel_size_mm
        Voxel edges.
    n_echoes
        Number of echoes.
    mask_shape
        Box that the mask fills; that of the grid where no mask is known yet.
    mask_voxels
        Voxels of the mask.
    has_phase
        Whether there is phase beside the magnitude.
    itemsize
        Bytes of a number, 4 for float32.
    """

    shape: tuple[int, int, int]
    voxel_size_mm: tuple[float, float, float]
    n_echoes: int
    mask_shape: tuple[int, int, int]
    mask_voxels: int
    has_phase: bool = True
    itemsize: int = 4

    @property
    def voxels(self) -> int:
        """Voxels of the grid."""
        return math.prod(self.shape)

    @property
    def echoes_bytes(self) -> int:
        """Bytes of magnitude and phase."""
        return self.voxels * self.n_echoes * self.itemsize * (2 if self.has_phase else 1)

    def box_voxels(self, margin_mm: float, *, stay_inside: bool = False) -> int:
        """Voxels of the box that `box_around` puts around the mask."""
        held = self.shape if stay_inside else self.mask_shape
        return math.prod(
            fast_fft_length(n + math.ceil(margin_mm / step)) for n, step in zip(held, self.voxel_size_mm, strict=True)
        )


def workload_of(
    shape: tuple[int, int, int],
    voxel_size_mm: tuple[float, float, float],
    n_echoes: int,
    *,
    mask: Array | None,
    has_phase: bool,
) -> Workload:
    """Workload of a series; without a mask the whole grid counts as brain."""
    if mask is None:
        return Workload(shape, voxel_size_mm, n_echoes, shape, math.prod(shape), has_phase)
    xp = namespace_of(mask)
    filled = [xp.nonzero(xp.any(mask, axis=tuple(a for a in range(3) if a != axis)))[0] for axis in range(3)]
    x, y, z = (int(part[-1]) - int(part[0]) + 1 if part.shape[0] else 0 for part in filled)
    return Workload(shape, voxel_size_mm, n_echoes, (x, y, z), count(mask), has_phase)


def step_bytes(
    workload: Workload, settings: ReconstructionSettings, *, on_gpu: bool = False, echoes_on_host: bool = False
) -> dict[str, int]:
    """Peak of each step above what was there when it began, its results included.

    Parameters
    ----------
    workload, settings
        Of the reconstruction.
    on_gpu
        Count what the GPU holds: without the parts of a step that run on the host, with the work areas of its FFTs.
    echoes_on_host
        Count the copies of the echoes in hand.
    """
    transit = _ECHOES_IN_TRANSIT * workload.voxels if on_gpu and echoes_on_host else 0
    fft = _FFT_IMAGES_GPU if on_gpu else _FFT_IMAGES_CPU
    peaks = {}
    for step, all_moments in moments(workload, settings).items():
        counted = [moment for moment in all_moments if not (on_gpu and moment.on_host)]
        numbers = max((moment.numbers(workload, fft) for moment in counted), default=0.0)
        peaks[step] = math.ceil(workload.itemsize * (numbers + transit))
    return peaks


def peak_bytes(
    workload: Workload,
    settings: ReconstructionSettings,
    *,
    on_gpu: bool = False,
    echoes_on_host: bool = False,
    steps: Iterable[str] | None = None,
) -> int:
    """Peak of the whole reconstruction.

    Parameters
    ----------
    workload, settings, on_gpu
        See `step_bytes`.
    echoes_on_host
        Whether the echoes stay in host memory and are moved one by one; then they do not count.
    steps
        Those that will run; all of them when not given.
    """
    wanted = None if steps is None else set(steps)
    held = 0 if echoes_on_host else workload.echoes_bytes
    image, peak = workload.voxels * workload.itemsize, held
    for step, needed in step_bytes(workload, settings, on_gpu=on_gpu, echoes_on_host=echoes_on_host).items():
        if wanted is None or step in wanted:
            peak = max(peak, held + needed)
        held += math.ceil(HELD_IMAGES.get(step, 0.0) * image)
    return math.ceil(peak * _POOL) if on_gpu else peak
