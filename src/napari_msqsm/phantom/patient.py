"""A patient at one moment, sampled on a grid: tissues, χ, R2* and relaxation, lesions laid over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.phantom.anatomy import Anatomy
from napari_msqsm.phantom.composition import Composition
from napari_msqsm.phantom.lesions import RIM_PPB, Lesion, drawn_lesions
from napari_msqsm.phantom.shapes import coverage, path_box, tube
from napari_msqsm.phantom.tissue import BRAIN, PROPERTIES, Properties, Tissue, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_msqsm.phantom.composition import Block, Sampling
    from napari_msqsm.phantom.lesions import Range
    from napari_msqsm.phantom.shapes import Points

_PPM_PER_PPB = 1e-3
_LESION = Properties(chi_ppm=0.0, r2star_hz=15.0, t1_s=1.45, t2_s=0.16, proton_density=0.86)
"""χ is that of white matter and the lesion's own time course."""
_ENHANCED_T1_S = 0.45
_ENHANCING = frozenset({Tissue.VEIN, Tissue.CHOROID_PLEXUS})
_LESION_MARGIN_MM = 3.0


@dataclass(frozen=True, eq=False)
class SyntheticPatient:
    """Anatomy and lesions of one patient."""

    anatomy: Anatomy
    lesions: tuple[Lesion, ...]
    heterogeneity_ppb: float

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        *,
        n_lesions: int,
        times_y: tuple[float, ...],
        heterogeneity_ppb: float,
        radius_mm: Range | None = None,
        rim_ppb: Range = RIM_PPB,
    ) -> SyntheticPatient:
        """Draw a patient; what is said of lesions as in `napari_msqsm.phantom.lesions.drawn_lesions`."""
        anatomy = Anatomy.drawn(rng)
        lesions = drawn_lesions(
            rng, anatomy, n_lesions=n_lesions, times_y=times_y, radius_mm=radius_mm, rim_ppb=rim_ppb
        )
        return cls(anatomy, lesions, heterogeneity_ppb)

    def sampled(self, sampling: Sampling, time_y: float) -> SampledHead:
        """Sample the head at a time, in years since the first session."""
        return SampledHead(self, sampling, time_y)


class SampledHead:
    """Maps of a patient at one time, all on one sampling."""

    def __init__(self, patient: SyntheticPatient, sampling: Sampling, time_y: float) -> None:
        self._patient = patient
        self._time_y = time_y
        self._points: Points = sampling.points()
        self.composition = patient.anatomy.compose(sampling)
        self.lesions = tuple(lesion for lesion in patient.lesions if lesion.onset_y <= time_y)
        self._coverage = {lesion.lesion_id: self._lesion_coverage(lesion, sampling) for lesion in self.lesions}
        self._central_veins = self._central_vein_share(sampling)

    def brain_share(self) -> NDArray[np.float32]:
        """Part of every sample that is brain, with its fluid and veins."""
        return self.composition.share(BRAIN)

    def lesion_share(self, lesion: Lesion) -> NDArray[np.float32]:
        """Part of every sample that belongs to a lesion."""
        share: NDArray[np.float32] = np.zeros(self._points.x.shape, dtype=np.float32)
        block, inside = self._coverage[lesion.lesion_id]
        share[block] = inside
        return share

    def chi_ppm(self, *, brain_only: bool = False) -> NDArray[np.float32]:
        """Susceptibility relative to cerebrospinal fluid; with ``brain_only``, all else counts as 0."""
        values = table("chi_ppm")
        if brain_only:
            values |= {tissue: 0.0 for tissue in Tissue if tissue not in BRAIN}
        chi = self.composition.paint(values)
        solid = self.composition.share(BRAIN - {Tissue.CSF, Tissue.VENTRICLE, Tissue.VEIN})
        mottle = self._patient.anatomy.mottled(self._points)
        chi += solid * mottle * np.float32(2.0 * self._patient.heterogeneity_ppb * _PPM_PER_PPB)
        white = np.float32(values[Tissue.WHITE_MATTER])
        for lesion in self.lesions:
            block, share = self._coverage[lesion.lesion_id]
            inside = white + lesion.chi_ppb(self._points[block], self._time_y) * np.float32(_PPM_PER_PPB)
            chi[block] += share * (inside - chi[block])
        return self._with_central_veins(chi, values[Tissue.VEIN])

    def r2star_hz(self) -> NDArray[np.float32]:
        """Transverse relaxation rate of the tissues; iron in rims raises it."""
        values = table("r2star_hz")
        rate = self.composition.paint(values)
        for lesion in self.lesions:
            block, share = self._coverage[lesion.lesion_id]
            iron = np.clip(lesion.chi_ppb(self._points[block], self._time_y), 0, None) * np.float32(0.12)
            rate[block] += share * (np.float32(_LESION.r2star_hz) + iron - rate[block])
        return self._with_central_veins(rate, values[Tissue.VEIN])

    def signal(self, of: Callable[[Properties], float], *, with_agent: bool = False) -> NDArray[np.float32]:
        """Signal of every sample: tissues mix by their signals, not by their relaxation times.

        Parameters
        ----------
        of
            Signal of a tissue.
        with_agent
            Whether gadolinium was given: veins and fresh lesions have a short T1.
        """
        values = {
            tissue: of(replace(own, t1_s=_ENHANCED_T1_S) if with_agent and tissue in _ENHANCING else own)
            for tissue, own in PROPERTIES.items()
        }
        image = self.composition.paint(values)
        for lesion in self.lesions:
            block, share = self._coverage[lesion.lesion_id]
            inside: NDArray[np.float32] = np.full_like(share, of(_LESION))
            if with_agent and lesion.enhances(self._time_y):
                enhanced = lesion.enhancement(self._points[block], self._time_y)
                inside += enhanced * (np.float32(of(replace(_LESION, t1_s=_ENHANCED_T1_S))) - inside)
            image[block] += share * (inside - image[block])
        return self._with_central_veins(image, values[Tissue.VEIN])

    def _lesion_coverage(self, lesion: Lesion, sampling: Sampling) -> tuple[Block, NDArray[np.float32]]:
        """Find the samples near a lesion, and the part of each that belongs to it."""
        reach = max(lesion.radii_mm) * max(1.0, lesion.growth) + _LESION_MARGIN_MM
        x, y, z = lesion.centre
        block = sampling.block((x - reach, y - reach, z - reach), (x + reach, y + reach, z + reach))
        if block is None:
            block = (slice(0, 0), slice(0, 0), slice(0, 0))
        return block, coverage(lesion.distance(self._points[block], self._time_y), sampling.edge_mm)

    def _central_vein_share(self, sampling: Sampling) -> NDArray[np.float32]:
        veins = Composition(sampling.shape, Tissue.AIR)
        for vein in (lesion.vein for lesion in self.lesions if lesion.vein is not None):
            block = sampling.block(*path_box(vein.path, vein.radii_mm))
            if block is not None:
                distance = tube(sampling.points(block), vein.path, vein.radii_mm)
                veins.cover(Tissue.VEIN, coverage(distance, sampling.edge_mm), block)
        return veins.share({Tissue.VEIN})

    def _with_central_veins(self, image: NDArray[np.float32], value: float) -> NDArray[np.float32]:
        return np.asarray(image + self._central_veins * (np.float32(value) - image), dtype=np.float32)
