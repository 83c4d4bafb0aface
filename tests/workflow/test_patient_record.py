"""Maps of one patient that were not made alike are named; those that were are not."""

from __future__ import annotations

import copy
import json

import pytest

from napari_msqsm.qsm.presets import PRESETS
from napari_msqsm.settings import with_overrides
from napari_msqsm.workflow.patient_record import differences, making_of, makings_of, renew_patient_record
from napari_msqsm.workflow.provenance import plain, settings_record, write_json_file

SIEMENS_S, GE_S = (0.0067, 0.0108, 0.0149), (0.0045, 0.0093, 0.0141)


def record(settings=PRESETS["recommended"], *, version="v1", echo_times_s=SIEMENS_S, csf_volume_mm3=9000.0):
    return {
        "PipelineVersion": version,
        "Settings": settings_record(settings),
        "Acquisition": {"EchoTimes": {"Value": list(echo_times_s), "Unit": "s"}},
        "Quality": {"csf_volume_mm3": csf_volume_mm3},
    }


def said(first, second):
    return differences({"sub-01_ses-01": making_of(first), "sub-01_ses-02": making_of(second)})


def put(root, label, content):
    patient, session = label.split("_")
    write_json_file(root / patient / session / "anat" / f"{label}_Chimap.json", content)


def test_maps_made_alike_are_not_remarked_on():
    assert said(record(), record()) == ()


def test_other_settings_are_named_with_their_values():
    other = with_overrides(PRESETS["recommended"], {"inversion.lambda_data": "500"})
    (sentence,) = said(record(), record(other))
    assert "other settings" in sentence
    assert "inversion.lambda_data (2000.0 or 500.0)" in sentence


def test_other_presets_name_a_few_settings_and_count_the_rest():
    sentence = said(record(), record(PRESETS["fast"]))[0]
    assert sentence.count(" or ") == 3
    assert "more" in sentence


def test_other_versions_and_another_zero_are_named_by_session():
    (versions,) = said(record(), record(version="v2"))
    assert "v1 (sub-01_ses-01)" in versions
    assert "v2 (sub-01_ses-02)" in versions
    (zero,) = said(record(), record(csf_volume_mm3=0.0))
    assert "csf (sub-01_ses-01)" in zero
    assert "no CSF was found (sub-01_ses-02)" in zero


def test_another_brain_mask_policy_is_another_setting():
    name = next(key for key in settings_record(PRESETS["published"]) if key.startswith("brain_mask."))
    other = copy.deepcopy(record(PRESETS["published"]))
    other["Settings"][name]["Value"] = "another"
    (sentence,) = said(record(PRESETS["published"]), other)
    assert name in sentence


def test_echo_trains_matter_where_the_weight_depends_on_their_spacing():
    published = PRESETS["published"]
    (sentence,) = said(record(published), record(published, echo_times_s=GE_S))
    assert "4.10 ms (sub-01_ses-01)" in sentence
    assert "4.80 ms (sub-01_ses-02)" in sentence
    assert said(record(), record(echo_times_s=GE_S)) == ()


def test_a_map_from_elsewhere_is_named():
    adopted = {"Adopted": True, "PipelineVersion": "v1"}
    assert any("sub-01_ses-02 was taken from elsewhere" in sentence for sentence in said(record(), adopted))


def test_one_digest_per_patient_is_written_or_none_where_there_are_several(tmp_path):
    put(tmp_path, "sub-01_ses-01", record())
    put(tmp_path, "sub-01_ses-02", record())
    put(tmp_path, "sub-02_ses-01", record(PRESETS["fast"]))
    path = tmp_path / "sub-01" / "sub-01_desc-qsm_settings.json"
    assert renew_patient_record(tmp_path, "01") == ()
    written = json.loads(path.read_text("utf-8"))
    assert written["Differences"] == []
    assert set(written["Sessions"]) == {"sub-01_ses-01", "sub-01_ses-02"}
    assert {entry["SettingsDigest"] for entry in written["Sessions"].values()} == {written["SettingsDigest"]}
    put(tmp_path, "sub-01_ses-02", record(PRESETS["fast"]))
    unlike = renew_patient_record(tmp_path, "01")
    written = json.loads(path.read_text("utf-8"))
    assert unlike
    assert tuple(written["Differences"]) == unlike
    assert written["SettingsDigest"] is None


def test_a_study_without_sessions_and_foreign_files(tmp_path):
    write_json_file(tmp_path / "sub-01" / "anat" / "sub-01_Chimap.json", record())
    write_json_file(tmp_path / "sub-01" / "anat" / "sub-01_space-baseline_Chimap.json", record(PRESETS["fast"]))
    assert set(makings_of(tmp_path, "01")) == {"sub-01"}
    assert renew_patient_record(tmp_path, "02") == ()
    assert not (tmp_path / "sub-02").exists()


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_digest_is_the_same_before_and_after_the_record_was_written(name):
    before = record(PRESETS[name])
    after = json.loads(json.dumps(plain(before)))
    assert making_of(before).settings_digest == making_of(after).settings_digest
