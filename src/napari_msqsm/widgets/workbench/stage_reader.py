"""Reads the images of stages beside the window, and keeps those that were seen last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import MsqsmError
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.widgets.workbench.stage_images import StageImage, stage_images

if TYPE_CHECKING:
    from napari_msqsm.workflow.workbench.maps import PatientMaps

ReadBeside = Callable[[Callable[[], Any], Callable[[Any], None]], None]
_MOST_BYTES = 1_200_000_000


class StageReader:
    """Images of one patient.

    Parameters
    ----------
    maps
        Of the patient.
    read_beside
        Does the first function in the reading thread, then the second with its result in this one.
    """

    def __init__(self, maps: PatientMaps, read_beside: ReadBeside) -> None:
        self._maps = maps
        self._read_beside = read_beside
        self._kept: OrderedDict[tuple[Stage, str], list[StageImage]] = OrderedDict()

    def kept(self, stage: Stage, session: str) -> list[StageImage] | None:
        """Images that are there already; None where they have to be read."""
        key = _key(stage, session)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def read(
        self, stage: Stage, session: str, done: Callable[[list[StageImage]], None], failed: Callable[[str], None]
    ) -> None:
        """Read them, then call ``done`` with them, or ``failed`` with a sentence; at once where they are there."""
        images = self.kept(stage, session)
        if images is not None:
            done(images)
            return

        def work() -> list[StageImage] | str:
            try:
                return stage_images(self._maps, stage, session)
            except MsqsmError as error:
                return str(error)

        def take(result: list[StageImage] | str) -> None:
            if isinstance(result, str):
                failed(result)
                return
            self._keep(_key(stage, session), result)
            done(result)

        self._read_beside(work, take)

    def forget(self) -> None:
        """Let go of all images: files have changed."""
        self._kept.clear()

    def _keep(self, key: tuple[Stage, str], images: list[StageImage]) -> None:
        self._kept[key] = images
        while len(self._kept) > 1 and sum(_bytes(each) for each in self._kept.values()) > _MOST_BYTES:
            self._kept.popitem(last=False)


def _key(stage: Stage, session: str) -> tuple[Stage, str]:
    return (stage, "" if stage is Stage.ALL else session)


def _bytes(images: list[StageImage]) -> int:
    return sum(image.values.nbytes for image in images if image.values is not None)
