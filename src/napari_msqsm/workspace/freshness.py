"""Whether a result still belongs to its inputs: by content, never by dates alone."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class InputFile:
    """An input as it was when a result was made from it."""

    path: Path
    sha256: str
    size: int

    @property
    def is_unchanged(self) -> bool:
        """Whether the file is there with the same content."""
        try:
            return self.path.stat().st_size == self.size and sha256_of(self.path) == self.sha256
        except OSError:
            return False


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content; remembered while size and time of the file stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001  part of the key
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def read_record(path: Path) -> dict[str, Any] | None:
    """Provenance beside a result; None when there is none or it cannot be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def recorded_inputs(record: Mapping[str, Any], roots: Mapping[str, Path]) -> list[InputFile] | None:
    """Input files that a provenance record names.

    Parameters
    ----------
    record
        Provenance with ``InputFiles``: a list of ``{"URI", "SHA256", "SizeBytes"}``.
    roots
        Folder of each dataset name in ``bids:NAME:path``; other paths are relative to that of the name ``""``.

    Returns
    -------
    list of InputFile or None
        None when the record has no such list.
    """
    entries = record.get("InputFiles")
    if not isinstance(entries, list):
        return None
    files = []
    for entry in entries:
        try:
            files.append(InputFile(_located(entry["URI"], roots), str(entry["SHA256"]), int(entry["SizeBytes"])))
        except (KeyError, TypeError, ValueError):
            return None
    return files


def reasons_outdated(
    record: Mapping[str, Any], inputs: Iterable[Path], roots: Mapping[str, Path], pipeline_version: str
) -> tuple[str, ...]:
    """Say in words why a result does not belong to its inputs any more; empty when it does.

    Parameters
    ----------
    record
        Provenance of the result.
    inputs
        Image files that a reconstruction would read now.
    roots
        See `recorded_inputs`.
    pipeline_version
        Version of the algorithm now.
    """
    files = recorded_inputs(record, roots)
    if files is None:
        return ("its provenance does not name the input files",)
    reasons = []
    recorded = {_resolved(file.path) for file in files}
    if any(_resolved(path) not in recorded for path in inputs):
        reasons.append("there are input files that it was not made from")
    changed = [file.path.name for file in files if not file.is_unchanged]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        reasons.append(f"{changed[0]}{more} changed since")
    made_by = record.get("PipelineVersion")
    if made_by is not None and made_by != pipeline_version:
        reasons.append("the algorithm has a newer version")
    return tuple(reasons)


def _located(uri: str, roots: Mapping[str, Path]) -> Path:
    if uri.startswith("bids:"):
        _, name, relative = uri.split(":", 2)
        if name in roots:
            return roots[name] / relative
        raise ValueError(f"unknown dataset {name!r} in {uri}")
    return roots.get("", Path()) / uri


def _resolved(path: Path) -> Path:
    return path.resolve()
