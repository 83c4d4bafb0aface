"""Echoes that are handed out one by one, so that neither the device nor a copy holds all of them.

They stand wherever (echo, X, Y, Z) is only read as ``echoes[echo, ...]``, as all of `napari_msqsm.qsm` does.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from array_api_compat import device

from napari_msqsm._backend import like, namespace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm._backend import Array, Namespace


class EchoWise(abc.ABC):
    """What is asked of an array whose echoes are read one by one.

    Parameters
    ----------
    shape
        (echo, X, Y, Z).
    home
        An array of the library, on the device and of the dtype of the echoes.
    """

    def __init__(self, shape: Sequence[int], home: Array) -> None:
        n, x, y, z = shape
        self.shape = (n, x, y, z)
        self.ndim = 4
        self.dtype = home.dtype
        self.device = device(home)
        self._namespace = namespace_of(home)

    @abc.abstractmethod
    def echo(self, number: int) -> Array:
        """One echo (X, Y, Z)."""

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return self._namespace

    def __getitem__(self, key: Any) -> Array:
        """One echo: ``echoes[echo, ...]``.

        Raises
        ------
        IndexError
            When something else is asked for, or there is no such echo.
        """
        number, *rest = key if isinstance(key, tuple) else (key,)
        if not isinstance(number, int) or rest not in ([], [...]) or not 0 <= number < self.shape[0]:
            raise IndexError(f"{key!r} is not one of the {self.shape[0]} echoes; read them as echoes[echo, ...]")
        return self.echo(number)


class EchoesOnHost(EchoWise):
    """Echoes in host memory, each copied to the device when it is read.

    Parameters
    ----------
    host
        (echo, X, Y, Z).
    home
        An array on the device, of the same dtype.
    """

    def __init__(self, host: NDArray[Any], home: Array) -> None:
        super().__init__(host.shape, home)
        self._host, self._home = host, home

    def echo(self, number: int) -> Array:
        """One echo (X, Y, Z) on the device."""
        return like(self._host[number], self._home)

    def __neg__(self) -> EchoesOnHost:
        return EchoesOnHost(-self._host, self._home)

    def get(self) -> NDArray[Any]:
        """All echoes in host memory; `to_numpy` asks for them as it asks CuPy."""
        return self._host
