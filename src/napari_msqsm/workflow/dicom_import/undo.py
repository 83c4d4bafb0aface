"""Changes of a folder that all happen or none: each knows how to take itself back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import InputError
from napari_msqsm.io.atomic import atomic_path, flush_folder
from napari_msqsm.workflow.dicom_import.key_file import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Changes:
    """A list of changes that were made; leaving the ``with`` block by an exception takes them back, last first."""

    def __init__(self) -> None:
        self._back: list[Callable[[], object]] = []

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            return
        left = ""
        for step in reversed(self._back):
            try:
                step()
            except OSError as failure:
                left = left or str(failure)
        if left:
            raise InputError(f"the import failed ({error}), and not all of it could be taken back ({left})")

    def folder(self, path: Path) -> None:
        """Make a folder and those above it."""
        for missing in reversed([p for p in (path, *path.parents) if not p.exists()]):
            missing.mkdir()
            self._back.append(missing.rmdir)

    def move(self, source: Path, target: Path) -> None:
        """Rename, never onto something.

        Raises
        ------
        InputError
            When there is something.
        """
        self.folder(target.parent)
        if target.exists():
            raise InputError(f"{target} exists already and is not overwritten; propose the import again")
        source.rename(target)
        flush_folder(target.parent)
        self._back.append(lambda: target.rename(source))

    def write(self, path: Path, text: str, *, private: bool = False) -> None:
        """Write a text file in place of the one that is there."""
        self.folder(path.parent)
        old = path.read_bytes() if path.exists() else None
        if private:
            write_private(path, text)
        else:
            with atomic_path(path) as temporary:
                temporary.write_text(text, "utf-8", newline="")
        self._back.append(path.unlink if old is None else lambda: path.write_bytes(old))
