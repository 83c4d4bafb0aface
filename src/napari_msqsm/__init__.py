"""napari-msqsm: susceptibility of multiple-sclerosis lesions over time.

Importing this package imports neither Qt nor napari nor CuPy; public names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.io.bids import open_study
    from napari_msqsm.io.gre import load_gre
    from napari_msqsm.qsm.reconstruct import reconstruct

__version__ = "0.1.0"

_HOME_OF = {
    "load_gre": "napari_msqsm.io.gre",
    "open_study": "napari_msqsm.io.bids",
    "reconstruct": "napari_msqsm.qsm.reconstruct",
}

__all__ = ["__version__", "load_gre", "open_study", "reconstruct"]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
