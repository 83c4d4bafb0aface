"""Settings that a command takes as ``KEY=VALUE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_msqsm.settings import Settings

SomeSettings = TypeVar("SomeSettings", bound="Settings")


def overridden(settings: SomeSettings, texts: Sequence[str], flag: str) -> SomeSettings:
    """Give settings the values that were asked for.

    Parameters
    ----------
    settings
        Defaults.
    texts
        ``KEY=VALUE`` with dotted keys; several values are separated by commas.
    flag
        Name of the argument, for messages.

    Raises
    ------
    ParameterError
        When a name or value does not exist or is not allowed.
    """
    from napari_msqsm.errors import ParameterError
    from napari_msqsm.settings import flat, with_overrides

    present, overrides = flat(settings), {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            raise ParameterError(f"{flag} takes KEY=VALUE, got {text!r}; keys: {', '.join(present)}")
        several = isinstance(present.get(key), tuple)
        overrides[key] = [part for part in value.strip("()[]").split(",") if part.strip()] if several else value
    return with_overrides(settings, overrides)
