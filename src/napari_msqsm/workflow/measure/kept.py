"""What was computed for regions, kept by their content: while somebody draws, most of them stay what they were."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from napari_msqsm.lesions.carry import DrawnRoi
from napari_msqsm.workflow.reference.region import reference_at

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_msqsm.lesions.carry import CarriedRoi
    from napari_msqsm.lesions.reference.mean import RobustMean
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.reference.region import ReferenceRegion
    from napari_msqsm.workflow.workbench.maps import SessionMap
    from napari_msqsm.workflow.workbench.region_at import SessionRegion

_MOST_BYTES = 64_000_000


class Kept:
    """Solids, carried regions and means of references; the least recently used ones go first.

    Parameters
    ----------
    most_bytes
        Memory that they may take.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._found: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._n_bytes = 0

    def solid(self, region: SessionRegion) -> DrawnRoi:
        """Solid of a region."""

        def make() -> tuple[DrawnRoi, int]:
            solid = DrawnRoi.of(region.mask, region.grid, cut=region.cut)
            return solid, solid.region.depth_coefficients.nbytes + region.cut.nbytes

        solid: DrawnRoi = self._get(("solid", _content(region)), make)
        return solid

    def carried(self, region: SessionRegion, onto: Grid, transform: AffineTransform) -> CarriedRoi:
        """Region on another grid; ``transform`` leads from the region's positions to those there, mm."""

        def make() -> tuple[CarriedRoi, int]:
            carried = self.solid(region).carried(onto, transform)
            return carried, carried.filled.nbytes

        carried: CarriedRoi = self._get(("carried", _content(region), onto, transform), make)
        return carried

    def reference(self, region: ReferenceRegion, session: str, session_map: SessionMap) -> RobustMean:
        """Mean of a reference at a session."""

        def make() -> tuple[RobustMean, int]:
            return reference_at(region, session_map), region.index.nbytes

        mean: RobustMean = self._get(("reference", region.index.tobytes(), session, id(session_map)), make)
        return mean

    def _get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key][0]
        value, n_bytes = make()
        self._found[key] = (value, n_bytes)
        self._n_bytes += n_bytes
        while self._n_bytes > self._most_bytes and len(self._found) > 1:
            _, (_, gone) = self._found.popitem(last=False)
            self._n_bytes -= gone
        return value


def _content(region: SessionRegion) -> tuple[Hashable, ...]:
    """Tell what a region is, whatever the session."""
    return region.grid, region.mask.tobytes(), region.cut.tobytes()
