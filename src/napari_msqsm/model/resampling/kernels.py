"""Interpolation kernels: how much each of the samples around a point counts along one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm._backend import namespace_of
from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm._backend import Array

LANCZOS_SUPPORT = 5
"""Samples on each side. Means of lesions with a rim on a registered map are then off by as much as with ten (−0.44 ppb;
four −0.54, three −0.46): what is left is not the kernel's."""
_TINY = 1e-4


@dataclass(frozen=True)
class Kernel:
    """A separable kernel.

    Parameters
    ----------
    half_width
        Samples on each side of a point.
    weights
        Fractional position of points (n,), 0 ≤ f < 1 beyond the sample below them → one array (n,) for each of the
        samples −half_width + 1 … half_width about that sample; they add up to 1.
    spline_degree
        Degree of the B-spline whose coefficients the samples have to be turned into first; None when they stay.
    """

    half_width: int
    weights: Callable[[Array], list[Array]]
    spline_degree: int | None = None


def kernel_named(name: str) -> Kernel:
    """One of ``lanczos``, ``quintic``, ``cubic``, ``linear``.

    Raises
    ------
    ParameterError
        When there is no such kernel.
    """
    if name not in KERNELS:
        raise ParameterError(f"there is no interpolation {name!r}; choose one of {', '.join(KERNELS)} or label")
    return KERNELS[name]


def linear(fraction: Array) -> list[Array]:
    """Weights of linear interpolation."""
    return [1.0 - fraction, fraction]


def cubic(fraction: Array) -> list[Array]:
    """Cubic B-spline β³ (Unser M, IEEE Signal Process Mag 1999;16(6):22, doi 10.1109/79.799930)."""
    f, g = fraction, 1.0 - fraction
    return [g**3 / 6, 2 / 3 - f * f * (2 - f) / 2, 2 / 3 - g * g * (2 - g) / 2, f**3 / 6]


def quintic(fraction: Array) -> list[Array]:
    """Quintic B-spline β⁵ (Unser M, 1999)."""
    f, g = fraction, 1.0 - fraction
    return [g**5 / 120, _second(g), _inner(f), _inner(g), _second(f), f**5 / 120]


def lanczos(fraction: Array, support: int = LANCZOS_SUPPORT) -> list[Array]:
    """Windowed sinc ``L(x) = sinc(x) sinc(x / a)``, |x| < a, divided by the sum of its weights.

    ``sin π(f − k)`` and ``sin π(f − k) / a`` come from one sine and two of an a-th of the angle, since k is whole.

    Notes
    -----
    Duchon CE, J Appl Meteorol 1979;18:1016, doi 10.1175/1520-0450(1979)018<1016:LFIOAT>2.0.CO;2.
    """
    xp = namespace_of(fraction)
    f, a = fraction, support
    sine, fine_sine, fine_cosine = xp.sin(math.pi * f), xp.sin(math.pi / a * f), xp.cos(math.pi / a * f)
    found = []
    for k in range(1 - a, a + 1):
        x = f - float(k)
        at_sample = xp.abs(x) < _TINY
        safe = xp.where(at_sample, xp.ones_like(x), x)
        turn = math.pi * k / a
        window = math.cos(turn) * fine_sine - math.sin(turn) * fine_cosine
        weight = ((-1.0) ** k * a / math.pi**2) * sine * window / (safe * safe)
        found.append(xp.where(at_sample, xp.ones_like(x), weight))
    total = found[0]
    for weight in found[1:]:
        total = total + weight
    return [weight / total for weight in found]


def _second(f: Array) -> Array:
    """β⁵(1 + g) of g = 1 − f."""
    return (1 + 5 * f * (1 + f * (2 + f * (2 + f * (1 - f))))) / 120


def _inner(f: Array) -> Array:
    """β⁵(f), 0 ≤ f ≤ 1."""
    f2 = f * f
    return 11 / 20 - f2 / 2 + f2 * f2 / 4 - f2 * f2 * f / 12


KERNELS = {
    "lanczos": Kernel(LANCZOS_SUPPORT, lanczos),
    "quintic": Kernel(3, quintic, spline_degree=5),
    "cubic": Kernel(2, cubic, spline_degree=3),
    "linear": Kernel(1, linear),
}
