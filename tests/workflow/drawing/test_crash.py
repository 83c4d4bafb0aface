"""Processes that draw are ended at random times: what they wrote down is there at the next start, and no half file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workspace.drawing.audit import COLUMNS
from workflow.drawing.small_patient import content

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test ends forked processes")


@pytest.mark.parametrize("n_kills", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_nothing_is_lost_when_the_process_is_killed(study, places, tmp_path, n_kills):
    rng = np.random.default_rng(n_kills)
    log = tmp_path / "log"
    log.touch()
    script = Path(__file__).with_name("crash_child.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MSQSM_THREADS": "1"}
    command = [sys.executable, str(script), str(study.root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, bufsize=1
    ) as server:
        for seed in range(n_kills):
            server.stdin.write(f"{seed} {log}\n")
            child = int(server.stdout.readline())
            time.sleep(rng.uniform(0, 0.3))
            assert "error" not in (last_line := log.read_text("utf-8")[-500:]), last_line
            os.kill(child, signal.SIGKILL)
            assert server.stdout.readline() == "gone\n"
            if seed % 20 == 0:
                every_file_is_whole(study, places)
        server.stdin.close()
    every_file_is_whole(study, places)
    n_opened, n_steps = nothing_was_lost(log.read_text("utf-8").splitlines())
    assert n_opened > n_kills / 4
    assert n_steps > n_kills


def nothing_was_lost(lines):
    """Each process found what the one before had written down, or the one step more that it was about to tell."""
    could_be, n_opened, n_steps = None, 0, 0
    for line in lines:
        what, _, digest = line.partition(" ")
        assert what in ("open", "try", "done"), line
        if what == "open":
            assert could_be is None or digest in could_be
            n_opened += 1
        n_steps += what == "done"
        could_be = {*could_be, digest} if what == "try" and could_be else {digest}
    return n_opened, n_steps


def every_file_is_whole(study, places):
    images = [path for path in places.home.rglob("*.nii.gz") if not path.name.startswith(".part-")]
    for path in images:
        np.asarray(nib.load(path).dataobj)
    content(read_drawing(study, "01"))
    if places.audit.exists():
        whole = places.audit.read_text("utf-8").rpartition("\n")[0].splitlines()
        rows = [row.split("\t") for row in whole]
        assert rows[0] == list(COLUMNS)
        assert max(len(row) for row in rows) == len(COLUMNS)
