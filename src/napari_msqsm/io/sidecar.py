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


class Sidecars:
    """Metadata of the images of a BIDS dataset; every folder is listed and every file read once.

    A JSON file applies when it lies in the image's folder or above it inside the dataset, has the same suffix, and all
    its entities are the image's; the nearer file wins.

    Parameters
    ----------
    root
        The folder of the dataset.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._found: dict[Path, list[tuple[dict[str, str], str, Path]]] = {}
        self._read: dict[Path, dict[str, Any]] = {}

    def of(self, path: Path) -> dict[str, Any]:
        """All metadata that apply to an image.

        Raises
        ------
        MetadataError
            When one of its sidecars is damaged.
        """
        folder = path.absolute().parent
        if folder != self._root and self._root not in folder.parents:
            return beside(path)
        entities, suffix = entities_of(path)
        out: dict[str, Any] = {}
        levels = [folder, *folder.parents]
        for level in reversed(levels[: levels.index(self._root) + 1]):
            for own, own_suffix, sidecar in self._in(level):
                if own_suffix == suffix and own.items() <= entities.items():
                    out |= self._content(sidecar)
        return out

    def _in(self, folder: Path) -> list[tuple[dict[str, str], str, Path]]:
        """JSON files of a folder, the more specific ones later."""
        if folder not in self._found:
            files = [(*entities_of(path), path) for path in sorted(folder.glob("*.json"))]
            self._found[folder] = sorted(files, key=lambda file: len(file[0]))
        return self._found[folder]

    def _content(self, path: Path) -> dict[str, Any]:
        if path not in self._read:
            self._read[path] = read_json(path)
        return self._read[path]


def entities_of(path: Path) -> tuple[dict[str, str], str]:
    """Entities and suffix of a BIDS file name: ``sub-01_echo-2_MEGRE.nii.gz`` → ``{sub: 01, echo: 2}, MEGRE``."""
    *pairs, suffix = path.name.split(".", 1)[0].split("_")
    return dict(pair.split("-", 1) for pair in pairs if "-" in pair), suffix
