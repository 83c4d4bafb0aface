"""BIDS JSON sidecars, with inheritance from the folders above."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import MetadataError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    MetadataError
        When the file is not one.
    """
    try:
        text = path.read_text("utf-8-sig")
        value = json.loads(text) if text.strip() else {}
    except (OSError, ValueError) as error:
        raise MetadataError(f"sidecar {path} cannot be read ({error}); repair or remove it") from None
    if not isinstance(value, dict):
        raise MetadataError(f"sidecar {path} holds no JSON object; repair or remove it")
    return value


def stem_of(path: Path) -> str:
    """File name without ``.nii`` and ``.gz``."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def beside(path: Path) -> dict[str, Any]:
    """Sidecar of the same name beside an image; empty when there is none."""
    sidecar = path.with_name(stem_of(path) + ".json")
    return read_json(sidecar) if sidecar.is_file() else {}


def inherited(path: Path, *, root: Path) -> dict[str, Any]:
    """All metadata that apply to an image of a BIDS dataset; the nearer file wins.

    A JSON file applies when it lies in the image's folder or above it inside the dataset, has the same suffix, and all
    its entities are the image's.
    """
    root, folder = root.absolute(), path.absolute().parent
    folders = [folder, *[above for above in folder.parents if above == root or root in above.parents]]
    if folder != root and root not in folder.parents:
        return beside(path)
    entities, suffix = entities_of(path)
    out: dict[str, Any] = {}
    for level in reversed(folders):
        matches = []
        for candidate in sorted(level.glob(f"*{suffix}.json")):
            own, own_suffix = entities_of(candidate)
            if own_suffix == suffix and own.items() <= entities.items():
                matches.append((len(own), candidate))
        for _, candidate in sorted(matches, key=lambda match: match[0]):
            out |= read_json(candidate)
    return out


def entities_of(path: Path) -> tuple[dict[str, str], str]:
    """Entities and suffix of a BIDS file name: ``sub-01_echo-2_MEGRE.nii.gz`` → ``{sub: 01, echo: 2}, MEGRE``."""
    *pairs, suffix = path.name.split(".", 1)[0].split("_")
    return dict(pair.split("-", 1) for pair in pairs if "-" in pair), suffix
