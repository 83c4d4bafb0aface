"""What every other test takes for granted: modules can be imported, and imports point one way."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import napari_msqsm

ROOT = Path(__file__).resolve().parents[1]
MODULES = [found.name for found in pkgutil.walk_packages(napari_msqsm.__path__, "napari_msqsm.")]
HEADLESS = [name for name in MODULES if ".widgets" not in name and not name.endswith("__main__")]
WINDOW = ["qtpy", "PyQt6", "PySide6", "PyQt5", "PySide2", "napari", "magicgui", "vispy"]
LONGEST_FILE_LINES = 500


def loaded_after(statements: str, *, hidden: tuple[str, ...] = ()) -> set[str]:
    """Top-level modules that a fresh interpreter has after ``statements``, with some packages made unimportable."""
    code = (
        f"import sys\nfor name in {hidden!r}: sys.modules[name] = None\n{statements}\n"
        "import json\nprint(json.dumps(sorted({n.split('.')[0] for n, m in sys.modules.items() if m is not None})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def importing(modules: list[str]) -> str:
    return "\n".join(f"import {name}" for name in modules)


def test_the_package_itself_imports_no_heavy_library():
    heavy = {"numpy", "scipy", "pandas", "pydantic", "matplotlib", "nibabel", "cupy", *WINDOW}
    assert not loaded_after("import napari_msqsm") & heavy


def test_public_names_are_there_and_are_loaded_when_used():
    loaded = loaded_after("import napari_msqsm as m\nfor name in m.__all__: getattr(m, name)")
    assert "numpy" in loaded
    assert set(napari_msqsm.__all__) <= set(dir(napari_msqsm))


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'reconstrcut'"):
        _ = napari_msqsm.reconstrcut


def test_everything_but_the_window_imports_neither_qt_nor_napari_nor_cupy():
    assert {"napari_msqsm.model.grid", "napari_msqsm._backend"} <= set(HEADLESS)
    assert not loaded_after(importing(HEADLESS)) & {*WINDOW, "cupy", "cupyx"}


def test_everything_but_the_window_works_without_the_extras():
    loaded_after(importing(HEADLESS), hidden=("cupy", "napari", "qtpy", "magicgui", "pydicom", "dcm2niix", "openpyxl"))


@pytest.mark.gui
def test_every_module_of_the_window_can_be_imported():
    loaded_after(importing([name for name in MODULES if ".widgets" in name]))


def test_layers():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "tools"])
def test_every_file_can_be_read_in_one_sitting(folder):
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert lengths, f"{folder} has no Python files"
    assert {str(path): n for path, n in lengths.items() if n > LONGEST_FILE_LINES} == {}
