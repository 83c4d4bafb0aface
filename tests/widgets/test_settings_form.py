"""The form made from settings."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QScrollArea

from napari_msqsm.errors import ParameterError
from napari_msqsm.qsm.presets import PRESETS, methods_of, with_method
from napari_msqsm.widgets.settings_form import SettingsForm

pytestmark = pytest.mark.gui
RADII = "residual_background.smv_radii_mm"
METHODS = [
    (section, method)
    for section, field in type(PRESETS["published"]).model_fields.items()
    if "method" in type(getattr(PRESETS["published"], section)).model_fields
    for method in methods_of(section)
]


@pytest.fixture
def form(qtbot):
    made = SettingsForm(PRESETS["published"])
    qtbot.addWidget(made)
    return made


def names_of(settings):
    for section in type(settings).model_fields:
        for name in type(getattr(settings, section)).model_fields:
            if name != "method":
                yield f"{section}.{name}"


@pytest.mark.parametrize("preset", list(PRESETS))
def test_what_was_not_touched_comes_back(qtbot, preset):
    form = SettingsForm(PRESETS[preset])
    qtbot.addWidget(form)
    assert form.settings() == PRESETS[preset]


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_setting_has_a_field_with_an_explanation(qtbot, preset):
    form = SettingsForm(PRESETS[preset])
    qtbot.addWidget(form)
    for name in names_of(PRESETS[preset]):
        assert len(form.editor(name).toolTip()) > 10, name


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_field_can_be_edited_and_left_as_it_was(qtbot, preset):
    """Typing a value anew gives the same settings: text and value belong together."""
    form = SettingsForm(PRESETS[preset])
    qtbot.addWidget(form)
    for name in names_of(PRESETS[preset]):
        editor = form.editor(name)
        if isinstance(editor, QLineEdit):
            text = editor.text()
            editor.setText("")
            editor.setText(text)
    assert form.settings() == PRESETS[preset]


def test_an_edited_value_is_a_setting(form):
    form.editor("inversion.lambda_csf").setText("42.5")
    assert form.settings().inversion.lambda_csf == 42.5


def test_a_list_is_a_setting(form, qtbot):
    form.set_settings(PRESETS["recommended"])
    form.editor(RADII).setText("7; 4")
    section, _, name = RADII.partition(".")
    assert getattr(getattr(form.settings(), section), name) == (7.0, 4.0)


@pytest.mark.parametrize(("text", "numbers"), [("4", (4.0,)), ("", ())])
def test_a_list_of_one_number_stays_a_list(form, text, numbers):
    assert form.editor(RADII).text() == "5"
    form.editor(RADII).setText(text)
    assert form.settings().residual_background.smv_radii_mm == numbers


def test_an_emptied_number_is_named(form):
    form.editor("inversion.lambda_csf").setText("")
    with pytest.raises(ParameterError, match="lambda_csf"):
        form.settings()


@pytest.mark.parametrize("text", ["many", "-1", "nan"])
def test_a_value_that_is_not_allowed_is_named(form, text):
    form.editor("inversion.lambda_csf").setText(text)
    with pytest.raises(ParameterError, match="lambda_csf"):
        form.settings()


def test_a_choice_is_a_setting(form):
    name = next(n for n in names_of(PRESETS["published"]) if isinstance(form.editor(n), QComboBox))
    choice = form.editor(name)
    other = next(i for i in range(choice.count()) if i != choice.currentIndex())
    choice.setCurrentIndex(other)
    section, _, key = name.partition(".")
    assert getattr(getattr(form.settings(), section), key) == choice.itemData(other)


def test_yes_and_no_are_settings(form):
    boxes = [name for name in names_of(PRESETS["published"]) if isinstance(form.editor(name), QCheckBox)]
    assert boxes
    for name in boxes:
        section, _, key = name.partition(".")
        before = getattr(getattr(form.settings(), section), key)
        form.editor(name).toggle()
        assert getattr(getattr(form.settings(), section), key) is not before


def test_another_method_brings_its_own_settings_and_keeps_the_edits_of_others(form):
    form.editor("brain_mask.erosion_mm").setText("3")
    method = form.findChild(QComboBox, "inversion.method")
    assert method.currentData() == "medi"
    method.choose("tkd")
    settings = form.settings()
    assert settings.inversion.method == "tkd"
    assert settings.brain_mask.erosion_mm == 3.0
    assert isinstance(form.editor("inversion.threshold"), QLineEdit)


def test_another_method_is_taken_even_when_a_value_was_wrong(form):
    form.editor("inversion.lambda_csf").setText("many")
    form.findChild(QComboBox, "inversion.method").choose("tkd")
    assert form.settings().inversion.method == "tkd"


def test_settings_that_matter_are_on_top_and_the_rest_is_folded(form):
    form.show()
    top = form.editor("inversion.lambda_csf")
    folded = [name for name in names_of(PRESETS["published"]) if not form.editor(name).isVisible()]
    assert top.isVisible()
    assert len(folded) > 5
    form.fold.click()
    assert all(form.editor(name).isVisible() for name in names_of(PRESETS["published"]))
    form.set_settings(PRESETS["recommended"])
    assert form.fold.isChecked()


def test_units_stand_beside_the_names(form):
    labels = [label.text() for label in form.findChildren(QLabel)]
    assert "Brain mask erosion (mm)" in labels


def test_a_change_is_told(qtbot, form):
    editor = form.editor("inversion.lambda_csf")
    with qtbot.waitSignal(form.changed, timeout=1000):
        editor.setText("7")
        editor.editingFinished.emit()


def test_no_heading_stands_alone(form):
    """A section's name stands at the chooser of its methods, and once more above its settings."""

    def headings(name):
        return [label.text() for label in form.findChildren(QLabel)].count(f"<b>{name}</b>")

    assert headings("Field fit") == 1
    assert headings("Unwrapping") == 1
    assert headings("Inversion") == 2


