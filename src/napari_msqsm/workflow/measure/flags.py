"""What a row of the lesion table can be flagged with: one definition for the table, the panel and the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.lesions.local_shift import MISALIGNED_MM
from napari_msqsm.lesions.roi_mean import LEAST_COVERED, MOST_APART_PPB

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALL_MM3 = 50.0
MOST_VOLUME_CHANGE = 0.1
DROPOUT_R2STAR_HZ = 100.0
DROPOUT_MAGNITUDE = 0.25
MOST_DROPOUT = 0.1
SEPARATOR = ";"


@dataclass(frozen=True)
class Flag:
    """One flag.

    Parameters
    ----------
    name
        As it stands in ``qc_flags``.
    title
        In a few words, for the screen.
    definition
        When it is set, and what to do about it.
    """

    name: str
    title: str
    definition: str


_ALL = (
    Flag(
        "post_gd",
        "after gadolinium",
        "The gradient echo was acquired after gadolinium was given: 0.1 mM raises χ by about 33 ppb, precisely at age "
        "0. Leave the session out, or compare it with scans after gadolinium only.",
    ),
    Flag(
        "no_map",
        "no susceptibility map",
        "The session has no susceptibility map, so that there is no χ. Reconstruct it.",
    ),
    Flag(
        "not_aligned",
        "not aligned",
        "The session has a map but no transform to the baseline that may be used, so that there is no χ. Align it, or "
        "accept its alignment by hand.",
    ),
    Flag(
        "outdated_map",
        "map outdated",
        "The map was made from other files than there are now, or by an older algorithm. Reconstruct it again.",
    ),
    Flag(
        "low_coverage",
        "outside coverage",
        f"Less than {LEAST_COVERED:.0%} of the region lies where the map has a value; χ is missing, not a number.",
    ),
    Flag(
        "hole_in_mask",
        "hole in the mask",
        "A part of the region lies in a hole of the map's mask: voxels without a value that are enclosed by ones that "
        "have one. They do not enter the mean.",
    ),
    Flag(
        "signal_dropout",
        "signal drop-out",
        f"In more than {MOST_DROPOUT:.0%} of the region the signal is lost: R2* above {DROPOUT_R2STAR_HZ:g} 1/s (T2* "
        f"below {1e3 / DROPOUT_R2STAR_HZ:g} ms); where there is no R2* map, a magnitude (root sum of squares over the "
        f"echoes) below {DROPOUT_MAGNITUDE:.0%} of the median inside the map's mask. χ is not reliable there.",
    ),
    Flag(
        "small",
        "small",
        f"The region, less its vein, is smaller than {SMALL_MM3:g} mm³: partial volume alone is an error of several "
        "ppb.",
    ),
    Flag(
        "roi_volume_changed",
        "region changed its size",
        f"The region at this session is more than {MOST_VOLUME_CHANGE:.0%} larger or smaller than at onset: it was "
        "edited there, or the transform stretches. Look at both.",
    ),
    Flag(
        "misaligned",
        "misaligned",
        "The alignment of this session's gradient echo was judged to need a look and nobody accepted it, or the tissue "
        f"about the lesion lies more than {MISALIGNED_MM:g} mm, and more than three standard errors, beside where the "
        "alignment (with the shift that a reader accepted here) puts it. Look at it.",
    ),
    Flag(
        "native_registered_differ",
        "native and registered χ differ",
        f"The means in the native map and in the map on the baseline's grid are more than {MOST_APART_PPB:g} ppb apart:"
        " more than interpolation explains. Look at the alignment.",
    ),
    Flag(
        "no_region",
        "no region",
        "The lesion has no region for χ at this session: none was carried to the gradient echo yet, or a reader erased "
        "it here.",
    ),
    Flag(
        "not_reviewed",
        "propagated, not reviewed",
        "The region was carried to this session after onset and nobody looked at it there yet.",
    ),
    Flag(
        "stale_propagation",
        "onset region drawn again since",
        "The region at this session is not the present onset region: that was drawn again after it was propagated. "
        "Propagate again.",
    ),
    Flag(
        "missing_reference",
        "no reference",
        "There is no normal-appearing white matter to subtract at this session: χ relative to it is missing.",
    ),
    Flag(
        "grown_reference",
        "reference grown",
        "The ring of 2 to 6 mm held too little white matter; the reference reaches further out on the same side.",
    ),
    Flag(
        "mirrored_reference",
        "reference of the other side",
        "The reference was mirrored to the other hemisphere on request: it does not correct for the direction of "
        "fibres.",
    ),
    Flag("painted_reference", "painted reference", "A reader painted the reference of this lesion."),
    Flag(
        "excluded_by_reader",
        "left out by the reader",
        "The reader leaves this lesion out of the analysis; the reason stands in the lesions' own table.",
    ),
)
FLAGS = {flag.name: flag for flag in _ALL}


def joined(names: Iterable[str]) -> str | None:
    """Write flags as they stand in the table, in the order of `FLAGS`; None where there are none."""
    found = set(names)
    unknown = found - set(FLAGS)
    if unknown:
        raise KeyError(f"there is no flag {sorted(unknown)[0]!r}")
    return SEPARATOR.join(name for name in FLAGS if name in found) or None


def split(cell: str | None) -> tuple[str, ...]:
    """Names of the flags in a cell of the table."""
    return tuple(name for name in (cell or "").split(SEPARATOR) if name)
