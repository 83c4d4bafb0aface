"""Draws on a patient until somebody ends it. Run as a script: forks one process that draws for every line it reads.

A line is ``seed study log``: the process appends to the log, so that what was true is known after it was ended:
``open`` with the digest of what was there, ``try`` before and ``done`` after a step was written down.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from napari_msqsm.io.bids import open_study
from napari_msqsm.workflow.drawing.opening import open_drawing
from workflow.drawing.small_patient import content, draw_at_random, history


def digest(drawing):
    """Of everything, the history as well."""
    return hashlib.sha256(repr((content(drawing), history(drawing))).encode()).hexdigest()


def work_on(study, seed, log):
    """Recover, then draw, save and flush in random order for ever."""
    rng = np.random.default_rng(seed)
    with log.open("ab", buffering=0) as stream:

        def say(what):
            stream.write(f"{what} {digest(work.drawing)}\n".encode())

        work = open_drawing(study, "01", reader="AB")
        assert work.held_by is None, work.held_by
        if work.recovery is not None:
            work.recover()
        say("open")
        add = work._keeping.journal.add

        def told(*step):
            say("try")
            done = add(*step)
            say("done")
            return done

        work._keeping.journal.add = told
        saving = None
        while True:
            draw_at_random(work.drawing, rng)
            chance = rng.random()
            if chance < 0.05:
                work.save()
            elif chance < 0.1 and (saving is None or not saving.is_alive()):
                saving = threading.Thread(target=told_of_errors, args=(work.prepare_save(), log))
                saving.start()
            elif chance < 0.2:
                work.tick()


def told_of_errors(function, log):
    """Write to the log what goes wrong, and end."""
    try:
        function()
    except BaseException as error:  # noqa: BLE001  told to the test
        with log.open("a") as stream:
            stream.write(f"error {error!r}\n")
        os._exit(1)


if __name__ == "__main__":
    for line in sys.stdin:
        seed, root, log = line.split()
        child = os.fork()
        if child == 0:
            told_of_errors(lambda: work_on(open_study(Path(root)), int(seed), Path(log)), Path(log))  # noqa: B023
        print(child, flush=True)  # noqa: T201
        os.waitpid(child, 0)
        print("gone", flush=True)  # noqa: T201
