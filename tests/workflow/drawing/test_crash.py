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

from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.drawing.places import Places
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workspace.drawing.audit import COLUMNS
from workflow.drawing.small_patient import content, make_patient

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test ends forked processes")


@pytest.mark.parametrize("n_kills", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_nothing_is_lost_when_the_process_is_killed(tmp_path, n_kills):
    """Half of the processes are ended while they open and recover, half while they draw and save."""
    rng = np.random.default_rng(n_kills)
    script = Path(__file__).with_name("crash_child.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MSQSM_THREADS": "1"}
    n_opened = n_steps = 0
    command, pipe = [sys.executable, str(script)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, bufsize=1) as server:
        for first in range(0, n_kills, 20):
            root = tmp_path / f"study{first}"
            make_patient(root)
            log = tmp_path / f"log{first}"
            log.touch()
            for seed in range(first, first + 20):
                size = log.stat().st_size
                server.stdin.write(f"{seed} {root} {log}\n")
                child = int(server.stdout.readline())
                if seed % 2:
                    until(lambda log=log, size=size: log.stat().st_size > size)
                time.sleep(rng.uniform(0, 0.12))
                os.kill(child, signal.SIGKILL)
                assert server.stdout.readline() == "gone\n"
            every_file_is_whole(root)
            opened, steps = nothing_was_lost(log.read_text("utf-8").splitlines())
            n_opened, n_steps = n_opened + opened, n_steps + steps
        server.stdin.close()
    assert n_opened >= n_kills / 2
    assert n_steps > n_kills / 2


def until(condition):
    """Wait for a process that may be slow on a busy machine."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


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


def every_file_is_whole(root):
    study = open_study(root)
    places = Places(study.derivatives_root, "01")
    for path in places.home.rglob("*.nii.gz"):
        if not path.name.startswith(".part-"):
            np.asarray(nib.load(path).dataobj)
    content(read_drawing(study, "01"))
    if places.audit.exists():
        rows = [row.split("\t") for row in places.audit.read_text("utf-8").splitlines()]
        assert rows[0] == list(COLUMNS)
        assert {len(row) for row in rows} == {len(COLUMNS)}
