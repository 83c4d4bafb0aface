"""The canvas of the workbench: shows the planes of a drawing, and turns tools into edits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_msqsm.errors import MsqsmError
from napari_msqsm.widgets.viewer_keys import ViewerKeys
from napari_msqsm.widgets.workbench import slice_actions
from napari_msqsm.widgets.workbench.easel import Easel, Where
from napari_msqsm.widgets.workbench.keys import all_keys
from napari_msqsm.widgets.workbench.label_events import LabelEvents
from napari_msqsm.widgets.workbench.mouse import Mouse
from napari_msqsm.widgets.workbench.regions import Pen, Regions
from napari_msqsm.widgets.workbench.screen import Screen
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.widgets.workbench.stage_reader import ReadBeside, StageReader
from napari_msqsm.widgets.workbench.steps import Steps
from napari_msqsm.widgets.workbench.tool import Tool
from napari_msqsm.widgets.workbench.tool_brush import AdaptiveBrushTool
from napari_msqsm.widgets.workbench.tool_propose import ProposeTool
from napari_msqsm.widgets.workbench.tools import LOOK, TOOLS
from napari_msqsm.workspace.drawing.plane import PlaneKind

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_msqsm.widgets.workbench.stage_images import StageImage
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit

FLUSH_MS = 1000
SMALLEST_MM, LARGEST_MM = 0.5, 40.0
_STEP_MM = 0.5
_NEAR_MARK_MM = 3.0
_STEP_OF_PROPOSAL = 0.05
Switch = Literal["in_space", "only", "outlines", "hidden"]


class DrawingCanvas(QObject):
    """Of one window; `open` takes a patient, `close` gives everything back.

    Parameters
    ----------
    viewer
        Where it is drawn.
    read_beside
        Does the first function in another thread, then the second with its result in this one:
        `napari_msqsm.widgets.coordinator.Coordinator.read_beside`.

    Signals
    -------
    picked
        A lesion was clicked, by label.
    edited
        A tool made an edit.
    marked
        A point was marked where a lesion begins, RAS+ mm at the baseline.
    proposal_changed
        Size, 0…1, of the proposal that is shown; below 0 when there is none any more.
    tool_changed, brush_changed
        Another tool, by name; another diameter of the brush in mm.
    stage_changed
        Something else is shown: `stage`, `session`.
    look_changed
        Something of `switches` is on or off.
    problem
        One sentence for the reader.
    next_lesion_requested, next_session_requested
        A key asks for the next one (1) or the one before (−1).
    reviewed_requested
        A key says that the lesion was looked at here.
    """

    picked = Signal(int)
    edited = Signal(object)
    marked = Signal(object)
    proposal_changed = Signal(float)
    tool_changed = Signal(str)
    brush_changed = Signal(float)
    stage_changed = Signal()
    look_changed = Signal()
    problem = Signal(str)
    next_lesion_requested = Signal(int)
    next_session_requested = Signal(int)
    reviewed_requested = Signal()

    def __init__(self, viewer: Viewer, read_beside: ReadBeside) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)  # a plugin is given a proxy of the viewer
        self._read_beside = read_beside
        self.drawing: Drawing | None = None
        self.stage: Stage | None = None
        self.session = ""
        self.tool = LOOK
        self.brush_mm = 3.0
        self.switches: dict[Switch, bool] = dict.fromkeys(get_args(Switch), False)
        """What is switched on."""
        self._background = ""
        self.intensities: tuple[float, float] | None = None
        self._tool: Tool | None = None
        self._easel: Easel | None = None
        self._pen = Pen()
        self._turn = 0
        self._keys = ViewerKeys(self._viewer)
        self._mouse = Mouse(self)
        self._label_events = LabelEvents(self)
        self._timer = QTimer(self)
        self._timer.setInterval(FLUSH_MS)
        self._timer.timeout.connect(self.flush)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._refresh)

    @property
    def is_open(self) -> bool:
        """Whether there is a drawing."""
        return self.drawing is not None

    @property
    def label(self) -> int:
        """Lesion that the tools paint; 0 for none."""
        return self._pen.label

    def open(self, drawing: Drawing, maps: PatientMaps) -> None:
        """Take a patient; nothing is shown before `show`."""
        self.close()
        self.drawing = drawing
        self._pen = Pen()
        self._steps = Steps(drawing, self._pen, self.edited.emit)
        self._reader = StageReader(maps, self._read_beside)
        self.screen = Screen(self._viewer, drawing, maps, self._write, self._label_events.connect)
        drawing.changed.connect(self._on_changed)
        self._mouse.connect(self._viewer)
        for key in all_keys():
            self._keys.bind(key.key, partial(self.act, key.action))
        self._timer.start()

    def close(self) -> None:
        """Take what was drawn, then take off layers, keys, mouse and timer."""
        if self.drawing is None:
            return
        self._turn += 1
        self.set_tool(LOOK)
        self.flush()
        self._timer.stop()
        self._again.stop()
        self._keys.release()
        self._mouse.disconnect(self._viewer)
        self.drawing.changed.disconnect(self._on_changed)
        self.screen.close()
        self.drawing, self.stage, self.session, self._easel = None, None, "", None

    def show(self, stage: Stage, session: str, then: Callable[[], None] | None = None) -> None:
        """Show a stage of a session, at once where its images are there; of several, the last one asked for.

        The view stays at the same place of the patient. ``then`` is called once it is shown.
        """
        if self.drawing is None:
            return
        self.flush()
        self._turn += 1
        turn = self._turn

        def done(images: list[StageImage]) -> None:
            if turn != self._turn or self.drawing is None:
                return
            self._attempt(partial(self._show, stage, session, images))
            if then is not None and (self.stage, self.session) == (stage, session):
                then()

        self._reader.read(stage, session, done, self.problem.emit)

    def forget_images(self) -> None:
        """Read images again when they are next asked for: files have changed."""
        if self.drawing is not None:
            self._reader.forget()

    @property
    def sees(self) -> NDArray[np.float64] | None:
        """(3,) centre of the view in RAS+ mm at the baseline; None while nothing is shown."""
        return None if self.drawing is None else self.screen.sees

    def look_at(self, place_mm: Any) -> None:
        """Move slices and camera to a place, RAS+ mm at the baseline."""
        if self.sees is not None:
            self.screen.look_at(place_mm)

    def select(self, label: int) -> None:
        """Choose the lesion that the tools paint; 0 for none. Others are protected."""
        if self.drawing is None:
            return
        if label != self._pen.label:
            self.flush()
            self._drop()
            self._pen.label = label
        self._renew_look()

    def jump_to(self, label: int, session: str = "") -> None:
        """Bring slices and the centre of the view to a lesion, in a session where one is named."""
        if self.drawing is None or self.stage is None:
            return
        if session and session != self.session and self.stage is not Stage.ALL:
            self.show(self.stage, session, lambda: self.jump_to(label))
            return
        place = self.screen.place_of(label)
        if place is None:
            lesion = self.drawing.lesion(label)
            self.problem.emit(f"{lesion.lesion_id if lesion else 'this lesion'} is not drawn yet")
        else:
            self.screen.look_at(place)

    def set_tool(self, name: str) -> None:
        """Take a tool, by its name in `napari_msqsm.widgets.workbench.tools.TOOLS`."""
        self._drop()
        make = TOOLS[name].make
        self._tool = None if make is None else make()
        if isinstance(self._tool, AdaptiveBrushTool):
            self._tool.between = self.intensities
        changed, self.tool = name != self.tool, name
        if self.stage is not None:
            self.screen.need(name)
            self.screen.layers.activate("lesions")
        self._renew_look()
        if changed:
            self.tool_changed.emit(name)

    def mark(self, point: Any) -> None:
        """Answer a click among T1 images: it selects the lesion that was marked there, or marks a place."""
        if self.screen.frame is None:
            return
        place = self.screen.frame.at_baseline(point)
        marks = self.screen.marks(self.session)
        near = [label for label, each in marks.items() if np.linalg.norm(np.subtract(each, place)) < _NEAR_MARK_MM]
        if near:
            self.picked.emit(near[0])
        else:
            self.marked.emit(tuple(float(along) for along in place))

    def look_with_napari(self, layer: Layer) -> None:
        """Leave the mouse to a tool of napari's own, which the reader took for a layer."""
        mode = layer.mode
        self.set_tool(LOOK)
        layer.mode = mode

    @property
    def current_tool(self) -> Tool | None:
        """The tool that is taken; None for looking."""
        return self._tool

    @property
    def easel(self) -> Easel | None:
        """What tools work on; None where nothing can be drawn."""
        return self._easel

    def set_brush_mm(self, diameter_mm: float) -> None:
        """Set the diameter of the brush."""
        diameter_mm = float(np.clip(diameter_mm, SMALLEST_MM, LARGEST_MM))
        changed, self.brush_mm = diameter_mm != self.brush_mm, diameter_mm
        self._renew_look()
        if changed:
            self.brush_changed.emit(diameter_mm)

    def set_proposal_size(self, size: float) -> None:
        """Make what is proposed smaller or larger, 0…1."""
        if isinstance(self._tool, ProposeTool) and self._easel is not None:
            self._tool.set_size(self._easel, size)

    def set_intensities(self, between: tuple[float, float] | None) -> None:
        """Let the adaptive brush paint between two intensities, in the unit of the image; None: learnt near it."""
        self.intensities = between
        if isinstance(self._tool, AdaptiveBrushTool):
            self._tool.between = between

    def accept(self) -> None:
        """Carry out what is proposed, close a polygon."""
        self._with_tool("accept")

    def drop(self) -> None:
        """Forget what is proposed or begun."""
        self._with_tool("drop")

    def interpolate(self) -> None:
        """Fill the slices of the lesion between those that were drawn."""
        if self._easel is not None:
            self._attempt(partial(slice_actions.interpolate, self._easel, self.screen.axis))

    def copy_slice(self, step: int) -> None:
        """Copy the lesion of the slice that is seen to the next one (1) or the one before (−1), and go there."""
        if self._easel is not None:
            self._attempt(partial(self._copy_slice, self._easel, step))

    def set_3d(self, in_space: bool) -> None:
        """Let brushes paint balls in space, or discs in the slice."""
        self.switch("in_space", in_space)

    def only_current(self, only: bool) -> None:
        """Show the chosen lesion alone, or all."""
        self.switch("only", only)

    def outlines(self, outlines: bool) -> None:
        """Show outlines, or areas."""
        self.switch("outlines", outlines)

    def switch(self, name: Switch, on: bool) -> None:
        """Switch something of `switches`."""
        if self.switches[name] != on:
            self.switches[name] = on
            self._renew_look()
            self.look_changed.emit()

    def next_image(self) -> None:
        """Show another image of the session on the same grid: χ, FLAIR, magnitude, and χ again."""
        if self._easel is None:
            return
        roles = self.screen.backgrounds
        if len(roles) == 1:
            self.problem.emit(f"{self.session} has no other image that is aligned to this one")
            return
        self._background = roles[(roles.index(self._background) + 1) % len(roles)]
        self.screen.under(self._background)

    def undo(self) -> None:
        """Take the last step back, whatever it was, and go where it was."""
        if self.drawing is not None:
            self.flush()
            self._drop()
            self._attempt(self._steps.undo)

    def redo(self) -> None:
        """Do again what was taken back, and go where it is."""
        if self.drawing is not None:
            self.flush()
            self._drop()
            self._attempt(self._steps.redo)

    def flush(self) -> None:
        """Take what a stroke that goes on has painted so far; called each second, too."""
        if self.drawing is not None and self._pen.wrote:
            self._attempt(partial(self._steps.flush, TOOLS[self.tool].title.lower()))

    def finish(self, title: str) -> None:
        """Make what was painted since the last time one step."""
        if self.drawing is not None:
            self._attempt(partial(self._steps.finish, title))

    def act(self, action: str) -> None:
        """Do what a key stands for, see `napari_msqsm.widgets.workbench.keys.KEYS`."""
        kind, _, name = action.partition(" ")
        if kind == "tool":
            self.set_tool(name)
        elif kind in {"next", "previous"}:
            signal = self.next_lesion_requested if name == "lesion" else self.next_session_requested
            signal.emit(1 if kind == "next" else -1)
        elif name == "brush":
            self._step_size(1 if kind == "larger" else -1)
        elif action == "switch stage":
            self.show(Stage.FLAIR if self.stage is Stage.QSM else Stage.QSM, self.session)
        elif action == "switch image":
            self.next_image()
        elif kind == "switch":
            on: Switch = next(each for each in self.switches if each == name)
            self.switch(on, not self.switches[on])
        elif kind == "reviewed":
            self.reviewed_requested.emit()
        elif kind == "copy":
            self.copy_slice(1 if name == "next" else -1)
        else:
            simple = {each.__name__: each for each in (self.accept, self.drop, self.interpolate, self.undo, self.redo)}
            simple[kind]()

    def _step_size(self, sign: int) -> None:
        if isinstance(self._tool, ProposeTool) and self._tool.proposes:
            self.set_proposal_size(self._tool.size + sign * _STEP_OF_PROPOSAL)
        else:
            self.set_brush_mm(self.brush_mm + sign * _STEP_MM)

    def _copy_slice(self, easel: Easel, step: int) -> None:
        axis, source, target = self.screen.slices(step)
        if slice_actions.copy_slice(easel, axis, source, target):
            self.screen.step_slice(step)

    def _with_tool(self, what: str) -> None:
        if self._tool is not None and self._easel is not None:
            self._attempt(partial(getattr(self._tool, what), self._easel))

    def _drop(self) -> None:
        """End what a tool has begun."""
        self._with_tool("drop")

    def _attempt(self, work: Callable[[], object]) -> None:
        """Do something that may be refused; the reader is told why."""
        try:
            work()
        except MsqsmError as error:
            self.problem.emit(str(error))
            self._refresh()

    def _show(self, stage: Stage, session: str, images: list[StageImage]) -> None:
        self._drop()
        self.screen.show(stage, session, images)
        self.stage, self.session = stage, session
        self._easel = None
        if "lesions" in self.screen.regions and self.drawing is not None:
            where: dict[Where, Regions] = {
                key: self.screen.regions[key] for key in get_args(Where) if key in self.screen.regions
            }
            self._easel = Easel(
                self.drawing,
                self._pen,
                where,
                self.screen.image,
                refresh=self.screen.layers.refresh,
                preview=self.screen.propose,
                proposed=lambda size: self.proposal_changed.emit(-1.0 if size is None else size),
                beside=self._read_beside,
                finish=self.finish,
                tell=self.problem.emit,
            )
        self._renew_look()
        if self._easel is not None:
            self._background = self.screen.backgrounds[0]
            self.screen.under(self._background)
        self.stage_changed.emit()
        for image in images:
            for note in image.notes:
                self.problem.emit(note)

    def _renew_look(self) -> None:
        """Bring layers, cursor and easel up to date with what is chosen."""
        if self.drawing is None or self.stage is None:
            return
        self.screen.only(self._pen.label if self.switches["only"] else 0)
        self.screen.layers.set_contour(1 if self.switches["outlines"] else 0)
        self.screen.layers.set_hidden(self.switches["hidden"])
        self._label_events.renew(self.screen.layers.label_layers)
        self._mouse.hold_camera()
        if self._easel is not None:
            self._easel.radius_mm = self.brush_mm / 2.0
            self._easel.in_space = self.switches["in_space"]

    def _write(self, regions: Regions, index: NDArray[np.int64], labels: NDArray[np.uint16]) -> None:
        """Take what napari's own tools, or somebody else, write to a layer; what they may not is shown as it is."""
        changed = self._pen.write(regions, index, labels)
        if changed.size < index.size:
            self._again.start(0)

    def _refresh(self) -> None:
        if self.drawing is not None:
            self.screen.refresh()

    def _on_changed(self, edit: Edit, how: str) -> None:
        if self.drawing is None or self.stage is None:
            return
        if edit.lesions:
            if self._pen.label and self.drawing.lesion(self._pen.label) is None:
                self._pen.label = 0
                self._renew_look()
            self.screen.renew()
            if self.stage is Stage.ONSET:
                self.screen.renew_marks(self.session)
        else:
            self.screen.refresh({change.plane for change in edit.voxels})
        self.screen.need_planes({change.plane for change in edit.voxels})
        if how == "do":
            return
        away = self.screen.plane_out_of_sight(edit)
        if away is None:
            self.screen.bring_into_view(edit)
        else:
            stage = Stage.FLAIR if away.kind is PlaneKind.FLAIR else Stage.QSM
            self.show(stage, away.session or self.session, lambda: self.screen.bring_into_view(edit))
