"""What the reader does to lesions with buttons: each asks where something would be lost, and is one edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from napari_msqsm.errors import MsqsmError
from napari_msqsm.widgets.file_row import NIFTI_FILTER
from napari_msqsm.widgets.workbench.lesion_model import short
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workflow.workbench.carry import carry, carry_plan
from napari_msqsm.workflow.workbench.local_shift import ShiftFound, accept_shift, drop_shift, shift_at
from napari_msqsm.workflow.workbench.match_drawn import MatchedDrawn, match_drawn
from napari_msqsm.workflow.workbench.onset import lost_by, mark_onset
from napari_msqsm.workflow.workbench.propagate import propagate, propagation_plan, review
from napari_msqsm.workflow.workbench.propose_onset import OnsetProposal, propose_onset
from napari_msqsm.workflow.workbench.remove import remove_lesion
from napari_msqsm.workflow.workbench.split_lesion import split_lesion
from napari_msqsm.workflow.workbench.take_masks import Taken, take_file, take_labels
from napari_msqsm.workspace.drawing.edit import Edit, LesionChange
from napari_msqsm.workspace.drawing.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_msqsm.widgets.coordinator import Coordinator
    from napari_msqsm.widgets.workbench.work import WorkbenchWork

_MOST_PIECES = 20


class LesionActions(QObject):
    """Actions on the chosen lesion.

    Signals
    -------
    onset_proposed
        What earlier sessions say of the chosen lesion: `OnsetProposal`.
    shift_found
        How far the tissue about the lesion lies beside its region at a session: `ShiftFound`.
    """

    onset_proposed = Signal(object)
    shift_found = Signal(object)

    def __init__(self, work: WorkbenchWork, coordinator: Coordinator, parent: QWidget) -> None:
        super().__init__(parent)
        self._work, self._coordinator, self._parent = work, coordinator, parent
        self._turn = 0
        work.canvas.marked.connect(self.mark)
        work.canvas.reviewed_requested.connect(self.review)

    def new_lesion(self) -> None:
        """Make a lesion of the session that is shown and choose it: its onset is marked where the view is."""
        work = self._work
        if work.drawing is None or work.maps is None:
            return
        sees = work.canvas.sees
        self._mark(None, tuple(map(float, sees)) if sees is not None else (0.0, 0.0, 0.0))

    def mark(self, point_mm: Any) -> None:
        """Mark the onset of the chosen lesion at a place of the session that is shown; of a new one, where none is."""
        chosen = self._work.label if self._moves_onset() else None
        if self._mark(chosen, tuple(map(float, point_mm))):
            self.look_back()

    def look_back(self) -> None:
        """Ask earlier sessions about the chosen lesion, beside the window."""
        drawing, maps, label = self._work.drawing, self._work.maps, self._work.label
        lesion = None if drawing is None else drawing.lesion(label)
        if drawing is None or maps is None or lesion is None or lesion.onset_point_mm is None:
            return
        session, point = lesion.onset_session, lesion.onset_point_mm

        def done(found: OnsetProposal) -> None:
            if self._work.label == label:
                self.onset_proposed.emit(found)

        self._coordinator.read_beside(lambda: propose_onset(drawing, maps, session, point, label=label), done)

    def accept_onset(self, proposal: OnsetProposal) -> None:
        """Note the onset that was proposed."""
        if proposal.onset is not None:
            self.change(onset=proposal.onset)

    def change(self, **fields: Any) -> None:
        """Change what is known of the chosen lesion."""
        drawing = self._work.drawing
        lesion = None if drawing is None else drawing.lesion(self._work.label)
        if lesion is None:
            return
        after = replace(lesion, **fields)
        if after != lesion:
            words = ", ".join(name.replace("_", " ") for name in fields)
            self._work.apply(lambda: Edit(f"{words} of {lesion.lesion_id}", (), (LesionChange(lesion, after),)))

    def delete(self) -> None:
        """Delete the chosen lesion, after asking; undo brings it back."""
        drawing, label = self._work.drawing, self._work.label
        lesion = None if drawing is None else drawing.lesion(label)
        if drawing is None or lesion is None:
            return
        if self._yes(f"Delete {lesion.lesion_id} and everything that was drawn of it? Undo brings it back."):
            self._work.apply(lambda: remove_lesion(drawing, label))

    def take_masks(self, path: Path | None = None) -> None:
        """Make lesions of a mask or label image on the FLAIR of the session that is shown; asks for the file."""
        work, session = self._work, self._work.canvas.session
        drawing, maps = work.drawing, work.maps
        if drawing is None or maps is None or not session:
            return
        if path is None:
            title = f"Mask or label image on the FLAIR of {short(session)}"
            name, _ = QFileDialog.getOpenFileName(self._parent, title, "", NIFTI_FILTER)
            if not name:
                return
            path = Path(name)
        self._take(lambda: take_file(drawing, maps, session, path))

    def split(self) -> None:
        """Split the chosen lesion on the FLAIR that is shown; asks in how many pieces."""
        drawing, label, session = self._work.drawing, self._work.label, self._work.canvas.session
        if drawing is None or not label or not session:
            return
        words = "Pieces (0: where it has necks):"
        number, given = QInputDialog.getInt(self._parent, "Split the lesion", words, 0, 0, _MOST_PIECES)
        if given and number != 1:
            self._work.apply(lambda: split_lesion(drawing, label, session, number=number or None))

    def match(self) -> None:
        """Give lesions at the same place one label in all sessions."""
        drawing, maps = self._work.drawing, self._work.maps
        if drawing is None or maps is None:
            return

        def done(found: MatchedDrawn) -> None:
            if found.edit.is_empty or self._work.apply(lambda: found.edit):
                self._work.told.emit("; ".join(found.notes) or "lesions at the same place have one label already")

        self._coordinator.read_beside(lambda: match_drawn(drawing, maps), done)

    def take_parts(self) -> None:
        """Make every separate part that is drawn on the FLAIR that is shown a lesion."""
        drawing, maps, session = self._work.drawing, self._work.maps, self._work.canvas.session
        plane = Plane.flair(session)
        if drawing is None or maps is None or plane not in drawing.planes:
            return
        self._take(lambda: take_labels(drawing, maps, session, drawing.labels(plane), split=True))

    def carry(self) -> None:
        """Carry the chosen lesion from FLAIR to QSM; asks where edits on QSM would be lost."""
        drawing, maps, label = self._work.drawing, self._work.maps, self._work.label
        if drawing is None or maps is None or not label:
            return
        try:
            plan = carry_plan(drawing, maps, label)
        except MsqsmError as error:
            self._work.told.emit(str(error))
            return
        if plan.action in {"not possible", "up to date"}:
            self._work.told.emit(f"{plan.lesion_id}: {plan.reason or 'its region on QSM is what FLAIR shows already'}")
            self._work.show(Stage.QSM, plan.session, jump=True) if plan.action == "up to date" else None
            return
        question = (
            f"The region of {plan.lesion_id} was edited on QSM ({plan.n_before} voxels). Replace it by the one that is "
            f"drawn on FLAIR ({plan.n_after} voxels)? Undo brings it back."
        )
        if plan.asks and not self._yes(question):
            return
        if self._work.apply(lambda: carry(drawing, plan, replace_edits=plan.asks)):
            self._work.show(Stage.QSM, plan.session, jump=True)

    def propagate(self) -> None:
        """Propagate the chosen lesion to all later sessions; shows the plan where something would be replaced."""
        drawing, maps, label = self._work.drawing, self._work.maps, self._work.label
        if drawing is None or maps is None or not label:
            return
        try:
            plan = propagation_plan(drawing, maps, label)
        except MsqsmError as error:
            self._work.told.emit(str(error))
            return
        if plan.refused:
            self._work.told.emit(f"{plan.lesion_id}: {plan.refused}")
            return
        overrides = plan.sessions("override")
        if plan.asks:
            answer = self._ask_plan(plan.lesion_id, plan.sessions("renew"), overrides)
            if answer is None:
                return
            overrides = overrides if answer else ()
        done = self._work.apply(lambda: propagate(drawing, plan, replace_overrides=overrides))
        missing = [f"{short(step.session)}: {step.reason}" for step in plan.steps if step.action == "not possible"]
        if done and missing:
            self._work.told.emit("not propagated to " + "; ".join(missing))

    def review(self) -> None:
        """Note that the region of the chosen lesion at the session that is shown was looked at, or take that back."""
        drawing, label, session = self._work.drawing, self._work.label, self._work.canvas.session
        if drawing is None or not label or not session:
            return
        state = drawing.follow_up(label, session)
        if not state.propagated:
            self._work.told.emit(f"nothing was propagated to {short(session)}; there is nothing to review")
            return
        self._work.apply(lambda: review(drawing, label, session, reviewed=not state.reviewed))

    def look_for_shift(self) -> None:
        """Look how far the tissue about the chosen lesion lies beside its region at the session that is shown."""
        drawing, maps, label = self._work.drawing, self._work.maps, self._work.label
        session = self._work.canvas.session
        if drawing is not None and maps is not None and label and session:
            self._coordinator.read_beside(
                lambda: shift_at(drawing, maps, label, session, images=("chi", "magnitude")), self.shift_found.emit
            )

    def accept_shift(self, found: ShiftFound) -> None:
        """Move the region by the shift that was found."""
        drawing = self._work.drawing
        if drawing is not None:
            self._work.apply(lambda: accept_shift(drawing, found))

    def drop_shift(self) -> None:
        """Do without the shift of the chosen lesion at the session that is shown."""
        drawing, label, session = self._work.drawing, self._work.label, self._work.canvas.session
        if drawing is not None and label and session:
            self._work.apply(lambda: drop_shift(drawing, label, session))

    def _moves_onset(self) -> bool:
        """Whether the chosen lesion has no onset yet, or the reader means to move it."""
        drawing, session = self._work.drawing, self._work.canvas.session
        lesion = None if drawing is None else drawing.lesion(self._work.label)
        return lesion is not None and (not lesion.onset_session or lesion.onset_point_mm is None) and bool(session)

    def _mark(self, label: int | None, point_mm: tuple[Any, ...]) -> bool:
        work, session = self._work, self._work.canvas.session
        drawing, maps = work.drawing, work.maps
        if drawing is None or maps is None:
            return False
        session = session or maps.baseline.label
        if label is not None:
            lost = lost_by(drawing, maps, label, session)
            if lost and not self._yes("\n".join([*lost, "", "Mark the onset here all the same?"])):
                return False
        x, y, z = point_mm
        made = label or drawing.next_label()
        if not work.apply(lambda: mark_onset(drawing, maps, session, (x, y, z), label=label)):
            return False
        work.select(made)
        return True

    def _take(self, make: Callable[[], Taken]) -> None:
        def done(found: Taken) -> None:
            if self._work.apply(lambda: found.edit):
                self._work.told.emit("; ".join(found.notes))

        self._coordinator.read_beside(make, done)

    def _ask_plan(self, lesion_id: str, renewed: tuple[str, ...], overrides: tuple[str, ...]) -> bool | None:
        """Ask what to replace: None for nothing at all, False to keep edited regions, True to replace them too."""
        lines = []
        if renewed:
            lines.append(f"Propagated before, will be renewed: {', '.join(map(short, renewed))}.")
        if overrides:
            lines.append(f"Edited by hand: {', '.join(map(short, overrides))}.")
        box = QMessageBox(self._parent)
        box.setWindowTitle(f"Propagate {lesion_id}")
        box.setText("\n".join(lines))
        keep = box.addButton("Propagate, keep edited" if overrides else "Propagate", QMessageBox.ButtonRole.AcceptRole)
        every = box.addButton("Replace edited too", QMessageBox.ButtonRole.DestructiveRole) if overrides else None
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is keep:
            return False
        return True if every is not None and box.clickedButton() is every else None

    def _yes(self, question: str) -> bool:
        answer = QMessageBox.question(self._parent, "Lesions", question)
        return bool(answer == QMessageBox.StandardButton.Yes)
