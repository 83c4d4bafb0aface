"""A patient with made images, and a canvas that shows them; mouse and keys as the window gets them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.key_bindings import KeymapHandler

from napari_msqsm.model.grid import Grid
from napari_msqsm.model.lesion import Lesion
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.widgets.workbench.canvas import DrawingCanvas
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workflow.workbench.maps import SessionMap
from napari_msqsm.workspace.drawing.drawing import Drawing
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane

SESSIONS = ("sub-01_ses-01", "sub-01_ses-02", "sub-01_ses-03")
QSM_SHAPE = (40, 48, 14)
FLAIR_SHAPE = (30, 36, 22)
ECHOES = (SimpleNamespace(path="echo", part="mag"),)
CONTRASTS = ("FLAIR", "T1w", "ce-gadolinium_T1w")


def affine(voxel_size_mm, shape, codes="RAS", turn_deg=0.0):
    """Affine whose voxel axes run along the named directions, the middle of the image near 0."""
    columns = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    turned = np.radians(turn_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(turned), -np.sin(turned)], [0, np.sin(turned), np.cos(turned)]])
    out = np.eye(4)
    out[:3, :3] = turn @ np.column_stack([np.array(columns[c]) * s for c, s in zip(codes, voxel_size_mm, strict=True)])
    out[:3, 3] = -out[:3, :3] @ ((np.array(shape) - 1) / 2.0) + (3.0, -2.0, 5.0)
    return out


class MadeMaps:
    """Images of one patient, as the canvas asks `PatientMaps` for them."""

    def __init__(self, codes="RAS", turn_deg=0.0):
        self.sessions = tuple(
            SimpleNamespace(label=label, gre=ECHOES, unusable=(), contrasts=CONTRASTS) for label in SESSIONS
        )
        self.baseline = self.sessions[0]
        self.patient = SimpleNamespace(patient_id="01")
        size = {"R": 0.75, "L": 0.75, "A": 0.75, "P": 0.75, "S": 3.0, "I": 3.0}
        shape = {"R": 40, "L": 40, "A": 48, "P": 48, "S": 14, "I": 14}
        on = tuple(shape[c] for c in codes)
        self.grid = Grid(on, affine([size[c] for c in codes], on, codes, turn_deg))
        self.flair_grid = Grid(FLAIR_SHAPE, affine((1.0, 1.0, 2.0), FLAIR_SHAPE, "LPS"))
        self.lacks = set()

    def session(self, label):
        return next(each for each in self.sessions if each.label == label)

    def map(self, label):
        if label in self.lacks:
            return None
        chi = np.random.default_rng(len(label)).normal(0.0, 0.02, self.grid.shape).astype(np.float32)
        mask = np.ones(self.grid.shape, dtype=bool)
        return SessionMap(chi, mask, self.grid, AffineTransform.identity(), chi, mask)

    def magnitude(self, label):
        return np.full(self.grid.shape, 100.0 + len(label), dtype=np.float32), self.grid

    def contrast(self, _, contrast):
        x, y, z = np.indices(FLAIR_SHAPE)
        lesion = (x - 15) ** 2 + (y - 18) ** 2 + (2 * (z - 11)) ** 2 < 40
        head = 100.0 + 10.0 * np.sin(x / 3.0) + np.random.default_rng(len(contrast)).normal(0.0, 1.0, FLAIR_SHAPE)
        part = {"FLAIR": 100.0, "T1w": 0.0, "ce-gadolinium_T1w": 60.0}.get(contrast)
        return None if part is None else ((head + part * lesion).astype(np.float32), self.flair_grid)

    def transform(self, _, contrast="MEGRE"):
        move = np.eye(4)
        if contrast != "MEGRE":
            move[:3, 3] = (1.5, -2.0, 0.5)
        return AffineTransform(move)


def drawing_of(maps):
    """Three lesions: 1 began at the baseline, 2 at the second session, 3 is new."""
    planes = dict.fromkeys((ONSET, VEIN, NAWM, *(Plane.follow_up(each) for each in SESSIONS[1:])), maps.grid)
    planes |= {Plane.flair(each): maps.flair_grid for each in SESSIONS}
    lesions = [
        Lesion(1, "01-L001", onset_session=SESSIONS[0]),
        Lesion(2, "01-L002", onset_session=SESSIONS[1]),
        Lesion(3, "01-L003", onset_session=SESSIONS[0]),
    ]
    return Drawing("01", planes, lesions=lesions, reader="AB")


def at_once(work, done):
    """Stand in for the reading thread."""
    done(work())


@pytest.fixture
def maps():
    return MadeMaps()


@pytest.fixture
def drawing(maps):
    return drawing_of(maps)


@pytest.fixture
def patient():
    """Makes a drawing and its images, the voxel axes of QSM in a chosen order."""

    def make(codes="RAS", turn_deg=0.0):
        made = MadeMaps(codes, turn_deg)
        return drawing_of(made), made

    return make


@pytest.fixture
def open_on():
    """Opens a patient in a viewer: the QSM of the first session, the first lesion chosen."""
    opened = []

    def open_it(viewer, drawing, maps):
        made = DrawingCanvas(viewer, at_once)
        made.told = []
        made.problem.connect(made.told.append)
        made.open(drawing, maps)
        made.show(Stage.QSM, SESSIONS[0])
        made.select(1)
        opened.append(made)
        return made

    yield open_it
    for made in opened:
        made.close()


class Hand:
    """Moves the mouse over a viewer and presses keys there; no window is needed."""

    def __init__(self, viewer):
        self._viewer = viewer

    def drag(self, points, *, button=1, shift=False, release=True, viewbox=None):
        """Press at the first point (z, y, x), move over the others, let go."""
        self._send(mouse_press_callbacks, "mouse_press", points[0], button, shift, viewbox)
        for point in points[1:]:
            self._send(mouse_move_callbacks, "mouse_move", point, button, shift, viewbox)
        if release:
            self._send(mouse_release_callbacks, "mouse_release", points[-1], button, shift, viewbox)

    def click(self, point, **kwargs):
        """Press and let go."""
        self.drag([point], **kwargs)

    def double_click(self, point, viewbox=None):
        """Click, and click again at once."""
        self.click(point, viewbox=viewbox)
        self._send(mouse_double_click_callbacks, "mouse_double_click", point, 1, False, viewbox)

    def key(self, name):
        """Press a key such as ``Shift-W``."""
        handler = KeymapHandler()
        active = self._viewer.layers.selection.active
        handler.keymap_providers = [self._viewer] if active is None else [active, self._viewer]
        handler.press_key(name)

    def _send(self, callbacks, kind, point, button, shift, viewbox):
        event = SimpleNamespace(
            type=kind,
            position=tuple(float(along) for along in point),
            button=button,
            modifiers=("Shift",) if shift else (),
            is_dragging=kind == "mouse_move",
            viewbox=viewbox,
            handled=False,
            view_direction=None,
            up_direction=None,
            dims_displayed=list(self._viewer.dims.displayed),
            dims_point=list(self._viewer.dims.point),
            pos=(0, 0),
            camera_zoom=1.0,
        )
        wrapped = ReadOnlyWrapper(event, exceptions=("handled",))
        callbacks(self._viewer, wrapped)
        if self._viewer.layers.selection.active is not None:
            callbacks(self._viewer.layers.selection.active, wrapped)


@pytest.fixture
def window(qapp):
    """A viewer without a window, which is all that most of the canvas needs."""
    return ViewerModel()


@pytest.fixture
def canvas(open_on, window, drawing, maps):
    return open_on(window, drawing, maps)


@pytest.fixture
def hand(window):
    return Hand(window)
