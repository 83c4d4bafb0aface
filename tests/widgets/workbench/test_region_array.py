"""Label images as napari takes them, against plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.workbench.region_array import RegionArray
from napari_msqsm.widgets.workbench.regions import Pen, Regions
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.plane import ONSET, Plane

LATER = Plane.follow_up("ses-02")
AFFINES = {
    "RAS": np.diag([1.0, 1.0, 2.0, 1.0]),
    "LPI": np.diag([-1.0, -1.0, -2.0, 1.0]),
    "SRA": np.array([[0, 1.0, 0, 0], [0, 0, 1.0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]]),
    "PIL": np.array([[0, 0, -1.0, 0], [-1.0, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 1]]),
}


@pytest.fixture(params=AFFINES)
def drawing(request):
    grid = Grid((4, 5, 6), AFFINES[request.param])
    lesions = [Lesion(1, "01-L001", onset_session="ses-01"), Lesion(2, "01-L002", onset_session="ses-02")]
    made = Drawing("01", {ONSET: grid, LATER: grid}, lesions=lesions)
    rng = np.random.default_rng(1)
    made.labels(ONSET)[:] = rng.integers(0, 4, grid.shape)
    made.labels(LATER)[:] = rng.integers(0, 2, grid.shape)
    return made


@pytest.fixture
def regions(drawing):
    return Regions(drawing, [LATER, ONSET], lambda label: LATER if label == 1 else ONSET)


def expected(drawing):
    """Lesion 1 where the later plane has it; of the onset plane, all others."""
    later, onset = drawing.labels(LATER), drawing.labels(ONSET)
    return np.where(later == 1, 1, np.where(onset == 1, 0, onset))


KEYS = [
    (2, slice(None), slice(None)),
    (slice(None), 3, slice(None)),
    (slice(1, 3), slice(None, None, 2), slice(2, 5)),
    (slice(3, 4), slice(0, 5), slice(1, 2)),
    (1, 2, 3),
    3,
    (..., 2),
    (np.array([0, 1, 3]), np.array([2, 2, 0]), np.array([1, 3, 0])),
    slice(None),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_reading_is_reading_what_is_seen(drawing, regions, key):
    wanted = to_display(expected(drawing), drawing.grid(ONSET)).data
    array = RegionArray(regions, lambda *_: None)
    assert array.shape == wanted.shape
    assert len(array) == wanted.shape[0]
    np.testing.assert_array_equal(array[key], wanted[key])
    np.testing.assert_array_equal(np.asarray(array), wanted)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_writing_names_the_voxels_of_the_file(drawing, regions, key):
    seen = expected(drawing).astype(np.uint16)
    before = {plane: drawing.labels(plane).copy() for plane in (ONSET, LATER)}
    got = seen.copy()

    def write(index, labels):
        got.ravel()[index] = labels

    RegionArray(regions, write)[key] = 7
    wanted = seen.copy()
    to_display(wanted, drawing.grid(ONSET)).data[key] = 7
    np.testing.assert_array_equal(got, wanted)
    for plane, labels in before.items():
        np.testing.assert_array_equal(drawing.labels(plane), labels)  # whoever is called writes


def test_one_lesion_alone(drawing, regions):
    regions.only = 3
    wanted = to_display(np.where(expected(drawing) == 3, 3, 0), drawing.grid(ONSET)).data
    np.testing.assert_array_equal(RegionArray(regions, lambda *_: None)[:], wanted)
    index = np.arange(4 * 5 * 6)
    np.testing.assert_array_equal(regions.at(index), expected(drawing).ravel())  # hidden ones are protected, too


def test_a_lesion_that_begins_later_moves_to_its_plane(drawing):
    plane = {1: ONSET, 2: ONSET}
    regions = Regions(drawing, [LATER, ONSET], lambda label: plane.get(label, ONSET))
    plane[1] = LATER
    regions.renew()
    np.testing.assert_array_equal(regions.at(np.arange(120)), expected(drawing).ravel())


def test_a_pen_writes_its_own_lesion_only(drawing, regions):
    seen, onset, later = expected(drawing).ravel(), drawing.labels(ONSET).copy(), drawing.labels(LATER).copy()
    pen = Pen()
    everything = np.arange(120)
    assert pen.write(regions, everything, 1).size == 0  # no lesion is chosen
    pen.label = 1
    written = pen.write(regions, everything, 1)
    np.testing.assert_array_equal(np.sort(written), np.flatnonzero(seen == 0))
    np.testing.assert_array_equal(drawing.labels(ONSET), onset)
    assert pen.refused == np.count_nonzero((seen != 0) & (seen != 1))
    assert pen.write(regions, everything, 2).size == 0  # nor can it write another one
    pen.write(regions, everything, 0)
    (change,) = pen.take()
    assert change.plane == LATER
    np.testing.assert_array_equal(change.index, np.flatnonzero(later.ravel() == 1))  # net: what was written is gone
    assert not drawing.labels(LATER).any()
    assert not pen.wrote


def test_a_pen_that_writes_back_has_changed_nothing(drawing, regions):
    pen = Pen()
    pen.label = 3
    free = np.flatnonzero(expected(drawing).ravel() + drawing.labels(ONSET).ravel() == 0)[:5]
    assert pen.write(regions, free, 3, allowed=lambda index: index != free[0]).size == 4
    assert pen.wrote
    pen.write(regions, free, 0)
    assert pen.take() == ()


def test_a_place_that_a_hidden_lesion_has_on_the_plane_stays_its_own(drawing, regions):
    """Lesion 1 has grown smaller later: where it was on the onset plane, its region is kept."""
    freed = np.flatnonzero((drawing.labels(ONSET).ravel() == 1) & (drawing.labels(LATER).ravel() == 0))
    assert freed.size
    pen = Pen()
    pen.label = 3
    assert pen.write(regions, freed, 3).size == 0
