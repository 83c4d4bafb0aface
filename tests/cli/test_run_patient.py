"""All sessions of a patient alike: what is recorded, what is warned of, and what a failure leaves."""

from __future__ import annotations

import json

import pytest

from napari_msqsm.cli import common
from napari_msqsm.errors import CancelledError
from napari_msqsm.workflow import batch


@pytest.fixture
def two_sessions(bids):
    """Make the second session complete too."""
    first, second = (bids / "sub-01" / f"ses-{number}" / "anat" for number in ("01", "02"))
    for path in first.iterdir():
        (second / path.name.replace("ses-01", "ses-02")).write_bytes(path.read_bytes())
    return bids


@pytest.fixture
def run(msqsm, two_sessions):
    out = two_sessions / "derivatives" / "msqsm"
    return lambda *more: msqsm(
        "run", two_sessions, out, "participant", "--quiet", "--preset", "fast", "--no-coregistration", *more
    )


def patient_record(bids):
    path = bids / "derivatives" / "msqsm" / "sub-01" / "sub-01_desc-qsm_settings.json"
    return json.loads(path.read_text("utf-8"))


def test_one_digest_for_all_sessions_of_a_patient(run, two_sessions):
    ran = run()
    assert ran.code == 0, ran.err
    assert "maps of this patient" not in ran.err
    written = patient_record(two_sessions)
    assert written["Differences"] == []
    for label in ("sub-01_ses-01", "sub-01_ses-02"):
        home = two_sessions / "derivatives" / "msqsm" / label.replace("_", "/") / "anat"
        sidecar = json.loads((home / f"{label}_Chimap.json").read_text("utf-8"))
        assert sidecar["SettingsDigest"] == written["SettingsDigest"]


def test_running_again_otherwise_warns_only_while_maps_differ(run, two_sessions, monkeypatch):
    run()
    other = ("--set", "inversion.threshold=0.15")
    assert "maps of this patient" not in run(*other).err  # both were made again
    made = batch.reconstruct_session

    def second_fails(study, session, *args, **keywords):
        if session.session_id == "02":
            raise RuntimeError("a disk went away")
        return made(study, session, *args, **keywords)

    monkeypatch.setattr(batch, "reconstruct_session", second_fails)
    ran = run()
    assert ran.code == common.UNUSABLE
    assert "sub-01_ses-02: unexpected RuntimeError: a disk went away" in ran.err
    assert "inversion.threshold (0.15 or 0.2)" in ran.err
    assert patient_record(two_sessions)["SettingsDigest"] is None


def test_any_failure_of_one_session_leaves_the_others(run, two_sessions, monkeypatch):
    made = batch.reconstruct_session

    def first_fails(study, session, *args, **keywords):
        if session.session_id == "01":
            raise MemoryError
        return made(study, session, *args, **keywords)

    monkeypatch.setattr(batch, "reconstruct_session", first_fails)
    ran = run()
    assert ran.code == common.UNUSABLE
    assert "sub-01_ses-01: there is not enough memory" in ran.err
    assert set(patient_record(two_sessions)["Sessions"]) == {"sub-01_ses-02"}


def test_cancelling_stops_all(run, monkeypatch):
    def cancelled(*_args, **_keywords):
        raise CancelledError("cancelled")

    monkeypatch.setattr(batch, "reconstruct_session", cancelled)
    assert run().code == common.CANCELLED
