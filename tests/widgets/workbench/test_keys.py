"""One table of keys: none is napari's, all are told, in the panel and in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_model.types import StandardKeyBinding
from napari._app_model.actions import _view
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.key_bindings import coerce_keybinding
from napari.utils.shortcuts import default_shortcuts

from napari_msqsm.widgets.workbench.keys import KEYS, REPLACED, all_keys, keys_html, keys_markdown

DOCS = Path(__file__).parents[3] / "docs" / "lesions.md"
OF_OTHER_LAYERS = (
    "points",
    "shape",
    "vectors",
    "tracks",
    "surface",
    "vertex",
    "select_all",
    "select_append",
    "direct_mode",
    "activate_select_mode",
)
"""Shortcuts of layers that the workbench has none of."""


def of_napari():
    """Keys of the viewer, of images and of labels, whatever they are bound by."""
    actions = {
        name: bindings
        for name, bindings in default_shortcuts.items()
        if not any(word in name for word in OF_OTHER_LAYERS) and "activate_add" not in name
    }
    found = {str(binding) for bindings in actions.values() for binding in bindings}
    for owner in (ViewerModel, Image, Labels):
        for each in owner.__mro__:
            found |= {str(key) for key in getattr(each, "class_keymap", {})}
    return found


def written(key):
    return str(coerce_keybinding(key))


def test_no_key_is_one_of_napari_s():
    taken = of_napari()
    known = {"1", "7", "E", "P", "F", "L", "Z", "M", "B", "X", "-", "=", "[", "]", "V", "Space", "Left", "Ctrl+G"}
    assert known <= taken, "the list of what napari takes is not complete"
    for key in all_keys():
        if key.key in REPLACED:
            assert written(key.key) in taken
        else:
            assert written(key.key) not in taken, key


def test_no_key_is_one_of_the_menus():
    menus = set()
    for action in _view.VIEW_ACTIONS:
        for rule in action.keybindings or ():
            if not isinstance(rule, StandardKeyBinding) and rule.primary:
                menus.add(written(rule.primary))
    for standard in StandardKeyBinding:
        rule = standard.to_keybinding_rule()
        menus |= {written(each) for each in (rule.primary, rule.win, rule.linux) if each}
    ours = {written(key.key) for key in all_keys() if key.key not in REPLACED}
    assert menus
    assert not ours & menus


def test_each_key_is_there_once():
    keys = [written(key.key) for key in all_keys()]
    assert len(keys) == len(set(keys))
    assert len({key.action for key in all_keys()}) == len(keys)


def test_tools_lesions_and_sessions_are_under_the_left_hand():
    left = set("QWERTASDFGZXCVB")
    for group in ("Where", "Tools"):
        assert {key.key.removeprefix("Shift-") for key in KEYS[group]} <= left


def test_all_keys_are_told():
    html, markdown = keys_html(), keys_markdown()
    for key in all_keys():
        assert key.words.split("(")[0].strip() in html
        assert f"| {key.words} |" in markdown
    assert "<b>Shift + W</b>" in html
    assert markdown.count("\n") == 2 + len(KEYS) + len(all_keys())


def test_the_table_in_the_docs_is_this_one():
    if not DOCS.is_file():
        pytest.skip("the docs are not beside the tests")
    assert keys_markdown() in DOCS.read_text(encoding="utf-8")
