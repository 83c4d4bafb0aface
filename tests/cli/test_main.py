from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time

import pytest

from napari_msqsm import __version__, cli
from napari_msqsm.cli import COMMANDS, common, module_of


def test_help_and_version(msqsm):
    helped = msqsm("--help")
    assert helped.code == 0
    assert all(name in helped.out for name in COMMANDS)
    assert msqsm("--version").out.strip() == f"msqsm {__version__}"


def test_every_command_module_is_a_command():
    found = [module.name for module in pkgutil.iter_modules(cli.__path__)]
    modules = {name: importlib.import_module(f"napari_msqsm.cli.{name}") for name in found}
    assert sorted(map(module_of, COMMANDS)) == sorted(
        name for name, module in modules.items() if hasattr(module, "HELP")
    )


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from napari_msqsm.cli import main; main(['--help']);"
        "print([name for name in ('numpy', 'scipy', 'pydantic', 'matplotlib', 'napari') if name in sys.modules])"
    )
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        best = min(best, time.perf_counter() - began)
    assert out.splitlines()[-1] == "[]"
    assert best < 0.5


def test_python_dash_m():
    out = subprocess.run(
        [sys.executable, "-m", "napari_msqsm", "--version"], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == f"msqsm {__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("info", "--threads", "0"),
        ("info", "--device", "tpu"),
        ("recon", "--phase-sign", "2"),
        ("recon", "--magnitude"),
    ],
)
def test_wrong_arguments_end_in_one_line_and_code_2(msqsm, arguments):
    ran = msqsm(*arguments)
    assert ran.code == common.UNUSABLE
    assert len(ran.error_lines) == 1
    assert ran.error_lines[0].startswith("msqsm")
    assert ran.out == ""


def test_info(msqsm, tmp_path):
    ran = msqsm("info", "--json", tmp_path / "info.json", "--threads", 3)
    assert ran.code == 0
    facts = json.loads((tmp_path / "info.json").read_text(encoding="utf-8"))
    assert facts["versions"]["napari-msqsm"] == __version__
    assert facts["threads"] == 3
    assert os.environ["MSQSM_THREADS"] == "1"
    assert facts["gpu"]["usable"] or facts["gpu"]["reason"]
    assert "GPU:" in ran.out
    assert msqsm("info", "--quiet").out == ""


def test_info_refuses_a_gpu_that_is_not_there(msqsm):
    from napari_msqsm._backend import gpu_status

    if gpu_status()[0]:
        pytest.skip("there is a GPU")
    ran = msqsm("info", "--device", "cuda")
    assert ran.code == common.UNUSABLE
    assert "--device cpu" in ran.error_lines[0]


@pytest.mark.parametrize("text", ["-4096", "-4096.", "-.5", "-1e-3", "-3.6744E-3"])
def test_negative_numbers_in_any_notation_are_values(text):
    parser = common.Parser()
    parser.add_argument("--phase-range", type=float, nargs=2)
    assert parser.parse_args(["--phase-range", text, "1"]).phase_range == [float(text), 1.0]
