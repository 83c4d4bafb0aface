"""A form made from settings: unit, range and help of each field come from its declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import methods_of, with_method
from napari_msqsm.settings import with_overrides
from napari_msqsm.widgets.words import as_text, from_text, label_of
from napari_msqsm.workflow.settings_rows import allowed

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.settings import Settings


class SettingsForm(QWidget):
    """Edits `ReconstructionSettings`: what matters on top, all else folded away."""

    changed = Signal()

    def __init__(self, settings: ReconstructionSettings) -> None:
        super().__init__()
        self._settings = settings
        self._editors: dict[str, tuple[QWidget, str]] = {}
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
        said = {
            name: from_text(_value(editor), shown)
            for name, (editor, shown) in self._editors.items()
            if _value(editor) != shown
        }
        return with_overrides(self._settings, said) if said else self._settings

    def editor(self, name: str) -> QWidget:
        """Field of a dotted setting, such as ``inversion.lambda_csf``."""
        return self._editors[name][0]

    def _add_section(self, section: str, values: Settings, top: QFormLayout, folded: QFormLayout) -> None:
        has_title = False
        for name, field in type(values).model_fields.items():
            if name == "method":
                self._add_method(section, str(getattr(values, name)), top)
                continue
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            editor, shown = _editor_of(field, getattr(values, name))
            self._editors[f"{section}.{name}"] = (editor, shown)
            self._watch(editor)
            unit = f" ({extra['unit']})" if extra.get("unit") else ""
            row = QLabel(label_of(f"{section}.{name}") + unit)
            for part in (editor, row):
                part.setToolTip(_help(field))
            if extra.get("top"):
                top.addRow(row, editor)
                continue
            if not has_title:
                folded.addRow(QLabel(f"<b>{label_of(section)}</b>"))
                has_title = True
            folded.addRow(row, editor)

    def _add_method(self, section: str, current: str, top: QFormLayout) -> None:
        methods = methods_of(section)
        if len(methods) < 2:
            return
        choice = QComboBox()
        choice.addItems(methods)
        choice.setCurrentText(current)
        choice.setObjectName(f"{section}.method")
        choice.currentTextChanged.connect(lambda method: self._choose(section, method))
        top.addRow(label_of(section), choice)

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
            editor.currentTextChanged.connect(self.changed)
        elif isinstance(editor, QLineEdit):
            editor.editingFinished.connect(self.changed)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setContentsMargins(0, 0, 0, 0)
    return form


def _editor_of(field: FieldInfo, value: Any) -> tuple[QWidget, str]:
    """Make a field and the text that stands for its present value."""
    if isinstance(value, bool):
        box = QCheckBox()
        box.setChecked(value)
        return box, as_text(value)
    if get_origin(field.annotation) is Literal:
        choice = QComboBox()
        choice.addItems([str(option) for option in get_args(field.annotation)])
        choice.setCurrentText(str(value))
        return choice, str(value)
    line = QLineEdit(as_text(value))
    return line, as_text(value)


def _value(editor: QWidget) -> str:
    if isinstance(editor, QCheckBox):
        return as_text(editor.isChecked())
    if isinstance(editor, QComboBox):
        return editor.currentText()
    assert isinstance(editor, QLineEdit)
    return editor.text().strip()


def _help(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    limits = allowed(field)
    parts = [
        field.description or "",
        f"Allowed: {limits}" if limits else "",
        f"Source: {extra['source']}" if extra.get("source") else "",
    ]
    return "\n".join(part for part in parts if part)
