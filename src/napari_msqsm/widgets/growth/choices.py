"""Choices of a growth model, as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QListWidget, QListWidgetItem, QSizePolicy, QSpinBox, QWidget

from napari_msqsm.growth.cleaning import KEYS
from napari_msqsm.growth.model import RANDOM, ModelChoice
from napari_msqsm.growth.time_basis.methods import TIME_BASES
from napari_msqsm.widgets.settings_form import Choice

if TYPE_CHECKING:
    import pandas as pd

_TIME_WORDS = {
    "spline": "restricted cubic spline",
    "octile-bins": "octile bins (the paper)",
    "octile-poly": "polynomial over octiles",
    "poly": "polynomial over rows",
}
_RANDOM_WORDS = {
    "patient/lesion": "patient, lesion",
    "patient": "patient (the paper)",
    "patient-slope/lesion": "patient with slope, lesion",
}
_DF_WORDS = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward–Roger"}
_OUTCOMES = ("chi_ppb", "volume_mm3", "chi_registered_ppb", "chi_session_roi_ppb", "volume_pv_mm3")
_NEVER = {*KEYS, "session_id", "session_date", "eligible", "qc_flags", "roi_source", "rim_at_session"}
_NOT_OFFERED = ("chi_", "rim_", "nawm_", "n_")
"""Columns that are made from the outcome or from the group."""
_WITH_GROUP = "dvolume_mm3*rim"
_MOST_DEGREE = 12
_LIST_HEIGHT = 150


class GrowthChoices(QWidget):
    """The form.

    Signals
    -------
    changed
        Another model is wanted.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        form = QFormLayout(self)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(2)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.outcome = self._box(())
        self.log = self._check("logarithm", "Explain the logarithm of the outcome: apt for volumes")
        self.time = self._box(tuple((_TIME_WORDS[name], name) for name in TIME_BASES))
        self.degree = QSpinBox()
        self.degree.setRange(1, _MOST_DEGREE)
        self.degree.setValue(ModelChoice().degree)
        self.degree.setToolTip("Highest degree, or number of columns; capped by the data")
        self.degree.valueChanged.connect(self._tell)
        self.random = self._box(tuple((_RANDOM_WORDS[name], name) for name in RANDOM))
        self.df = self._box(tuple((words, name) for name, words in _DF_WORDS.items()))
        self.covariates = QListWidget()
        self.covariates.setMaximumHeight(_LIST_HEIGHT)
        self.covariates.itemChanged.connect(self._tell)
        self.reduce = self._check("leave out what is not significant", "Covariates with p > 0.05, one after the other")
        self.at_onset = self._check("rim at onset", "Group lesions by their rim at onset, not at any session")
        self.ineligible = self._check("fit ineligible lesions too", "Lesions that the table calls not eligible")
        self.post_gd = self._check("fit GRE after gadolinium too", "Gadolinium raises χ by some 30 ppb")
        form.addRow("Outcome", self.outcome)
        form.addRow(self.log)
        form.addRow("Time", self.time)
        form.addRow("Degree", self.degree)
        form.addRow("Random effects", self.random)
        form.addRow("Degrees of freedom", self.df)
        form.addRow("Covariates", self.covariates)
        form.addRow(self.reduce)
        form.addRow(self.at_onset)
        form.addRow(self.ineligible)
        form.addRow(self.post_gd)

    def choice(self) -> ModelChoice:
        """Return the model that is asked for."""
        random: Any = self.random.currentData()
        df: Any = self.df.currentData()
        return ModelChoice(
            outcome=str(self.outcome.currentData()),
            time=str(self.time.currentData()),
            degree=self.degree.value(),
            covariates=self.chosen(),
            random=random,
            df=df,
            include_ineligible=self.ineligible.isChecked(),
            include_post_gd=self.post_gd.isChecked(),
            rim_at_onset=self.at_onset.isChecked(),
            log=self.log.isChecked(),
        )

    def chosen(self) -> tuple[str, ...]:
        """Return the covariates that are ticked."""
        items = (self.covariates.item(row) for row in range(self.covariates.count()))
        return tuple(item.text() for item in items if item is not None and item.checkState() == Qt.CheckState.Checked)

    def set_table(self, table: pd.DataFrame) -> None:
        """Offer the columns of a table; what was chosen stays chosen where it is there."""
        blocked = self.blockSignals(True)
        numbers = [str(name) for name in table.columns if table[name].dtype.kind in "fiu" and name not in _NEVER]
        outcomes = [name for name in _OUTCOMES if name in numbers] or numbers
        before, ticked = self.outcome.currentData(), self.chosen() or ModelChoice().covariates
        self.outcome.clear()
        for name in outcomes:
            self.outcome.add(name, name)
        self.outcome.setCurrentIndex(max(0, self.outcome.findData(before)))
        self.covariates.clear()
        words = [str(name) for name in table.columns if name in {"scanner", "sex"}]
        offered = [name for name in numbers if name not in outcomes and not name.startswith(_NOT_OFFERED)] + words
        if "dvolume_mm3" in numbers:
            offered.insert(offered.index("dvolume_mm3") + 1, _WITH_GROUP)
        for name in offered:
            if name in words or table[name.partition("*")[0]].notna().any():
                item = QListWidgetItem(name)
                item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
                item.setCheckState(Qt.CheckState.Checked if name in ticked else Qt.CheckState.Unchecked)
                self.covariates.addItem(item)
        self.blockSignals(blocked)

    def _box(self, items: tuple[tuple[str, str], ...]) -> Choice:
        box = Choice()
        for words, name in items:
            box.add(words, name)
        box.currentIndexChanged.connect(self._tell)
        return box

    def _check(self, words: str, tip: str) -> QCheckBox:
        box = QCheckBox(words)
        box.setToolTip(tip)
        box.toggled.connect(self._tell)
        return box

    def _tell(self, *_: object) -> None:
        self.changed.emit()
