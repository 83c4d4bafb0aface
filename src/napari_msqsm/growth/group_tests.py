"""Tests of rim+ against rim-: what can be read off a basis, and what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_msqsm.growth.cleaning import NO_RIM, RIM
from napari_msqsm.growth.design import GROUP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.growth.inference import Estimate
    from napari_msqsm.growth.mixed_model.f_test import FTest
    from napari_msqsm.growth.model import GrowthModel

_PAPER = {"height": None, "linear": 1, "cubic": 3}
_AGES_Y = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class GroupTests:
    """How the groups differ.

    Parameters
    ----------
    overall
        Group and its interaction with time together: do the curves differ at all? None where it cannot be tested.
    shape
        The interaction alone: do they differ by more than a constant?
    paper
        The paper's *height*, *linear* and *cubic* terms, rim- against rim+, in our reading of its basis; empty where
        the basis is not of orthogonal polynomials.
    at_ages
        rim+ − rim- at 0, 0.5, 1, 2 and 4 years as far as the data go; empty in bins.
    average
        rim+ − rim- averaged over the range of ages.
    """

    overall: FTest | None
    shape: FTest | None
    paper: dict[str, Estimate]
    at_ages: dict[float, Estimate]
    average: Estimate | None


def group_tests(model: GrowthModel) -> GroupTests | None:
    """Test the groups of a model; None where there is one group."""
    if len(model.groups) < 2:
        return None
    names = model.fit.names
    unit = np.eye(len(names))
    shape = [column for column, name in enumerate(names) if name in {f"{each}:{GROUP}" for each in _time(model)}]
    every = ([names.index(GROUP)] if GROUP in names else []) + shape
    fixed = dict(zip(names, model.inference.fixed_effects(), strict=True))
    paper = {}
    if model.design.basis.orthogonal:
        terms = {word: GROUP if power is None else f"ot{power}:{GROUP}" for word, power in _PAPER.items()}
        paper = {word: fixed[term] for word, term in terms.items() if term in fixed}
    binned = model.design.basis.bin_of is not None
    ages = [] if binned else [age for age in _AGES_Y if age <= model.largest_age_y]
    found = model.inference.estimates(_difference(model, np.array(ages))) if ages else ()
    whole = np.linspace(0.0, model.largest_age_y, 201)
    average = None if binned else model.inference.estimates(_difference(model, whole).mean(axis=0, keepdims=True))[0]
    return GroupTests(
        model.inference.f_test(unit[every]) if every else None,
        model.inference.f_test(unit[shape]) if shape else None,
        paper,
        dict(zip(ages, found, strict=True)),
        average,
    )


def _time(model: GrowthModel) -> tuple[str, ...]:
    return model.design.basis.names


def _difference(model: GrowthModel, ages: NDArray[np.float64]) -> NDArray[np.float64]:
    return model.rows_at(ages, RIM) - model.rows_at(ages, NO_RIM)
