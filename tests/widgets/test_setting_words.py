"""Words of the settings' form."""

from __future__ import annotations

import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import PRESETS, methods_of, with_method
from napari_msqsm.widgets.setting_words import as_text, choice_words, from_text, label_of, method_words

SECTIONS = list(type(PRESETS["published"]).model_fields)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("inversion.lambda_csf", "λ CSF"),
        ("brain_mask.threshold", "Brain mask threshold"),
        ("inversion.threshold", "Threshold on |D|"),
        ("background.margin_mm", "Margin"),
        ("background.cg_max_iter", "Most CG iterations"),
        ("csf_mask", "CSF mask"),
        ("csf_mask.max_r2star_hz", "CSF: largest R2*"),
        ("r2star.max_r2star_hz", "Largest R2*"),
        ("reference.region", "χ = 0 in"),
        ("csf_mask.region", "CSF of"),
        ("other.new_setting_mm", "New setting"),
        ("other.csf_sd_ppb", "CSF SD"),
    ],
)
def test_labels_are_words_without_units(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize("section", SECTIONS)
def test_no_two_settings_or_methods_of_a_section_are_called_the_same(section):
    settings = PRESETS["published"]
    has_methods = "method" in type(getattr(settings, section)).model_fields
    methods = methods_of(section) if has_methods else ()
    assert len({method_words(section, method) for method in methods}) == len(methods)
    for method in methods or (None,):
        values = getattr(with_method(settings, section, method) if method else settings, section)
        names = [name for name in type(values).model_fields if name != "method"]
        assert len({label_of(f"{section}.{name}") for name in names}) == len(names)


def test_methods_and_choices_without_words_of_their_own_are_called_as_they_are():
    assert method_words("inversion", "medi") == "MEDI / MEDI+0"
    assert method_words("inversion", "brandnew") == "brandnew"
    assert choice_words("reference.region", "csf") == "CSF"
    assert choice_words("background.order", 4) == "4"


@pytest.mark.parametrize("value", [True, False, 5.0, 1e-4, 7, (12.0, 8.0, 5.0), (5.0,), (), "csf"])
def test_text_of_a_value_gives_the_value_back(value):
    back = from_text(as_text(value), value)
    assert (float(back) if isinstance(value, int | float) and not isinstance(value, bool) else back) == value


@pytest.mark.parametrize(("text", "numbers"), [("4", (4.0,)), ("12; 8,", (12.0, 8.0)), ("", ())])
def test_a_list_may_get_longer_and_shorter(text, numbers):
    assert from_text(text, (5.0,)) == numbers


def test_a_list_of_words_is_refused():
    with pytest.raises(ParameterError, match="not a list of numbers"):
        from_text("5, six", (5.0, 6.0))
