"""The moments at which each step of the chain holds the most, in numbers of images.

The factors are counts of the arrays that live at the same time, temporaries of expressions included; they belong to
the code of the steps and change with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.qsm.quality.residual_background import MOST_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_msqsm.qsm.memory import Workload
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.settings import Settings

_SUBVOXELS = 9
"""Of each voxel in `sphere_kernel`, along each axis."""
_SPHERE = 2.4
_OTHER_METHOD = 40.0
"""Images of the box for a method without a count of its own."""
_OTHER_MARGIN_MM = 24.0
_SMOOTH_REACH = 3.0

HELD_IMAGES: Mapping[str, float] = {
    "combine": 1.0,
    "brain_mask": 0.25,
    "phase_offset": 2.0,
    "field_fit": 3.0,
    "reliability": 1.0,
    "unwrapping": 1.0,
    "r2star": 1.0,
    "background": 1.25,
    "csf_mask": 0.25,
    "inversion": 1.25,
    "reference": 1.0,
}
"""What stays of each step, in images of the grid."""


@dataclass(frozen=True)
class Moment:
    """What lives at the same time, in images.

    Parameters
    ----------
    grid, mask, mask_echoes
        Per voxel of the grid, per voxel of the mask, per voxel of the mask and echo.
    box, box_voxels
        Per voxel of a padded box, and its voxels.
    fft
        Whether Fourier transforms of the box run.
    fixed
        Numbers that do not depend on the images.
    on_host
        Whether this part runs in host memory, whatever the device.
    """

    grid: float = 0.0
    mask: float = 0.0
    mask_echoes: float = 0.0
    box: float = 0.0
    box_voxels: int = 0
    fft: bool = False
    fixed: float = 0.0
    on_host: bool = False

    def numbers(self, work: Workload, fft_images: float) -> float:
        """Numbers (of ``itemsize`` bytes) that are held."""
        box = self.box + (fft_images if self.fft else 0.0)
        per_mask = self.mask + self.mask_echoes * work.n_echoes
        return self.grid * work.voxels + per_mask * work.mask_voxels + box * self.box_voxels + self.fixed


def moments(work: Workload, settings: ReconstructionSettings) -> dict[str, tuple[Moment, ...]]:
    """Moments of each step, in the order of the chain."""
    return {
        "combine": (Moment(grid=2.1),),
        "brain_mask": (Moment(grid=25.0, on_host=True), Moment(grid=9.0)),
        "phase_offset": _phase_offset(work, settings.phase_offset),
        "field_fit": (Moment(mask=26.5, mask_echoes=2.0, grid=0.3), Moment(mask=6.5, mask_echoes=2.0, grid=4.1)),
        "reliability": (Moment(grid=4.8 if settings.reliability.edge_misfit_limit > 0 else 1.1),),
        "unwrapping": (
            Moment(grid=24.0, on_host=True),
            Moment(grid=1.5, mask=36.0, mask_echoes=4.2),
        ),
        "r2star": _r2star(settings.r2star),
        "background": _background(work, settings),
        "csf_mask": (Moment(grid=18.0, on_host=True), Moment(grid=3.0)),
        "inversion": _inversion(work, settings),
        "reference": (Moment(grid=3.2),),
        "quality": (
            Moment(grid=12.6),
            Moment(grid=0.5, fixed=120.0 * min(work.mask_voxels, MOST_SAMPLES)),
            Moment(grid=2.0, box=12.0, box_voxels=work.box_voxels(8.0), fft=True),
        ),
    }


def _phase_offset(work: Workload, section: Settings) -> tuple[Moment, ...]:
    if section.method == "none":  # type: ignore[attr-defined]
        return (Moment(fixed=1000.0),)
    reach = _SMOOTH_REACH * float(getattr(section, "smoothing_sd_mm", 10.0))
    return (
        Moment(grid=24.5, mask=84.0, on_host=True),
        Moment(grid=9.0, box=3.0, box_voxels=work.box_voxels(reach), fft=True),
    )


def _r2star(section: Settings) -> tuple[Moment, ...]:
    known = {
        "arlo": (Moment(grid=7.4),),
        "loglinear": (Moment(grid=12.5),),
        "nonlinear": (Moment(mask=28.0, mask_echoes=2.1, grid=1.0), Moment(mask=6.0, mask_echoes=2.1, grid=4.5)),
    }
    return known.get(section.method, (Moment(grid=14.0),))  # type: ignore[attr-defined]


def _background(work: Workload, settings: ReconstructionSettings) -> tuple[Moment, ...]:
    section = settings.background
    known: Mapping[str, Callable[[], tuple[Moment, ...]]] = {
        "pdf": lambda: (_boxed(work, 13.6, _margin(section), stay_inside=True, fft=True),),
        "lbv": lambda: (_boxed(work, 11.6, 2.0 * max(work.voxel_size_mm)),),
        "wiener": lambda: (_boxed(work, 35.0, _margin(section), fft=True),),
        "resharp": lambda: _spheres(work, 13.0, (section.radius_mm,), 2.0),  # type: ignore[union-attr]
        "vsharp": lambda: _spheres(work, 16.0, (section.max_radius_mm,), 2.0),  # type: ignore[union-attr]
    }
    found = known.get(section.method)
    return found() if found else (_boxed(work, _OTHER_METHOD, _margin(section), fft=True),)


def _inversion(work: Workload, settings: ReconstructionSettings) -> tuple[Moment, ...]:
    section = settings.inversion
    if section.method == "medi":
        residual = settings.residual_background
        n_kernels = len(residual.smv_radii_mm) + residual.neighbours_at_edge if residual.smv_radii_mm else 0
        images = 28.5 + (3.0 + 4.3 * n_kernels if n_kernels else 0.0)
        margin = max((_margin(section), *residual.smv_radii_mm))
        box = _boxed(work, images, margin, fft=True)
        spheres = _sphere_numbers(work, residual.smv_radii_mm)
        return box, Moment(box=8.0, box_voxels=box.box_voxels, fixed=spheres)
    images_of = {"tkd": 6.7, "l2": 6.3, "ilsqr": 22.5, "rts": 22.3, "tv": 24.4}
    return (_boxed(work, images_of.get(section.method, _OTHER_METHOD), _margin(section), fft=True),)


def _margin(section: Settings) -> float:
    return float(getattr(section, "margin_mm", _OTHER_MARGIN_MM))


def _boxed(work: Workload, images: float, margin_mm: float, *, stay_inside: bool = False, fft: bool = False) -> Moment:
    voxels = work.box_voxels(margin_mm, stay_inside=stay_inside)
    return Moment(box=images, box_voxels=voxels, fft=fft)


def _spheres(work: Workload, images: float, radii_mm: Sequence[float], margin: float) -> tuple[Moment, ...]:
    """Sphere filters in a box with a margin of some radii, and the moment at which the largest sphere is sampled."""
    box = _boxed(work, images, margin * max(radii_mm), fft=True)
    return box, Moment(box=6.0, box_voxels=box.box_voxels, fixed=_sphere_numbers(work, radii_mm))


def _sphere_numbers(work: Workload, radii_mm: Sequence[float]) -> float:
    """Numbers held while the largest sphere is sampled in parts of voxels."""
    if not radii_mm:
        return 0.0
    sizes = (_SUBVOXELS * (2 * math.ceil(max(radii_mm) / step) + 1) for step in work.voxel_size_mm)
    return _SPHERE * math.prod(sizes)
