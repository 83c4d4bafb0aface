from __future__ import annotations

import pytest

from napari_msqsm.qsm.method import run_method


def test_a_method_gets_what_its_signature_names():
    def method(field, *, mask, strength=1.0):
        return field, mask, strength

    assert run_method(method, "field", mask="mask", magnitude="unused") == ("field", "mask", 1.0)
    assert run_method(method, "field", mask="mask", strength=2.0) == ("field", "mask", 2.0)


def test_a_method_that_asks_for_what_is_not_there_fails():
    def method(field, *, b0_direction):
        return field, b0_direction

    with pytest.raises(TypeError, match="b0_direction"):
        run_method(method, "field", mask="mask")
