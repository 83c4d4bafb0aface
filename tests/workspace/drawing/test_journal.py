"""The journal: every step comes back, whatever is cut from its end or damaged in it."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_msqsm.model.lesion import FollowUp, Lesion
from napari_msqsm.workspace.drawing.edit import Edit, FollowUpChange, LesionChange, VoxelChange
from napari_msqsm.workspace.drawing.frames import Chain, framed, unframed
from napari_msqsm.workspace.drawing.journal import Journal
from napari_msqsm.workspace.drawing.plane import ONSET, Plane
from napari_msqsm.workspace.drawing.record import decode, encode
from napari_msqsm.workspace.drawing.segment import read_segment, replay, segments_in, without_first
from workflow.drawing.small_patient import PLANES, content, draw_at_random, history
from workspace.drawing.small_drawing import small


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """Close every journal at the end."""
    begun, begin = [], Journal.begin
    monkeypatch.setattr(Journal, "begin", lambda self, *args: (begun.append(self), begin(self, *args))[1])
    yield
    for journal in begun:
        journal.close()


def journaled(folder, seed=0, n=25, history_from=0):
    """Drawing with a journal, and its content and history after each step that was written down."""
    drawing, journal, rng = small(), Journal(folder), np.random.default_rng(seed)
    for _ in range(history_from):
        draw_at_random(drawing, rng)
    journal.begin({"files": {}}, (drawing.history.done, drawing.history.undone))
    states = [(content(drawing), history(drawing))]
    drawing.record = lambda edit, how: (
        journal.add(how, edit, "AB"),
        states.append((content(drawing), history(drawing))),
    )
    while len(states) <= n:
        draw_at_random(drawing, rng)
    journal.flush()
    return drawing, journal, states


def came_back(path):
    segment, drawing = read_segment(path), small()
    replay(drawing, segment)
    return len(segment.steps), (content(drawing), history(drawing))


_QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_QUICK
@given(st.integers(0, 2**32 - 1))
def test_planes_lesions_and_history_come_back(tmp_path_factory, seed):
    drawing, journal, states = journaled(tmp_path_factory.mktemp("j"), seed)
    n, back = came_back(journal.path)
    assert n == journal.n_steps
    assert back == states[-1] == (content(drawing), history(drawing))


def test_steps_of_before_can_be_taken_back_as_well(tmp_path):
    drawing, journal, _ = journaled(tmp_path, 3, n=8, history_from=20)
    assert read_segment(journal.path).done
    back = small()
    for plane in PLANES:  # the files, as they were when the segment began
        back.labels(plane)[...] = drawing.labels(plane)
    replay(back, read_segment(journal.path))
    assert history(back) == history(drawing)
    while drawing.undo():
        back.undo()
    assert [back.labels(plane).any() for plane in PLANES] == [False] * len(PLANES)


def test_a_journal_that_is_cut_anywhere_gives_all_whole_steps(tmp_path):
    _, journal, states = journaled(tmp_path, 1, n=8)
    data, path = journal.path.read_bytes(), tmp_path / "cut"
    whole = -1
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        segment = read_segment(path)
        if segment is None:
            assert whole == -1
            continue
        assert (segment.n_dropped_bytes == 0) == (unframed(data[:length])[1] == length)
        n = len(segment.steps)
        if n > whole:
            assert n == whole + 1
            assert came_back(path) == (n, states[n])
        whole = max(n, whole)
        assert n == whole
    assert whole == journal.n_steps


@settings(_QUICK, max_examples=60)
@given(st.data())
def test_damage_takes_what_follows_and_nothing_else(tmp_path_factory, data):
    _, journal, states = journaled(tmp_path_factory.mktemp("j"), 2, n=8)
    content_now = bytearray(journal.path.read_bytes())
    at = data.draw(st.integers(0, len(content_now) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=40))
    content_now[at : at + len(noise)] = noise
    journal.path.write_bytes(content_now)
    if read_segment(journal.path) is not None:
        n, back = came_back(journal.path)
        assert back == states[n]


@settings(_QUICK, max_examples=60)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_without_an_exception(tmp_path_factory, noise, with_magic):
    path = tmp_path_factory.mktemp("j") / "noise"
    path.write_bytes(framed([], Chain()) + noise if with_magic else noise)
    assert read_segment(path) is None


def test_a_record_of_another_version_is_where_reading_ends(tmp_path):
    path, chain = tmp_path / "new", Chain()
    path.write_bytes(
        framed([b'H{"files": {}}', b'U{"by": "A", "at": "x"}', b"?what", b'U{"by": "A", "at": "x"}'], chain)
    )
    segment = read_segment(path)
    assert len(segment.steps) == 1
    assert segment.n_dropped_bytes > 0


_LABELS = st.integers(0, 65535)
_TEXT = st.text(max_size=12)
_POINT = st.none() | st.tuples(*[st.floats(allow_nan=False)] * 3)
_LESION = st.builds(
    Lesion,
    st.integers(1, 65535),
    _TEXT,
    _TEXT,
    st.sampled_from([None, "new"]),
    _POINT,
    central_vein=st.none() | st.booleans(),
    note=_TEXT,
)
_STATE = st.builds(FollowUp, st.integers(1, 65535), _TEXT, _TEXT, shift_mm=_POINT)


@settings(_QUICK, max_examples=60)
@given(
    _TEXT,
    st.lists(st.dictionaries(st.integers(0, 2**40), st.tuples(_LABELS, _LABELS), max_size=20), max_size=3),
    st.lists(st.tuples(st.none() | _LESION, st.none() | _LESION), max_size=3),
    st.lists(st.tuples(st.none() | _STATE, st.none() | _STATE), max_size=3),
)
def test_an_edit_is_the_same_after_bytes(title, voxels, lesions, states):
    changes = tuple(
        VoxelChange(
            Plane.flair("sub-01_ses-01") if number else ONSET,
            np.array(list(voxel), dtype=np.int64),
            np.array([before for before, _ in voxel.values()], np.uint16),
            np.array([after for _, after in voxel.values()], np.uint16),
        )
        for number, voxel in enumerate(voxels)
    )
    edit = Edit(
        title, changes, tuple(LesionChange(*s) for s in lesions), tuple(FollowUpChange(*s) for s in states), "A", "B"
    )
    back = decode(encode(edit))
    assert (back.title, back.by, back.at, back.lesions, back.follow_ups) == (
        title,
        "A",
        "B",
        edit.lesions,
        edit.follow_ups,
    )
    for one, other in zip(edit.voxels, back.voxels, strict=True):
        assert one.plane == other.plane
        for name in ("index", "before", "after"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            assert getattr(one, name).dtype == getattr(other, name).dtype


def test_a_new_segment_takes_the_place_of_the_old_one_and_goes_on(tmp_path):
    drawing, journal, states = journaled(tmp_path, 4, n=10)
    old = journal.path
    middle = without_first(read_segment(old), 6)
    assert (middle.n_left_out, len(middle.steps)) == (6, 4)
    journal.begin({"files": {"a": ["x", []]}}, (middle.done, middle.undone), middle.steps)
    assert segments_in(tmp_path) == [journal.path]
    assert not old.exists()
    rng = np.random.default_rng(1)
    for _ in range(5):
        draw_at_random(drawing, rng)
    segment = read_segment(journal.path)
    assert segment.head["files"] == {"a": ["x", []]}
    assert len(segment.steps) == journal.n_steps > 4
    assert not list(tmp_path.glob(".part-*"))
    after_six = small()
    after_six.history.replace(middle.done, middle.undone)
    assert history(after_six) == states[6][1]


class FullDisk:
    """Lets some bytes through, then none."""

    def __init__(self, monkeypatch, journal, n_bytes):
        self.left, self.stream = n_bytes, journal._stream
        monkeypatch.setattr(journal, "_stream", self)

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, data):
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        n = self.stream.write(data[: self.left])
        self.left -= n
        return n


@pytest.mark.parametrize("room", [0, 1, 50, 300])
def test_what_a_full_disk_does_not_take_goes_later(tmp_path, monkeypatch, room):
    drawing, journal, states = journaled(tmp_path, 5, n=5)
    disk = FullDisk(monkeypatch, journal, room)
    rng = np.random.default_rng(2)
    for _ in range(12):
        draw_at_random(drawing, rng)
    with pytest.raises(OSError, match="No space left"):
        journal.flush()
    n, back = came_back(journal.path)
    assert back == states[n]
    assert n < len(states) - 1
    disk.left = 10**9
    journal.flush()
    n, back = came_back(journal.path)
    assert (n, back) == (len(states) - 1, states[-1])