@pytest.mark.parametrize(("section", "method"), METHODS)
def test_every_method_can_be_chosen_and_all_its_settings_edited(form, section, method):
    chooser = form.findChild(QComboBox, f"{section}.method")
    if chooser is None:
        assert methods_of(section) == (method,)
        return
    entry = chooser.findData(method)
    assert len(chooser.itemData(entry, Qt.ItemDataRole.ToolTipRole)) > 3
    chooser.setCurrentIndex(entry)
    wanted = with_method(PRESETS["published"], section, method)
    assert form.settings() == wanted
    values = getattr(wanted, section)
    for name in type(values).model_fields:
        if name == "method":
            continue
        editor = form.editor(f"{section}.{name}")
        assert len(editor.toolTip()) > 10
        if isinstance(editor, QComboBox):
            for index in range(editor.count()):
                editor.setCurrentIndex(index)
                assert getattr(getattr(form.settings(), section), name) == editor.itemData(index)


def test_every_section_with_several_methods_has_its_chooser_on_top(form):
    form.show()
    for section in {section for section, _ in METHODS}:
        chooser = form.findChild(QComboBox, f"{section}.method")
        assert (chooser is not None and chooser.isVisible()) == (len(methods_of(section)) > 1)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_form_fits_into_a_narrow_dock(qtbot, preset):
    form = SettingsForm(PRESETS[preset])
    scroll = QScrollArea()
    qtbot.addWidget(scroll)
    scroll.setWidgetResizable(True)
    scroll.setWidget(form)
    form.fold.click()
    scroll.resize(300, 600)
    scroll.show()
    assert form.minimumSizeHint().width() <= 300
    assert not scroll.horizontalScrollBar().isVisible()


def test_scrolling_over_a_list_does_not_change_it(form):
    form.show()
    choice = form.findChild(QComboBox, "inversion.method")
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(choice.mapToGlobal(QPoint(5, 5))),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    choice.wheelEvent(event)
    assert choice.currentData() == "medi"
    assert not event.isAccepted()
