"""Every flag, set by what it says and by nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.io.nifti import save_volume
from napari_msqsm.lesions.local_shift import LocalShift
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.measure import flags
from napari_msqsm.workflow.measure.flair_volume import flair_volumes
from napari_msqsm.workflow.measure.lesion_rows import measure_lesion
from napari_msqsm.workflow.measure.measuring import Measuring
from napari_msqsm.workflow.measure.patient import measure_patient
from napari_msqsm.workflow.measure.session_images import holes_of
from napari_msqsm.workflow.workbench.local_shift import ShiftFound
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, voxels_set
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from workflow.measure.known_study import CENTRES_MM, GRE_AT, S1, S2, S3


def opened(disk):
    """Images of the patient, and its drawing, to be changed by a test."""
    maps = disk.maps()
    drawing = read_drawing(disk.study, "01", maps=maps)
    drawing.read_only = ""
    return drawing, maps


def row_at(rows, label, session):
    wanted = f"01-L{label:03d}", session.partition("_")[2]
    return next(row for row in rows if (row.lesion_id, row.session_id) == wanted)


@pytest.fixture
def measured(disk):
    """Flags and row of a lesion at a session, after what a test has done to files or drawing."""

    def of(label, session, change=None):
        drawing, maps = opened(disk)
        if change is not None:
            change(drawing)
        lesion = drawing.lesion(label)
        volumes = flair_volumes(drawing, maps, session)
        row = row_at(measure_lesion(Measuring(drawing, maps), lesion, volumes=volumes).rows, label, session)
        return set(flags.split(row.qc_flags)), row

    return of


@pytest.fixture
def table(disk):
    """Table of all lesions, after what a test has done to files or drawing."""

    def of(change=None, *, look_for_shifts=False, **options):
        drawing, maps = opened(disk)
        if change is not None:
            change(drawing)
        return measure_patient(drawing, maps, look_for_shifts=look_for_shifts, **options)

    return of


def rewritten(path, change):
    """Change the values of an image where they lie."""
    image = nib.load(path)
    values = np.array(np.asarray(image.dataobj), dtype=np.float32)
    change(values)
    save_volume(path, values, Grid(image.shape, image.affine))
    return values


def centre(disk, label, session):
    """Voxel of the map in the middle of a lesion."""
    image = nib.load(disk.anat(session) / f"{session}_Chimap.nii.gz")
    at = np.linalg.inv(image.affine) @ np.array([*GRE_AT[session].apply(CENTRES_MM[label]), 1])
    return tuple(int(i) for i in np.rint(at[:3]))


def about(at, n):
    return tuple(slice(i - n, i + n + 1) for i in at)


def test_nothing_is_flagged_where_nothing_is_wrong(measured):
    assert measured(1, S2)[0] == set()


def test_after_gadolinium(disk, measured):
    files = sorted(path.name for path in disk.raw(S2).glob("*MEGRE.nii.gz"))
    table = "filename\tacq_time\tpost_gd\n" + "".join(f"anat/{name}\tn/a\ttrue\n" for name in files)
    (disk.raw(S2).parent / f"{S2}_scans.tsv").write_text(table, "utf-8")
    assert measured(1, S2)[0] == {"post_gd"}


def test_no_map_and_not_aligned(disk, measured):
    (disk.anat(S2) / f"{S2}_Chimap.nii.gz").unlink()
    (disk.anat(S3) / f"{S3}_from-MEGRE_to-baseline_mode-image_xfm.txt").unlink()
    found, row = measured(1, S2)
    assert found == {"no_map"}
    assert (row.chi_ppb, row.chi_lesion_raw_ppb, row.chi_nawm_ppb, row.covered_fraction) == (None,) * 4
    assert row.volume_mm3 is not None
    assert measured(2, S3)[0] == {"not_aligned", "not_reviewed"}
    assert row.eligible == "no: χ at 1 of at least 3 sessions from onset on; no χ later than a year after onset"


def test_a_map_that_cannot_be_read_is_told(disk, table):
    (disk.anat(S2) / f"{S2}_Chimap.nii.gz").write_bytes(b"nonsense")
    found = table()
    assert row_at(found.rows, 1, S2).qc_flags == "no_map"
    assert any(S2 in note and "cannot be read" in note for note in found.notes)
    assert [found.has_map(session) for session in (S1, S2, S3)] == [True, False, True]


def test_outdated_map(disk, table):
    magnitude = disk.raw(S2) / f"{S2}_echo-1_part-mag_MEGRE.nii.gz"
    shutil.copy(magnitude, disk.raw(S2) / f"{S2}_echo-1_part-phase_MEGRE.nii.gz")
    (disk.anat(S2) / f"{S2}_Chimap.json").write_text('{"InputFiles": []}', "utf-8")
    found = table()
    assert row_at(found.rows, 1, S2).qc_flags == "outdated_map"
    assert f"the map of {S2} is outdated: there are input files that it was not made from; reconstruct it again" in (
        found.notes
    )
    assert row_at(table(look_for_outdated=False).rows, 1, S2).qc_flags is None


def test_alignment_that_nobody_looked_at(disk, measured):
    disk.align(S2, "MEGRE", GRE_AT[S2], level="look", by="")
    assert measured(1, S2)[0] == {"misaligned"}
    disk.align(S2, "MEGRE", GRE_AT[S2], level="look", by="AB")
    assert measured(1, S2)[0] == set()


def test_a_lesion_that_lies_beside_its_region(table, monkeypatch):
    """What local alignment finds is flagged, unless a reader accepted that shift."""
    asked = []

    def found_at(drawing, maps, label, session):
        asked.append((label, session))
        far = LocalShift((0.0, 1.5, 0.5), (0.1, 0.1, 0.1), 0.6, 0.9, 900, settled=True)
        near = replace(far, shift_mm=(0.1, 0.0, 0.0))
        return ShiftFound(label, session, far if (label, session) == (1, S2) else near)

    monkeypatch.setattr("napari_msqsm.workflow.measure.patient.shift_at", found_at)
    found = table(look_for_shifts=True)
    assert asked == [(1, S2), (1, S3), (2, S3), (3, S2), (3, S3)]  # after onset
    flagged = [(row.lesion_id, row.session_id) for row in found.rows if "misaligned" in flags.split(row.qc_flags)]
    assert flagged == [("01-L001", "ses-02")]
    assert f"01-L001 at {S2}: shift 1.58 ± 0.10 mm (+0.00, +1.50, +0.50): misaligned" in found.notes

    def accept(drawing):
        before = drawing.follow_up(1, S2)
        after = replace(before, shift_mm=(0.0, 1.4, 0.4))
        drawing.apply(Edit("shift", follow_ups=(FollowUpChange(before, after),)))

    assert "misaligned" not in flags.split(row_at(table(accept, look_for_shifts=True).rows, 1, S2).qc_flags)


def test_coverage(disk, measured):
    """The mask ends within the lesion: less than 90 % is left, and there is no number."""
    x, y, z = centre(disk, 1, S2)

    def cut(values):
        values[x:, y - 12 : y + 13, z - 6 :] = 0

    rewritten(disk.anat(S2) / f"{S2}_desc-brain_mask.nii.gz", cut)
    found, row = measured(1, S2)
    assert "low_coverage" in found
    assert "hole_in_mask" not in found
    assert row.chi_ppb is row.chi_lesion_raw_ppb is row.chi_median_ppb is None
    assert 0 < row.covered_fraction < 0.9
    assert "low_coverage" not in measured(2, S2)[0]


def test_hole_in_the_mask(disk, measured):
    x, y, z = centre(disk, 1, S2)
    rewritten(disk.anat(S2) / f"{S2}_desc-brain_mask.nii.gz", lambda values: values.__setitem__((x + 2, y, z), 0))
    found, row = measured(1, S2)
    assert "hole_in_mask" in found
    assert 0.9 < row.covered_fraction < 1
    assert row.chi_ppb is not None


def test_holes_are_enclosed():
    mask = np.ones((7, 7, 7), bool)
    mask[3, 3, 3] = mask[1, 1, :3] = False
    wanted = np.zeros_like(mask)
    wanted[3, 3, 3] = True
    assert np.array_equal(holes_of(mask), wanted)
    assert not holes_of(np.zeros_like(mask)).any()
    assert not holes_of(np.ones_like(mask)).any()


def test_signal_dropout_by_r2star(disk, measured):
    at = centre(disk, 1, S2)
    rewritten(disk.anat(S2) / f"{S2}_R2starmap.nii.gz", lambda values: values.__setitem__(about(at, 2), 150.0))
    assert measured(1, S2)[0] == {"signal_dropout"}


def test_signal_dropout_by_magnitude(disk, measured):
    """The last session has no R2* map."""
    at = centre(disk, 2, S3)
    path = disk.raw(S3) / f"{S3}_echo-1_part-mag_MEGRE.nii.gz"
    rewritten(path, lambda values: values.__setitem__(about(at, 2), 15.0))
    disk.align(S3, "MEGRE", GRE_AT[S3])
    assert "signal_dropout" in measured(2, S3)[0]
    assert "signal_dropout" not in measured(1, S3)[0]


def test_small(measured):
    def shrink(drawing):
        labels = drawing.labels(ONSET)
        keep = drawing.voxels(ONSET, 2)[:3]  # 48 mm³
        gone = np.setdiff1d(drawing.voxels(ONSET, 2), keep)
        drawing.apply(Edit("erase", (voxels_set(ONSET, labels, gone, 0),)))

    assert "small" in measured(2, S2, shrink)[0]
    assert "small" not in measured(2, S2)[0]


def test_native_and_registered_differ(disk, measured):
    path = disk.anat(S2) / f"{S2}_space-baseline_Chimap.nii.gz"

    def raise_(values):
        values[values != 0] += 0.003

    rewritten(path, raise_)
    found, row = measured(1, S2)
    assert "native_registered_differ" in found
    assert row.chi_registered_ppb - row.chi_native_ppb == pytest.approx(3, abs=0.6)


def test_propagation_states(measured):
    def redraw(drawing):
        drawing.apply(Edit("erase", (voxels_set(ONSET, drawing.labels(ONSET), drawing.voxels(ONSET, 1)[:9], 0),)))

    assert measured(1, S2, redraw)[0] == {"stale_propagation"}
    assert "stale_propagation" not in measured(1, S3, redraw)[0]  # edited there

    def erase(drawing):
        plane = Plane.follow_up(S2)
        drawing.apply(Edit("erase", (voxels_set(plane, drawing.labels(plane), drawing.voxels(plane, 1), 0),)))

    found, row = measured(1, S2, erase)
    assert found == {"no_region"}
    assert (row.chi_ppb, row.n_voxels, row.roi_source) == (None, None, None)
    assert row.volume_mm3 is not None


def test_left_out_by_the_reader(measured):
    def leave_out(drawing):
        before = drawing.lesion(1)
        after = replace(before, excluded="motion; see note")
        drawing.apply(Edit("exclude", lesions=(LesionChange(before, after),)))

    found, row = measured(1, S1, leave_out)
    assert found == {"excluded_by_reader"}
    assert row.eligible == "no: left out by the reader (motion, see note)"


def test_a_shift_moves_the_region_in_both_maps(measured):
    def shift(drawing):
        before = drawing.follow_up(1, S2)
        drawing.apply(Edit("shift", follow_ups=(FollowUpChange(before, replace(before, shift_mm=(3.0, 0.0, 0.0))),)))

    _, row = measured(1, S2, shift)
    _, plain = measured(1, S2)
    assert row.chi_native_ppb < plain.chi_native_ppb - 3  # away from the lesion
    assert row.chi_registered_ppb == pytest.approx(row.chi_native_ppb, abs=2)


def test_sessions_without_date_and_lesions_without_onset(disk, table):
    path = disk.root / "sub-01" / "sub-01_sessions.tsv"
    path.write_text(path.read_text("utf-8").replace("2016-01-10T18:00:00", "n/a"), "utf-8")

    def new(drawing):
        lesion = Lesion(9, "01-L009")
        drawing.apply(Edit("new", lesions=(LesionChange(None, lesion),)))

    found = table(new)
    row = row_at(found.rows, 1, S2)
    assert row.lesion_age_y is row.session_date is None
    assert f"{S2} has no date: lesion ages cannot be told (acq_time in sessions.tsv)" in found.notes
    nine = [row for row in found.rows if row.lesion_id == "01-L009"]
    assert [row.qc_flags for row in nine] == ["no_region;missing_reference"] * 3
    assert all(row.eligible == "no: no onset session" and row.lesion_age_y is None for row in nine)
    assert any("01-L009: nobody said" in note for note in found.notes)


def test_reference_flags(disk):
    measuring = Measuring(*opened(disk))
    region = measuring.references.region(1)
    for how, wanted in {
        "ring": set(),
        "grown": {"grown_reference"},
        "mirrored": {"mirrored_reference"},
        "painted": {"painted_reference"},
    }.items():
        rois = measuring.lesion(1)
        rois.reference = replace(region, how=how)
        assert rois.at(measuring.images(S2)).flags == wanted
    rois.reference = replace(region, how="missing", index=region.index[:0])
    roi = rois.at(measuring.images(S2))
    assert roi.flags == {"missing_reference"}
    assert roi.chi_ppb is None
    assert roi.raw_ppb is not None


def test_words():
    assert flags.joined({"small", "post_gd"}) == "post_gd;small"
    assert flags.joined(()) is None
    assert flags.split("post_gd;small") == ("post_gd", "small")
    assert flags.split(None) == ()
    with pytest.raises(KeyError, match="no flag 'green'"):
        flags.joined({"green"})
    assert all(flag.definition.endswith(".") and not flag.title.endswith(".") for flag in flags.FLAGS.values())
