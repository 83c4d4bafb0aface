"""What of a drawing is on the screen: frames, regions and layers of the stage that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.look import look_of, set_point
from napari_msqsm.widgets.workbench.drawing_layers import DrawingLayers, LabelImage, MarkImage, Part
from napari_msqsm.widgets.workbench.frame import Frame
from napari_msqsm.widgets.workbench.places import is_in_view, voxels_of, widest_place
from napari_msqsm.widgets.workbench.region_array import RegionArray
from napari_msqsm.widgets.workbench.regions import Regions
from napari_msqsm.widgets.workbench.side_by_side import SideBySide
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.widgets.workbench.stage_images import StageImage
from napari_msqsm.workspace.drawing.plane import NAWM, ONSET, VEIN, Plane, PlaneKind

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workspace.drawing.drawing import Drawing
    from napari_msqsm.workspace.drawing.edit import Edit

Write = Callable[[Regions, "NDArray[np.int64]", "NDArray[np.uint16]"], None]


class Screen:
    """Of one patient.

    Parameters
    ----------
    viewer
        The viewer itself, not a proxy of it.
    drawing, maps
        Of the patient.
    write
        Called with regions, flat index and labels where napari's own tools, or somebody else, write to a layer.
    on_layer
        Called with every new layer of labels.

    Attributes
    ----------
    regions : dict
        What is shown, by the key of its layer: ``lesions``, ``vein``, ``nawm``, or ``lesions`` with a session.
    frame : Frame or None
        Where the images are; None before anything is shown.
    image : NDArray or None
        (X, Y, Z) values that are drawn on.
    """

    def __init__(
        self, viewer: Viewer, drawing: Drawing, maps: PatientMaps, write: Write, on_layer: Callable[[Layer], None]
    ) -> None:
        self._viewer, self._drawing, self._maps, self._write = viewer, drawing, maps, write
        self.layers = DrawingLayers(viewer, on_layer)
        self.regions: dict[str, Regions] = {}
        self.frame: Frame | None = None
        self.image: NDArray[np.float32] | None = None
        self._order = [each.label for each in maps.sessions]
        self._side_by_side = SideBySide(viewer)
        self._proposed = np.zeros((0, 0, 0), dtype=np.uint8)
        self._shown_proposal = np.empty(0, dtype=np.int64)
        self._images: dict[str, StageImage] = {}

    def show(self, stage: Stage, session: str, images: list[StageImage]) -> None:
        """Show images and what is drawn on them, at the place of the patient that is seen now.

        Raises
        ------
        InputError
            When there is no plane to draw on.
        """
        first, sees, look = self.frame is None, self.sees, look_of(self._viewer)
        regions = self._regions(stage, session, images)
        frame = Frame(images[-1].grid, images[-1].from_baseline)
        parts: list[Part] = []
        shown = images[-1:] if "lesions" in regions else images
        for image in reversed(shown):  # the first view is that of the topmost ones
            parts.append(image)
            if f"lesions {image.session}" in regions:
                parts.append(self._label_image(f"lesions {image.session}", regions))
            elif stage is Stage.ONSET:
                parts.append(self._marks(image, session, frame))
        some = {"lesions", *(key for key in ("nawm", "vein") if key in regions and self._is_used(regions[key]))}
        parts += [self._label_image(key, regions) for key in ("lesions", "nawm", "vein") if key in {*regions} & some]
        self._shown_proposal = np.empty(0, dtype=np.int64)
        columns = self._side_by_side.columns
        self._side_by_side.leave()
        self.layers.show(parts)
        self.regions, self.frame = regions, frame
        self._images = {image.key: image for image in images}
        self.image = images[-1].values if "lesions" in regions else None
        if "lesions" not in regions:
            self._side_by_side.enter(2, (1, 3) if stage is Stage.ONSET else (-1, -1))
        self.layers.activate("lesions" if "lesions" in regions else images[0].key)
        dims = self._viewer.dims
        if first:
            set_point(self._viewer, frame.screen((np.array(frame.grid.shape) - 1) / 2.0))
            self._viewer.reset_view()
        else:
            dims.order = (*range(dims.ndim - 3), *(axis + dims.ndim for axis in look.order))
            self._viewer.scene.camera.zoom = look.zoom * columns / self._side_by_side.columns
        self.look_at(frame.at_baseline(dims.point) if sees is None else sees)

    def close(self) -> None:
        """Take everything off."""
        self._side_by_side.leave()
        self.layers.remove()
        self.regions, self.frame, self.image = {}, None, None

    @property
    def axis(self) -> int:
        """Axis of the image, 0…2 for X, Y, Z, perpendicular to the slices that are seen."""
        assert self.frame is not None
        return self.frame.voxel_axis(int(self._viewer.dims.order[-3]) - self._viewer.dims.ndim)

    @property
    def sees(self) -> NDArray[np.float64] | None:
        """(3,) centre of the view in RAS+ mm at the baseline; None while nothing is shown."""
        if self.frame is None:
            return None
        dims = self._viewer.dims
        point = np.array(dims.point[-3:], dtype=np.float64)
        if dims.ndisplay == 2:
            down, across = (int(axis) - dims.ndim for axis in dims.order[-2:])
            point[down], point[across] = self._viewer.scene.camera.center[-2:]
        return self.frame.at_baseline(point)

    def look_at(self, place_mm: Any) -> None:
        """Move slices and camera to a place, RAS+ mm at the baseline; slices stop at the middle of a voxel."""
        assert self.frame is not None
        point = self.frame.from_baseline(place_mm)
        last = np.array(self.frame.grid.shape) - 1
        voxel = np.clip(np.floor(self.frame.voxel(point) + 0.5), 0, last)
        set_point(self._viewer, self.frame.screen(voxel))
        dims, camera = self._viewer.dims, self._viewer.scene.camera
        down, across = (int(axis) - dims.ndim for axis in dims.order[-2:])
        camera.center = (camera.center[0], float(point[down]), float(point[across]))

    def slices(self, step: int) -> tuple[int, int, int]:
        """Axis of the image perpendicular to what is seen, the slice that is seen, and one some steps further."""
        assert self.frame is not None
        axis, along = self.axis, int(self._viewer.dims.order[-3]) - self._viewer.dims.ndim
        point = np.array(self._viewer.dims.point[-3:], dtype=np.float64)
        here = int(np.floor(self.frame.voxel(point)[axis] + 0.5))
        point[along] += 1.0
        forwards = 1 if self.frame.voxel(point)[axis] > self.frame.voxel(self._viewer.dims.point)[axis] else -1
        return axis, here, here + forwards * step

    def step_slice(self, step: int) -> None:
        """Go some slices further; the camera stays."""
        assert self.frame is not None
        axis, _, target = self.slices(step)
        voxel = self.frame.voxel(self._viewer.dims.point)
        voxel[axis] = target
        set_point(self._viewer, self.frame.screen(voxel))

    def place_of(self, label: int) -> NDArray[np.float64] | None:
        """(3,) middle of a lesion, RAS+ mm at the baseline, in the slice where it is largest; None when not drawn.

        Where it is not drawn on what is shown: from the onset plane, the FLAIR of its onset, or where it was marked.
        """
        lesion = self._drawing.lesion(label)
        planes = [regions.plane_of(label) for key, regions in self.regions.items() if key.startswith("lesions")][:1]
        planes.append(ONSET)
        if lesion is not None and Plane.flair(lesion.onset_session) in self._drawing.planes:
            planes.append(Plane.flair(lesion.onset_session))
        for plane in planes:
            index = self._drawing.voxels(plane, label)
            if index.size:
                frame = self._frame_of(plane)
                axis = frame.voxel_axis(int(self._viewer.dims.order[-3]) - self._viewer.dims.ndim)
                place = widest_place(voxels_of(index, frame.grid.shape), axis)
                return frame.at_baseline(frame.screen(place))
        if lesion is None or lesion.onset_point_mm is None:
            return None
        return np.array(lesion.onset_point_mm)

    def label_at(self, point: Any, viewbox: tuple[int, int] | None = None) -> int:
        """Lesion that is seen at a point of the viewer; 0 for none."""
        session = self.session_at(viewbox)
        regions = self.regions.get(f"lesions {session}" if session else "lesions")
        if regions is None or self.frame is None:
            return 0
        voxel = np.floor(self.frame.voxel(point) + 0.5).astype(int)
        if np.any(voxel < 0) or np.any(voxel >= regions.grid.shape):
            return 0
        return int(regions.seen([array[tuple(voxel)] for array in regions.arrays]))

    def session_at(self, viewbox: tuple[int, int] | None) -> str:
        """Session that a view of `Stage.ALL` shows; empty where there is one view."""
        layers = [self._viewer.layers[index] for index in self._side_by_side.cell(viewbox)]
        keys = [key.split(" ", 1) for key in self.regions if self.layers.layer(key) in layers]
        return next((key[1] for key in keys if len(key) > 1), "")

    def plane_out_of_sight(self, edit: Edit) -> Plane | None:
        """Plane of an edit that is not shown at all; None where some of it is, or it has no voxels."""
        shown = {plane for regions in self.regions.values() for plane in regions.planes}
        planes = [change.plane for change in edit.voxels]
        return None if not planes or shown & set(planes) else planes[0]

    def bring_into_view(self, edit: Edit) -> None:
        """Go where an edit changed something, unless some of it is seen already."""
        shown = {plane for regions in self.regions.values() for plane in regions.planes}
        changes = [change for change in edit.voxels if change.plane in shown]
        if not changes or self.frame is None:
            return
        shape = self.frame.grid.shape
        all_voxels = [voxels_of(change.index, shape) for change in changes]
        layer = self.layers.label_layers[0]
        corners = np.asarray(layer.corner_pixels, dtype=np.float64)[:, -3:]
        if any(is_in_view(each, self.frame, self.axis, self._viewer.dims.point, corners) for each in all_voxels):
            return
        self.look_at(self.frame.at_baseline(self.frame.screen(widest_place(all_voxels[0], self.axis))))

    def refresh(self, planes: set[Plane] | None = None) -> None:
        """Show again what is drawn on some planes; all when not given."""
        for key, regions in self.regions.items():
            if planes is None or planes & set(regions.planes):
                self.layers.refresh(key)

    def renew(self) -> None:
        """Look again at which lesion belongs to which plane."""
        for regions in self.regions.values():
            regions.renew()
        self.refresh()

    def only(self, label: int) -> None:
        """Show one lesion alone; 0 shows all."""
        for key, regions in self.regions.items():
            if regions.only != label:
                regions.only = label
                self.layers.refresh(key)

    def propose(self, index: NDArray[np.int64]) -> None:
        """Show voxels, by flat index, as a proposal; none takes it off."""
        if self.frame is None or (index.size == 0 and self.layers.layer("preview") is None):
            return
        if self.layers.layer("preview") is None:
            self._proposed = np.zeros(self.frame.grid.shape, dtype=np.uint8)
            self._shown_proposal = np.empty(0, dtype=np.int64)
            data = to_display(self._proposed, self.frame.grid).data
            self.layers.add(LabelImage("preview", "proposal", "preview", data, self.frame.grid))
        self._proposed.ravel()[self._shown_proposal] = 0
        self._proposed.ravel()[index] = 1
        self._shown_proposal = index
        self.layers.refresh("preview")

    def need(self, key: str) -> None:
        """Show veins or reference regions from now on, where they can be shown."""
        if key in self.regions and self.layers.layer(key) is None:
            self.layers.add(self._label_image(key, self.regions))

    def need_planes(self, planes: set[Plane]) -> None:
        """Show what is drawn on some planes, if it was not worth a layer before."""
        for key in ("nawm", "vein"):
            if key in self.regions and planes & set(self.regions[key].planes):
                self.need(key)

    def under(self, role: str) -> bool:
        """Show another image of the session in place of the one that is drawn on: ``FLAIR``, ``magnitude`` or ``chi``.

        Returns
        -------
        bool
            Whether there is such an image here.
        """
        wanted = next((image for image in self._images.values() if image.role == role), None)
        if wanted is None or "lesions" not in self.regions:
            return False
        self.layers.show_image(wanted, above=list(self._images.values())[-1].key)
        return True

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Roles of the images that can be seen under what is drawn, the one that is drawn on first."""
        return tuple(image.role for image in reversed(self._images.values()))

    def _is_used(self, regions: Regions) -> bool:
        return any(self._drawing.labels_on(plane) for plane in regions.planes)

    def _regions(self, stage: Stage, session: str, images: list[StageImage]) -> dict[str, Regions]:
        if stage is Stage.ALL:
            return {f"lesions {image.session}": self._on_baseline(image.session) for image in images}
        if stage is Stage.QSM:
            return {
                "lesions": self._on_baseline(session),
                "vein": Regions(self._drawing, [VEIN]),
                "nawm": Regions(self._drawing, [NAWM]),
            }
        if stage is Stage.ONSET:
            return {}
        plane = Plane.flair(session)
        if plane not in self._drawing.planes:
            raise InputError(f"{session} has no FLAIR to draw on; read the study again")
        return {"lesions": Regions(self._drawing, [plane])}

    def _on_baseline(self, session: str) -> Regions:
        """Regions of a session on the baseline grid: its own plane for lesions that began before it."""
        own = Plane.follow_up(session)
        if own not in self._drawing.planes or session not in self._order:
            return Regions(self._drawing, [ONSET])
        here = self._order.index(session)

        def owner(label: int) -> Plane:
            lesion = self._drawing.lesion(label)
            if lesion is None or lesion.onset_session not in self._order:
                return ONSET
            return own if here > self._order.index(lesion.onset_session) else ONSET

        return Regions(self._drawing, [own, ONSET], owner)

    def _frame_of(self, plane: Plane) -> Frame:
        on_flair = plane.kind is PlaneKind.FLAIR
        return Frame(self._drawing.grid(plane), self._maps.transform(plane.session, "FLAIR") if on_flair else None)

    def _label_image(self, key: str, regions: dict[str, Regions]) -> LabelImage:
        mine = regions[key]
        what, _, session = key.partition(" ")
        name = {"lesions": "lesions", "vein": "veins", "nawm": "reference regions"}[what]
        data = RegionArray(mine, lambda index, labels: self._write(mine, index, labels))
        return LabelImage(key, f"{session} {name}".strip(), what, data, mine.grid)  # type: ignore[arg-type]

    def _marks(self, image: StageImage, session: str, frame: Frame) -> MarkImage:
        """Make the marks of the lesions that begin at a session."""
        here = self.marks(session)
        points = np.array([frame.from_baseline(place) for place in here.values()]).reshape(-1, 3)
        return MarkImage(f"marks {image.key}", f"{session} onset", tuple(here), points, image.grid)

    def marks(self, session: str) -> dict[int, tuple[float, float, float]]:
        """Place of the onset, RAS+ mm at the baseline, of each lesion that was marked at a session."""
        found = {each.label: each for each in self._drawing.lesions if each.onset_session == session}
        return {label: each.onset_point_mm for label, each in found.items() if each.onset_point_mm is not None}

    def renew_marks(self, session: str) -> None:
        """Show marks as they are now."""
        for key in [each for each in self.layers.keys if each.startswith("marks ")]:
            image = self._images[key.removeprefix("marks ")]
            assert self.frame is not None
            self.layers.add(self._marks(image, session, self.frame))
