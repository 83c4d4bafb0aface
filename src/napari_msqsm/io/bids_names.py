"""Names of raw images in BIDS: which entities, in which order, in which folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IN_ORDER = (
    "sub ses sample task acq nuc voi ce trc stain rec dir run mod echo flip inv mt part proc hemi space split "
    "recording chunk seg res den label desc"
)
_ENTITIES = tuple(_IN_ORDER.split())
_NUMBERS = ("run", "echo", "flip", "inv")
_PARTS = ("mag", "phase", "real", "imag")
_IMAGES = (
    "T1w T2w FLAIR T2starw PDw PDT2 inplaneT1 inplaneT2 angio defacemask T1rho "
    "MEGRE MESE VFA IRT1 MP2RAGE MPM MTS MTR UNIT1"
)
_MAPS = "T1map T2map T2starmap R1map R2map R2starmap PDmap MTRmap MTsat MWFmap MTVmap Chimap TB1map RB1map S0map M0map"
_ANAT_SUFFIXES = frozenset(_IMAGES.split() + _MAPS.split())
_FOLDERS = "anat func dwi fmap perf meg eeg ieeg beh pet micr nirs motion mrs"
DATATYPES = frozenset(_FOLDERS.split())
_PAIR = re.compile(r"([a-z]+)-([A-Za-z0-9]+)")
_IMAGE_ENDINGS = (".nii", ".nii.gz", ".json")


def name_problems(path: Path, *, patient: str, session: str) -> Iterator[str]:
    """Say what is wrong with the name of a file in an ``anat`` folder.

    Parameters
    ----------
    path
        The file.
    patient, session
        Of the folders it lies in, without ``sub-`` and ``ses-``; session empty where the study has none.
    """
    stem, dot, ending = path.name.partition(".")
    if dot + ending not in _IMAGE_ENDINGS:
        yield f"its ending {dot + ending!r} is not one of {', '.join(_IMAGE_ENDINGS)}"
    *pairs, suffix = stem.split("_")
    if suffix not in _ANAT_SUFFIXES:
        yield f"its suffix {suffix!r} is none of BIDS's for anat, such as MEGRE, FLAIR, T1w or T2w"
    found: dict[str, str] = {}
    for pair in pairs:
        match = _PAIR.fullmatch(pair)
        if match is None or match[1] not in _ENTITIES:
            yield f"{pair!r} is no entity of BIDS; labels hold letters and digits only"
            continue
        if match[1] in found:
            yield f"it names {match[1]}- twice"
        found[match[1]] = match[2]
    if list(found) != sorted(found, key=_ENTITIES.index):
        wanted = "_".join(f"{key}-{found[key]}" for key in sorted(found, key=_ENTITIES.index))
        yield f"its entities are out of order; BIDS wants {wanted}_{suffix}"
    for key, wanted in (("sub", patient), ("ses", session)):
        if found.get(key, "") != wanted:
            yield f"it names {key}-{found.get(key, '') or '?'} but lies in {f'{key}-{wanted}' if wanted else 'none'}"
    for key in _NUMBERS:
        if key in found and not found[key].isdigit():
            yield f"{key}-{found[key]} is not a number"
    if found.get("part", "mag") not in _PARTS:
        yield f"part-{found['part']} is none of mag, phase, real, imag"
