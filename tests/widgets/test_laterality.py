"""Which side of the patient is where on the screen."""

from __future__ import annotations

import pytest

from napari_msqsm.widgets.laterality import sides_on_screen


@pytest.mark.parametrize(
    ("order", "n_displayed", "sides"),
    [
        ((0, 1, 2), 2, ("R", "L")),
        ((1, 0, 2), 2, ("R", "L")),
        ((2, 0, 1), 2, ("A", "P")),
        ((0, 2, 1), 2, ("A", "P")),
        ((1, 2, 0), 2, ("I", "S")),
        ((0, 1, 2, 3), 2, ("R", "L")),
        ((1, 2, 3, 0), 2, None),
        ((0, 1, 2), 3, None),
    ],
)
def test_sides_belong_to_the_axis_that_runs_across(order, n_displayed, sides):
    assert sides_on_screen(order, n_displayed) == sides
