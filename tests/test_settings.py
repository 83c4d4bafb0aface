from __future__ import annotations

from typing import Literal

import pytest
from pydantic import ValidationError

from napari_msqsm.errors import ParameterError
from napari_msqsm.settings import Settings, flat, quantity, validated, with_overrides


class Solver(Settings):
    method: Literal["cg", "lsqr"] = quantity("cg", help="Which solver.")
    max_iter: int = quantity(10, help="Most iterations.", ge=1, le=100)


class Stencil(Settings):
    order: Literal[2, 4] = quantity(2, help="Order of accuracy.")


class Chain(Settings):
    solver: Solver = Solver()
    radius_mm: float = quantity(5.0, unit="mm", help="Radius.", source="doi 10.1002/mrm.26946", top=True, gt=0)


def test_flat_names_follow_the_order_of_declaration():
    assert flat(Chain()) == {"solver.method": "cg", "solver.max_iter": 10, "radius_mm": 5.0}
    assert list(flat(Chain())) == ["solver.method", "solver.max_iter", "radius_mm"]


def test_overrides_are_read_from_text_and_leave_the_original_alone():
    before = Chain()
    after = with_overrides(before, {"solver.max_iter": "20", "radius_mm": "2.5", "solver.method": "lsqr"})
    assert flat(after) == {"solver.method": "lsqr", "solver.max_iter": 20, "radius_mm": 2.5}
    assert before == Chain()


@pytest.mark.parametrize("value", ["4", 4])
def test_a_choice_among_numbers_is_read_from_text(value):
    assert with_overrides(Stencil(), {"order": value}).order == 4
    with pytest.raises(ParameterError, match="order"):
        with_overrides(Stencil(), {"order": "3"})


def test_what_flat_gives_overrides_to_the_same_settings():
    changed = Chain(solver=Solver(max_iter=3), radius_mm=1.0)
    assert with_overrides(Chain(), flat(changed)) == changed


@pytest.mark.parametrize("key", ["solver.max_itr", "solvr.max_iter", "radius_mm.x", "solver.method.x", ""])
def test_an_unknown_name_lists_the_known_ones(key):
    with pytest.raises(ParameterError, match=r"known settings: radius_mm, solver.max_iter, solver.method"):
        with_overrides(Chain(), {key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [("solver.max_iter", "0"), ("solver.max_iter", "many"), ("solver.max_iter", "2.5"), ("radius_mm", -1.0)],
)
def test_a_value_that_is_not_allowed_says_where_and_what(key, value):
    with pytest.raises(ParameterError) as caught:
        with_overrides(Chain(), {key: value})
    assert key in str(caught.value)
    assert repr(value) in str(caught.value)


def test_validated_refuses_unknown_names_in_one_sentence():
    with pytest.raises(ParameterError, match="radius"):
        validated(Chain, {"radius": 5.0})


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        Chain().radius_mm = 3.0


def test_unit_source_and_help_reach_the_schema():
    schema = Chain.model_json_schema()["properties"]["radius_mm"]
    assert schema["description"] == "Radius."
    assert schema["unit"] == "mm"
    assert schema["source"] == "doi 10.1002/mrm.26946"
    assert schema["top"] is True
    assert schema["exclusiveMinimum"] == 0
