"""One pair of images in the viewer: ways to compare them, and nudging one of them by keys and mouse."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_msqsm.widgets.comparison_layers import ComparisonLayers
from napari_msqsm.widgets.look import Look, look_of, set_look, set_point
from napari_msqsm.widgets.nudge_keys import FAR, MODE_KEYS, NUDGE_STEPS, SWAP_KEY, UNDO_KEY, Mode, Step
from napari_msqsm.widgets.screen_frame import ScreenFrame, swept
from napari_msqsm.widgets.viewer_keys import ViewerKeys
from napari_msqsm.workflow.inspect_pair.nudge import motion_between, shifted, turned

if TYPE_CHECKING:
    from napari import Viewer

    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.inspect_pair.pictures import PairPictures

FLICKER_MS = 600
_LEFT_BUTTON = 1


class InspectView(QObject):
    """Compares two images until `close`.

    Parameters
    ----------
    viewer
        Where it is shown.
    pictures
        The pair, in screen order of the fixed grid.
    fixed_name, moving_name
        Names of the images.

    Signals
    -------
    shown_changed
        Another image, or another way to compare, is on the screen.
    transform_changed
        The picture was moved.
    layer_removed
        The user took one of the layers off.
    """

    shown_changed = Signal()
    transform_changed = Signal()
    layer_removed = Signal()

    def __init__(self, viewer: Viewer, pictures: PairPictures, fixed_name: str, moving_name: str) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)  # a plugin is given a proxy of the viewer
        self._pictures = pictures
        self.names = (fixed_name, moving_name)
        self.mode: Mode = "flicker"
        self.shows_moving = False
        self.step_mm = 0.5
        self.step_deg = 0.5
        self._start = pictures.transform
        self._before: list[AffineTransform] = []
        self._screen = ScreenFrame(self._viewer, pictures.grid)
        self._nudging = False
        self._layers = ComparisonLayers(self._viewer, pictures, fixed_name, moving_name)
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._timer = QTimer(self)
        self._timer.setInterval(FLICKER_MS)
        self._timer.timeout.connect(self.swap)
        self._keys = ViewerKeys(self._viewer)
        for key, mode in MODE_KEYS.items():
            self._keys.bind(key, partial(self.show, mode))
        self._keys.bind(SWAP_KEY, self._swap_by_hand)
        self._nudge_keys = ViewerKeys(self._viewer)
        self._look_at_middle()
        self.show("flicker")

    @property
    def layers(self) -> ComparisonLayers:
        """The layers."""
        return self._layers

    @property
    def transform(self) -> AffineTransform:
        """Fixed → moving scanner position, as the images are shown now."""
        return self._pictures.transform

    @property
    def was_moved(self) -> bool:
        """Whether the picture does not lie where it was at first."""
        return self.transform != self._start

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    @property
    def nudging(self) -> bool:
        """Whether keys and mouse move the picture."""
        return self._nudging

    def motion(self) -> tuple[float, float]:
        """How far the picture was moved in the middle of the head in mm, and turned in degrees."""
        shift_mm, angle_deg = motion_between(self._start, self.transform, self._pictures.centre_mm)
        return float(np.linalg.norm(shift_mm)), angle_deg

    def show(self, mode: Mode) -> None:
        """Compare in this way."""
        self.mode = mode
        self._layers.show(mode)
        self.shows_moving = False
        if mode == "flicker":
            self._layers.show_moving(False)
            self._timer.start()
        else:
            self._timer.stop()
        self.shown_changed.emit()

    def swap(self) -> None:
        """Show the other image."""
        self.shows_moving = not self.shows_moving
        self._layers.show_moving(self.shows_moving)
        self.shown_changed.emit()

    def set_interval(self, ms: int) -> None:
        """Time for which each image is shown."""
        self._timer.setInterval(ms)

    def set_nudging(self, nudging: bool) -> None:
        """Let keys and mouse move the picture, or not."""
        if nudging == self._nudging:
            return
        self._nudging = nudging
        active_changed = self._viewer.layers.selection.events.active
        if nudging:
            self._layers.activate()
            active_changed.connect(self._hold_camera)
            for key, step in NUDGE_STEPS.items():
                self._nudge_keys.bind(key, partial(self.nudge, step))
                self._nudge_keys.bind(f"Alt-{key}", partial(self.nudge, step, FAR))
            self._nudge_keys.bind(UNDO_KEY, self.undo)
            self._viewer.mouse_drag_callbacks.append(self._on_drag)
        else:
            active_changed.disconnect(self._hold_camera)
            self._nudge_keys.release()
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        self._hold_camera()

    def nudge(self, step: Step, times: float = 1.0) -> None:
        """Move or turn the picture by one step, as it is seen on the screen; in three dimensions it stays."""
        if self._viewer.dims.ndisplay != 2:
            return
        axes = self._screen.axes()
        if step.kind == "move":
            after = shifted(self.transform, times * step.sign * self.step_mm * axes[step.axis])
        else:
            # about the line of sight, positive is clockwise: from across to down
            axis = np.cross(axes["across"], axes["down"]) if step.axis == "through" else axes[step.axis]
            after = turned(self.transform, axis, times * step.sign * self.step_deg, self._screen.centre_mm())
        self._move_to(after)

    def undo(self) -> None:
        """Take the last step back."""
        if self._before:
            self._put(self._before.pop())

    def reset(self) -> None:
        """Put the picture back where it was at first; this can be taken back too."""
        if self.was_moved:
            self._move_to(self._start)

    def begin_at(self, transform: AffineTransform) -> None:
        """Show the pair under another transform, such as a refined one; *Reset* comes back to it from now on."""
        self._start = transform
        if transform != self.transform:
            self._move_to(transform)
        self.transform_changed.emit()

    @property
    def look(self) -> tuple[Mode, Look]:
        """What is looked at, and how."""
        return self.mode, look_of(self._viewer)

    def look_as(self, look: tuple[Mode, Look]) -> None:
        """Look at the same place in the same way as at another pair."""
        set_look(self._viewer, look[1])
        self.show(look[0])

    def close(self) -> None:
        """Take off layers, keys and timer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._timer.stop()
        self.set_nudging(False)
        self._keys.release()
        self._layers.remove()

    def _swap_by_hand(self) -> None:
        if self.mode != "flicker":
            self.show("flicker")
        self._timer.stop()
        self.swap()

    def _move_to(self, transform: AffineTransform) -> None:
        self._before.append(self.transform)
        self._put(transform)

    def _put(self, transform: AffineTransform) -> None:
        self._pictures.transform = transform
        if self.mode == "flicker" and not self.shows_moving:
            self._swap_by_hand()  # what moves should be seen
        self._layers.refresh()
        self.transform_changed.emit()

    def _on_removed(self, event: Any) -> None:
        if event.value in self._layers:
            self.layer_removed.emit()

    def _hold_camera(self, _: object = None) -> None:
        """Let the mouse drag the picture and not the view; each layer that becomes active frees the view again."""
        self._viewer.scene.camera.mouse_pan = not self._nudging

    def _on_drag(self, _: Viewer, event: Any) -> Iterator[None]:
        """Move the picture with the mouse; with Shift, turn it in the plane."""
        if event.button != _LEFT_BUTTON or self._viewer.dims.ndisplay != 2:
            return
        at_press, centre = self._screen.place_mm(event.position[-3:]), self._screen.centre_mm()
        before, axes = self.transform, self._screen.axes()
        turning = "Shift" in event.modifiers
        yield
        if event.type != "mouse_move":
            return
        self._before.append(before)
        while event.type == "mouse_move":
            now = self._screen.place_mm(event.position[-3:])
            if turning:
                after = turned(before, *swept(at_press - centre, now - centre, axes), centre)
            else:
                after = shifted(before, now - at_press)
            self._put(after)
            yield

    def _look_at_middle(self) -> None:
        """Show the middle of the fixed image."""
        layer = self._layers.layer("fixed")
        middle = (np.array(layer.data.shape) - 1) / 2.0 * layer.scale[-3:] + layer.translate[-3:]
        set_point(self._viewer, middle)
        self._viewer.reset_view()
