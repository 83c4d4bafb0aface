"""A study without fault has no finding; every fault has its sentence."""

from __future__ import annotations

import gzip
import json
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.io.bids_check import check_study
from napari_msqsm.io.tables import write_table

TIMES_S = (0.004, 0.009, 0.015)
ANAT = "sub-01/ses-01/anat"
STEM = f"{ANAT}/sub-01_ses-01"


def image(path, *, te_s=None, shape=(4, 5, 6), affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nib.Nifti1Image(np.ones(shape, np.float32), np.eye(4) if affine is None else affine)
    if te_s is not None:
        made.header["descrip"] = f"TE={1e3 * te_s:g};Time=101010.000"
    nib.save(made, path)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "study"
    for session in ("01", "02"):
        folder = root / "sub-01" / f"ses-{session}" / "anat"
        for echo, time_s in enumerate(TIMES_S):
            for part in ("mag", "phase"):
                path = folder / f"sub-01_ses-{session}_echo-{echo + 1}_part-{part}_MEGRE.nii.gz"
                image(path, te_s=time_s)
                sidecar = {"EchoTime": time_s, "MagneticFieldStrength": 3, "EchoNumber": echo + 1}
                if part == "phase":
                    sidecar["Units"] = "rad"
                path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar), "utf-8")
        flair = folder / f"sub-01_ses-{session}_FLAIR.nii.gz"
        image(flair)
        flair.with_name(flair.name.replace(".nii.gz", ".json")).write_text('{"EchoTime": 0.39}', "utf-8")
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}', "utf-8")
    write_table(root / "participants.tsv", pd.DataFrame({"participant_id": ["sub-01"]}))
    sessions = {
        "session_id": ["ses-01", "ses-02"],
        "acq_time": ["2019-01-02T10:00:00", "2020-01-03T10:00:00"],
        "age": [30.0, 31.0],
    }
    write_table(root / "sub-01" / "sub-01_sessions.tsv", pd.DataFrame(sessions))
    return root


def edit(path, **changes):
    content = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), "utf-8")


