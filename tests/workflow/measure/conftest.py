"""The known study, made once."""

from __future__ import annotations

import shutil

import pytest

from workflow.measure.known_study import OnDisk, make


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> OnDisk:
    """The study, not to be written to."""
    return make(tmp_path_factory.mktemp("measure") / "study")


@pytest.fixture
def disk(made, tmp_path) -> OnDisk:
    """The study, to be written to."""
    return OnDisk(shutil.copytree(made.root, tmp_path / "study"))
