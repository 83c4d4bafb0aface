from __future__ import annotations

import pytest

from napari_msqsm.cli import make_parser, recon_settings
from napari_msqsm.errors import ParameterError


def chosen(*arguments):
    return recon_settings.chosen(make_parser().parse_args(["recon", *arguments]))


def test_a_method_flag_brings_the_defaults_of_that_method():
    by_flag = chosen("--inversion", "tkd")
    assert by_flag.inversion.method == "tkd"
    assert by_flag == chosen("--set", "inversion.method=tkd")


def test_methods_come_before_their_settings_in_any_order():
    settings = chosen("--set", "inversion.threshold=0.3", "inversion.method=tkd", "--set", "r2star.max_r2star_hz=150")
    assert settings.inversion.threshold == 0.3
    assert settings.r2star.max_r2star_hz == 150


@pytest.mark.parametrize(("text", "radii"), [("12,8,5", (12, 8, 5)), ("(4.5,)", (4.5,)), ("", ()), ("6", (6,))])
def test_several_numbers(text, radii):
    assert chosen("--set", f"residual_background.smv_radii_mm={text}").residual_background.smv_radii_mm == radii


@pytest.mark.parametrize("text", ["inversion", "=3", "nothing.method=x", "r2star.max_r2star_hz=-4", "a.b.c=1"])
def test_what_is_wrong_is_refused(text):
    with pytest.raises(ParameterError):
        chosen("--set", text)
