"""A form made from settings: unit, range and help of each field come from its declaration."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import methods_of, with_method
from napari_msqsm.settings import with_overrides
from napari_msqsm.widgets.setting_words import as_text, choice_words, from_text, label_of, method_words
from napari_msqsm.workflow.settings_rows import allowed

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from qtpy.QtGui import QWheelEvent

    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.settings import Settings


class Choice(QComboBox):
    """A list to choose from that is as narrow as it has to be, and that scrolling past it does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the form, unless the list was clicked."""
        if event is None or self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def add(self, words: str, value: Any, tip: str = "") -> None:
        """Add an entry, with an explanation of its own."""
        self.addItem(words, value)
        if tip:
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def choose(self, value: Any) -> None:
        """Select the entry of a value."""
        self.setCurrentIndex(self.findData(value))


class SettingsForm(QWidget):
    """Edits `ReconstructionSettings`: methods and what matters on top, all else folded away."""

    changed = Signal()

    def __init__(self, settings: ReconstructionSettings) -> None:
        super().__init__()
        self._settings = settings
        self._editors: dict[str, tuple[QWidget, Any]] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._body: QWidget | None = None
        self._is_unfolded = False
        self.set_settings(settings)

    def set_settings(self, settings: ReconstructionSettings) -> None:
        """Show other settings."""
        self._settings = settings
        self._editors.clear()
        if self._body is not None:
            self._layout.removeWidget(self._body)
            self._body.deleteLater()
        self._body = QWidget()
        self._layout.addWidget(self._body)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        top, folded = _form(), _form()
        for section in type(settings).model_fields:
            self._add_section(section, getattr(settings, section), top, folded)
        column.addLayout(top)
        self.fold = QToolButton()
        self.fold.setCheckable(True)
        self._rest = QWidget()
        self._rest.setLayout(folded)
        self.fold.toggled.connect(self._unfold)
        column.addWidget(self.fold)
        column.addWidget(self._rest)
        self.fold.setChecked(self._is_unfolded)
        self._unfold(self._is_unfolded)
        column.addStretch(1)
        self.changed.emit()

    def settings(self) -> ReconstructionSettings:
        """Return what the form holds.

        Raises
        ------
        ParameterError
            When a value is not allowed; the sentence names it.
        """
        said = {name: _read(editor, like) for name, (editor, like) in self._editors.items() if _is_edited(editor, like)}
        return with_overrides(self._settings, said) if said else self._settings

    def editor(self, name: str) -> QWidget:
        """Field of a dotted setting, such as ``inversion.lambda_csf``."""
        return self._editors[name][0]

    def _add_section(self, section: str, values: Settings, top: QFormLayout, folded: QFormLayout) -> None:
        self._add_method(section, values, top)
        has_title = False
        for key, field in type(values).model_fields.items():
            if key == "method":
                continue
            name, value = f"{section}.{key}", getattr(values, key)
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            editor = _editor_of(name, field, value)
            self._editors[name] = (editor, value)
            self._watch(editor)
            unit = f" ({extra['unit']})" if extra.get("unit") else ""
            row = QLabel(label_of(name) + unit)
            for part in (editor, row):
                part.setToolTip(_help(field))
            if extra.get("top"):
                top.addRow(row, editor)
                continue
            if not has_title:
                folded.addRow(QLabel(f"<b>{label_of(section)}</b>"))
                has_title = True
            folded.addRow(row, editor)

    def _add_method(self, section: str, values: Settings, top: QFormLayout) -> None:
        methods = methods_of(section) if "method" in type(values).model_fields else ()
        if len(methods) < 2:
            return
        choice = Choice()
        choice.setObjectName(f"{section}.method")
        for method in methods:
            choice.add(
                method_words(section, method), method, _says(with_method(self._settings, section, method), section)
            )
        choice.choose(getattr(values, "method"))  # noqa: B009  not every section has methods
        choice.setToolTip(_says(self._settings, section))
        choice.currentIndexChanged.connect(lambda _: self._choose(section, choice.currentData()))
        top.addRow(f"<b>{label_of(section)}</b>", choice)

    def _unfold(self, on: bool) -> None:
        self._is_unfolded = on
        self._rest.setVisible(on)
        self.fold.setText("▾ All settings" if on else "▸ All settings")

    def _choose(self, section: str, method: str) -> None:
        try:
            edited = self.settings()
        except ParameterError:  # a value that is not allowed goes with the form that held it
            edited = self._settings
        self.set_settings(with_method(edited, section, method))

    def _watch(self, editor: QWidget) -> None:
        if isinstance(editor, QCheckBox):
            editor.toggled.connect(self.changed)
        elif isinstance(editor, QComboBox):
            editor.currentIndexChanged.connect(self.changed)
        elif isinstance(editor, QLineEdit):
            editor.editingFinished.connect(self.changed)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    form.setContentsMargins(0, 0, 0, 0)
    return form


def _editor_of(name: str, field: FieldInfo, value: Any) -> QWidget:
    """Make a field that shows a value."""
    if isinstance(value, bool):
        box = QCheckBox()
        box.setChecked(value)
        return box
    if get_origin(field.annotation) is Literal:
        choice = Choice()
        for option in get_args(field.annotation):
            choice.add(choice_words(name, option), option)
        choice.choose(value)
        return choice
    return QLineEdit(as_text(value))


def _is_edited(editor: QWidget, before: Any) -> bool:
    if isinstance(editor, QLineEdit):
        return editor.text().strip() != as_text(before)
    return bool(_read(editor, before) != before)


def _read(editor: QWidget, like: Any) -> Any:
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QComboBox):
        return editor.currentData()
    assert isinstance(editor, QLineEdit)
    return from_text(editor.text().strip(), like)


def _says(settings: ReconstructionSettings, section: str) -> str:
    """One line about the method of a section."""
    return (type(getattr(settings, section)).__doc__ or "").strip().partition("\n")[0]


def _help(field: FieldInfo) -> str:
    """Say what a setting does, its range and where its default comes from, as HTML: only such tips are wrapped."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    limits = "" if get_origin(field.annotation) is Literal else allowed(field)
    parts = [
        field.description or "",
        f"Allowed: {limits}" if limits else "",
        f"Source: {extra['source']}" if extra.get("source") else "",
    ]
    return "".join(f"<p>{escape(part)}</p>" for part in parts if part)
