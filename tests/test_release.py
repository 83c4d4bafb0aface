"""Files beside the code that must not drift away from it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import napari_msqsm

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pinned() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"==[^,*]+", str(pin.specifier)) and pin.url is None for pin in pins)
    return {normal(pin.name): Version(str(pin.specifier)[2:]) for pin in pins}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_is_installed_for_tests_is_pinned_within_its_bounds():
    extras = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"], *extras["all"], *PROJECT["dependency-groups"]["dev"]]
    own = next(found for found in map(Requirement, extras["all"]) if found.name == "napari-msqsm")
    lines += [line for extra in own.extras for line in extras[extra]]
    pins = pinned()
    for requirement in map(Requirement, lines):
        if requirement.name == own.name:
            continue
        assert normal(requirement.name) in pins, f"{requirement.name} is not pinned; run make constraints"
        assert pins[normal(requirement.name)] in requirement.specifier


def test_the_base_installation_has_neither_qt_nor_napari_nor_cupy():
    names = {normal(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    assert not {name for name in names if name.startswith(("cupy", "pyqt", "pyside", "napari", "qtpy", "magicgui"))}


def test_the_citation_has_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == napari_msqsm.__version__
    assert {reference["doi"] for reference in citation["references"]} == {"10.3174/ajnr.A6071", "10.1002/mrm.26946"}


def test_the_supported_pythons_are_those_that_the_workflows_run():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = [line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if ":: 3." in line]
    assert tested == named
    assert all(version in SpecifierSet(PROJECT["project"]["requires-python"]) for version in tested)


def test_links_in_the_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert documents
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"