def replace_in(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_study_without_fault_has_no_finding(root):
    assert check_study(root) == ()


def test_the_sample_study_has_no_finding():
    from napari_msqsm.phantom.sample import sample_study_path

    assert check_study(sample_study_path()) == ()


def spoil(path, at, value):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[at] = value
    path.write_bytes(gzip.compress(bytes(content)))


MAG2, PHASE2 = f"{STEM}_echo-2_part-mag_MEGRE", f"{STEM}_echo-2_part-phase_MEGRE"
FAULTS = {
    "no description": (lambda r: (r / "dataset_description.json").unlink(), "Name and BIDSVersion", True),
    "no version": (lambda r: edit(r / "dataset_description.json", BIDSVersion=None), "no BIDSVersion", True),
    "no participants": (lambda r: (r / "participants.tsv").unlink(), "participants.tsv: it is missing", False),
    "patient without row": (lambda r: replace_in(r / "participants.tsv", "sub-01", "sub-02"), "no row", True),
    "row without folder": (lambda r: replace_in(r / "participants.tsv", "sub-01", "sub-01\nsub-7"), "no folder", True),
    "two rows": (lambda r: replace_in(r / "participants.tsv", "sub-01", "sub-01\nsub-01"), "more than one row", True),
    "session without row": (
        lambda r: replace_in(r / "sub-01" / "sub-01_sessions.tsv", "ses-02", "ses-03"),
        "ses-02 has a session folder but no row",
        True,
    ),
    "date": (
        lambda r: replace_in(r / "sub-01" / "sub-01_sessions.tsv", "2020-01-03T10:00:00", "03.01.2020"),
        "no date",
        True,
    ),
    "day only": (
        lambda r: replace_in(r / "sub-01" / "sub-01_sessions.tsv", "2020-01-03T10:00:00", "2020-01-03"),
        "no time of day",
        True,
    ),
    "one day twice": (
        lambda r: replace_in(r / "sub-01" / "sub-01_sessions.tsv", "2020-01-03", "2019-01-02"),
        "have one date",
        False,
    ),
    "age": (lambda r: replace_in(r / "sub-01" / "sub-01_sessions.tsv", "31.0", "37.5"), "age and date disagree", False),
    "no sessions table": (lambda r: (r / "sub-01" / "sub-01_sessions.tsv").unlink(), "lesion ages", False),
    "order of entities": (
        lambda r: shutil.move(r / f"{STEM}_FLAIR.nii.gz", r / f"{ANAT}/sub-01_ses-01_run-1_acq-x_FLAIR.nii.gz"),
        "BIDS wants sub-01_ses-01_acq-x_run-1_FLAIR",
        True,
    ),
    "suffix": (lambda r: image(r / f"{STEM}_SWI.nii.gz"), "suffix 'SWI'", True),
    "ending": (lambda r: (r / f"{STEM}_T1w.img").write_bytes(b"1"), "ending '.img'", True),
    "other session": (lambda r: image(r / f"{ANAT}/sub-01_ses-02_T1w.nii.gz"), "names ses-02 but lies in ses-01", True),
    "data type": (lambda r: (r / "sub-01/ses-01/swi").mkdir(), "no data type", True),
    "lone sidecar": (lambda r: (r / f"{STEM}_T2w.json").write_text("{}"), "no image of this name", True),
    "empty": (lambda r: (r / f"{MAG2}.nii.gz").write_bytes(b""), "empty", True),
    "not NIfTI": (lambda r: (r / f"{MAG2}.nii.gz").write_bytes(gzip.compress(b"x" * 400)), "cannot be read", True),
    "cut": (
        lambda r: (r / f"{MAG2}.nii.gz").write_bytes(
            gzip.compress(gzip.decompress((r / f"{MAG2}.nii.gz").read_bytes())[:-40])
        ),
        "truncated",
        True,
    ),
    "link": (
        lambda r: ((r / f"{MAG2}.nii.gz").unlink(), (r / f"{MAG2}.nii.gz").symlink_to("gone")),
        "link to a file that is not there",
        True,
    ),
    "no sidecar": (lambda r: (r / f"{MAG2}.json").unlink(), "no JSON sidecar", True),
    "broken sidecar": (lambda r: (r / f"{MAG2}.json").write_text("{"), "cannot be read", True),
    "no echo time": (lambda r: edit(r / f"{MAG2}.json", EchoTime=None), "no EchoTime", True),
    "milliseconds": (lambda r: edit(r / f"{MAG2}.json", EchoTime=9.0), "not in seconds", True),
    "other echo time": (lambda r: edit(r / f"{MAG2}.json", EchoTime=0.0095), "header says TE 9 ms", True),
    "parts": (lambda r: edit(r / f"{MAG2}.json", EchoTime=0.0095), "other echo times at echo 2", True),
    "order of echoes": (lambda r: edit(r / f"{MAG2}.json", EchoTime=0.016), "do not grow", True),
    "echo number": (lambda r: edit(r / f"{MAG2}.json", EchoNumber=3), "EchoNumber 3", False),
    "no field strength": (lambda r: edit(r / f"{MAG2}.json", MagneticFieldStrength=None), "no MagneticField", True),
    "unit of phase": (lambda r: edit(r / f"{PHASE2}.json", Units=None), "must be rad or arbitrary", True),
    "no phase of an echo": (lambda r: (r / f"{PHASE2}.nii.gz").unlink(), "part-phase has [1, 3]", True),
    "grid": (lambda r: image(r / f"{MAG2}.nii.gz", te_s=0.009, shape=(4, 5, 7)), "does not lie on the grid", True),
    "two axes": (lambda r: image(r / f"{MAG2}.nii.gz", te_s=0.009, shape=(4, 5)), "a grid has 3 axes", True),
    "type of values": (lambda r: spoil(r / f"{MAG2}.nii.gz", 70, 217), "cannot be read", True),
    "magic": (lambda r: spoil(r / f"{MAG2}.nii.gz", 345, 0), "no NIfTI header", True),
    "stack": (lambda r: image(r / f"{MAG2}.nii.gz", te_s=0.009, shape=(4, 5, 6, 3)), "4-D stack", True),
    "private": (lambda r: edit(r / f"{MAG2}.json", PatientName="Doe"), "identifies the patient", False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_sentence(root, fault):
    make, words, is_error = FAULTS[fault]
    make(root)
    findings = check_study(root)
    matching = [finding for finding in findings if words in str(finding)]
    assert matching, [str(finding) for finding in findings]
    assert all(finding.is_error is is_error for finding in matching)
    assert not any("\n" in str(finding) for finding in findings)


def test_magnitude_beside_real_and_imaginary_parts_is_whole(root):
    """As GE writes them: there is no phase, and none is wanted."""
    for session in ("01", "02"):
        folder = root / "sub-01" / f"ses-{session}" / "anat"
        for path in list(folder.glob("*_part-phase_*")):
            path.with_name(path.name.replace("phase", "imag")).write_bytes(path.read_bytes())
            path.rename(path.with_name(path.name.replace("phase", "real")))
    assert check_study(root) == ()
    (root / ANAT / "sub-01_ses-01_echo-2_part-imag_MEGRE.nii.gz").unlink()
    assert any("part-real has echoes [1, 2, 3] but part-imag has [1, 3]" in str(one) for one in check_study(root))


def test_bidsignore_is_heeded(root):
    image(root / f"{STEM}_SWI.nii.gz")
    (root / ".bidsignore").write_text("*_SWI.nii.gz\n", "utf-8")
    assert check_study(root) == ()


def test_something_else_than_a_study(tmp_path):
    with pytest.raises(InputError, match="not a folder"):
        check_study(tmp_path / "nothing")
    assert any("no patient" in str(finding) for finding in check_study(tmp_path))
