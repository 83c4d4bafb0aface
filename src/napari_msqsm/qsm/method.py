"""Calling one of several methods of a step: each takes what it needs of what there is."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def run_method(method: Callable[..., Any], *arrays: Any, **available: Any) -> Any:
    """Call ``method(*arrays, …)`` with those of the available keyword arguments that its signature names.

    Parameters
    ----------
    method
        A function whose keyword arguments have the names used everywhere in `napari_msqsm.qsm`.
    *arrays
        Its positional arguments.
    **available
        All that a method of this step may ask for.
    """
    return method(*arrays, **{name: value for name, value in available.items() if takes(method, name)})


def takes(method: Callable[..., Any], name: str) -> bool:
    """Whether a method has an argument of that name."""
    return name in inspect.signature(method).parameters
