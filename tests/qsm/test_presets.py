from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.chain import STEPS
from napari_msqsm.qsm.inversion.tkd import TkdSettings
from napari_msqsm.qsm.presets import PRESETS, ReconstructionSettings, methods_of, with_method
from napari_msqsm.settings import flat, validated, with_overrides

if TYPE_CHECKING:
    from pydantic import BaseModel

SECTIONS = tuple(ReconstructionSettings.model_fields)


def models_of(section):
    base = ReconstructionSettings()
    return [type(getattr(with_method(base, section, method), section)) for method in methods_of(section)]


@pytest.mark.parametrize("section", [s for s in SECTIONS if "method" in type(getattr(PRESETS["fast"], s)).model_fields])
def test_every_method_can_be_chosen(section):
    for method in methods_of(section):
        chosen = getattr(with_method(PRESETS["published"], section, method), section)
        assert chosen.method == method


def test_every_setting_says_what_it_is():
    def fields(model: type[BaseModel]):
        for name, field in model.model_fields.items():
            if name != "method":
                yield f"{model.__name__}.{name}", field

    seen = 0
    for section in SECTIONS:
        kinds = [type(getattr(preset, section)) for preset in PRESETS.values()]
        if "method" in kinds[0].model_fields:
            kinds += models_of(section)
        for kind in set(kinds):
            assert kind.__doc__
            for name, field in fields(kind):
                seen += 1
                assert field.description, name
                assert field.description.strip().endswith("."), name
                assert {"unit", "source", "top"} <= set(field.json_schema_extra), name
    assert seen > 20


def test_overrides():
    changed = with_overrides(PRESETS["published"], {"inversion.cg_max_iter": "7", "reference.region": "brain"})
    assert changed.inversion.cg_max_iter == 7
    assert changed.reference.region == "brain"
    assert changed.background == PRESETS["published"].background
    with pytest.raises(ParameterError, match=r"no setting 'inversion.nothing'"):
        with_overrides(PRESETS["published"], {"inversion.nothing": "1"})
    with pytest.raises(ParameterError, match="lambda_data"):
        with_overrides(PRESETS["published"], {"inversion.lambda_data": "-1"})


def test_another_method_comes_with_its_defaults():
    changed = with_method(PRESETS["published"], "inversion", "tkd")
    assert changed.inversion == TkdSettings()
    assert with_method(PRESETS["fast"], "inversion", "tkd") is PRESETS["fast"]
    with pytest.raises(ParameterError, match="known: medi, tkd"):
        with_method(PRESETS["published"], "inversion", "magic")


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_survive_their_record(name):
    assert validated(ReconstructionSettings, PRESETS[name].model_dump(mode="json")) == PRESETS[name]
    assert len(flat(PRESETS[name])) > 15


def test_every_section_is_read_by_a_step_and_every_step_reads_what_there_is():
    read = {section for step in STEPS for section in step.settings}
    assert read == set(SECTIONS)


def test_steps_need_only_what_is_given_or_made_before():
    known = {
        "magnitude",
        "phase_rad",
        "echo_times_s",
        "voxel_size_mm",
        "b0_direction",
        "hz_per_ppm",
        "phase_rad_is_given",
        "noise_sd_is_given",
        "local_field_is_given",
        "reference_mask",
    }
    for step in STEPS:
        assert set(step.needs) <= known, step.name
        known |= set(step.makes)
    assert "chi_ppm" in known
