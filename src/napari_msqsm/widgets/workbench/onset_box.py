"""Where and when the chosen lesion first enhances, and what earlier FLAIR shows there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_msqsm.widgets.figure_view import FigureView
from napari_msqsm.widgets.workbench.lesion_model import short
from napari_msqsm.widgets.workbench.stage import Stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_msqsm.widgets.workbench.actions import LesionActions
    from napari_msqsm.widgets.workbench.work import WorkbenchWork
    from napari_msqsm.workflow.workbench.propose_onset import OnsetProposal

_HEIGHT = 150
_HOW = "Stage Onset shows T1 before and after gadolinium and their subtraction: click where the lesion enhances."


class OnsetBox(QWidget):
    """Shows what is known and proposed of the onset of the chosen lesion."""

    def __init__(self, work: WorkbenchWork, actions: LesionActions) -> None:
        super().__init__()
        self._work, self._actions = work, actions
        self.proposal: OnsetProposal | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.words)
        line = QHBoxLayout()
        self.look_button = QPushButton("Look at earlier FLAIR")
        self.look_button.clicked.connect(actions.look_back)
        self.accept_button = QPushButton("Accept")
        self.accept_button.clicked.connect(self._accept)
        line.addWidget(self.look_button)
        line.addWidget(self.accept_button)
        column.addLayout(line)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(self.reason)
        self.patches = FigureView()
        self.patches.setFixedHeight(_HEIGHT)
        column.addWidget(self.patches)
        column.addStretch(1)
        actions.onset_proposed.connect(self._show_proposal)
        work.selected.connect(self._forget)
        work.opened.connect(self._forget)
        work.changed.connect(self.renew)
        self._forget()

    def renew(self) -> None:
        """Show what is known now."""
        drawing = self._work.drawing
        lesion = None if drawing is None else drawing.lesion(self._work.label)
        self.look_button.setEnabled(lesion is not None and lesion.onset_point_mm is not None)
        self.accept_button.setEnabled(self.proposal is not None and self.proposal.onset is not None)
        if lesion is None:
            self.words.setText(_HOW)
        elif not lesion.onset_session:
            self.words.setText(f"{lesion.lesion_id} has no onset yet. {_HOW}")
        else:
            what = lesion.onset or "new or re-enhancing: not said yet"
            self.words.setText(f"{lesion.lesion_id} first enhances at {short(lesion.onset_session)}: {what}.")

    def _forget(self, *_: object) -> None:
        self.proposal = None
        self.reason.setText("")
        self.patches.hide()
        self.renew()

    def _show_proposal(self, proposal: OnsetProposal) -> None:
        self.proposal = proposal
        self.reason.setText(f"Proposed: {proposal.onset or 'cannot tell'}. {proposal.reason}.")
        shown = [(short(each.session), each.patch) for each in proposal.earlier if each.patch is not None][-3:]
        if proposal.patch is not None:
            shown.append(("here", proposal.patch))
        self.patches.setVisible(bool(shown))
        top = max((float(np.quantile(patch, 0.99)) for _, patch in shown), default=1.0)

        def paint(figure: Figure) -> None:
            for number, (words, patch) in enumerate(shown):
                axes = figure.add_subplot(1, len(shown), number + 1)
                middle = patch[::-1, ::-1, patch.shape[2] // 2].T  # patient right on the left, front on top
                axes.imshow(middle, cmap="gray", vmin=0, vmax=top, origin="upper")
                axes.set_title(words, fontsize=8)
                axes.set_axis_off()

        self.patches.draw(paint)
        self.renew()

    def _accept(self) -> None:
        if self.proposal is not None:
            self._actions.accept_onset(self.proposal)

    def show_stage(self) -> None:
        """Show the onset stage of the session that is shown."""
        maps = self._work.maps
        if maps is not None:
            self._work.show(Stage.ONSET, self._work.canvas.session or maps.baseline.label)
