"""Reconstruction steps are redone only where their inputs, settings or version changed."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari_msqsm._backend import like
from napari_msqsm.workflow.content import digest_of, is_array, new_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from napari_msqsm.qsm.step import Step
    from napari_msqsm.workflow.store import ResultStore


class StepCache:
    """Hook around the steps of `napari_msqsm.qsm.reconstruct.reconstruct`.

    Parameters
    ----------
    store
        Where results are kept.

    Attributes
    ----------
    reused, computed
        Names of the steps that were taken from the store, and of those that ran.

    Notes
    -----
    The key of a step is a hash of its name, its version, the settings it reads and the content of its inputs, so that
    a step that ran again and made the same as before leaves the ones after it alone. Each array is hashed once.
    Arrays are moved to host memory to be hashed and stored, and come back in the library and on the device of the
    step's inputs: the key does not depend on the device.
    """

    def __init__(self, store: ResultStore) -> None:
        self.reused: list[str] = []
        self.computed: list[str] = []
        self._store = store
        self._known: dict[int, tuple[weakref.ref[Any], str]] = {}

    def around(
        self,
        step: Step,
        inputs: Mapping[str, Any],
        settings: BaseModel,
        run: Callable[[], Mapping[str, Any]],
    ) -> Mapping[str, Any]:
        """Take a step's outputs from the store, or run it and store them."""
        key = self._key(step, inputs, settings)
        home = next((value for value in _arrays(inputs)), None)
        outputs: Mapping[str, Any] | None = self._store.load(
            key, lambda host: host if home is None else like(host, home)
        )
        if outputs is None or set(outputs) != set(step.makes):
            outputs = run()
            self.computed.append(step.name)
            self._store.save(key, {name: outputs[name] for name in step.makes})
        else:
            self.reused.append(step.name)
        return outputs

    def _key(self, step: Step, inputs: Mapping[str, Any], settings: BaseModel) -> str:
        digest = new_digest()
        read = {name: getattr(settings, name) for name in step.settings}
        digest.update(digest_of([step.name, step.version, read]).encode())
        for name in sorted(inputs):
            digest.update(f"{name}={self._digest_of(inputs[name])} ".encode())
        return f"{step.name}-{digest.hexdigest()}"

    def _digest_of(self, value: Any) -> str:
        known = self._known.get(id(value))
        if known is not None and known[0]() is value:
            return known[1]
        digest = digest_of(value)
        try:
            self._known[id(value)] = (weakref.ref(value), digest)
        except TypeError:  # plain values are cheap to hash again
            return digest
        return digest


def _arrays(values: Mapping[str, Any]) -> list[Any]:
    found = []
    for value in values.values():
        if is_array(value):
            found.append(value)
        elif hasattr(value, "__dataclass_fields__"):
            found += [item for item in vars(value).values() if is_array(item)]
    return found
