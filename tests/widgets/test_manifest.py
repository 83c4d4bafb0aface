"""The npe2 manifest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from npe2 import PluginManifest

import napari_msqsm

MANIFEST = Path(napari_msqsm.__file__).parent / "napari.yaml"


def test_every_command_can_be_imported():
    manifest = PluginManifest.from_file(MANIFEST)
    assert manifest.name == "napari-msqsm"
    commands = manifest.contributions.commands or []
    assert {"Study", "Import", "Reconstruct"} <= {command.title for command in commands}
    for command in commands:
        module, _, name = str(command.python_name).partition(":")
        assert callable(getattr(__import__(module, fromlist=[name]), name))


def test_it_is_valid():
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(MANIFEST)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_at_the_root_is_the_same_one():
    root = Path(__file__).parents[2] / "napari.yaml"
    assert root.resolve() == MANIFEST.resolve()
