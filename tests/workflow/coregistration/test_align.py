"""Which of several ways to a transform is taken, with stand-ins for registration and check."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.check import Check
from napari_msqsm.registration.verdict import Level, Verdict
from napari_msqsm.workflow.coregistration import align as align_module
from napari_msqsm.workflow.coregistration.align import THROUGH_OWN, align
from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings


def shift(mm):
    matrix = np.eye(4)
    matrix[0, 3] = mm
    return AffineTransform(matrix)


class Images:
    """Images are their own names; the truth of a pair is a shift by 10 mm, of which 4 mm come with the session."""

    def magnitude(self, label):
        return label, "grid"

    def moving(self, pair):
        return pair.contrast, "grid"

    def brain(self, _):
        return None


@pytest.fixture
def world(monkeypatch):
    """What registrations find, in turn, and how transforms are judged: by their distance from 10 mm."""
    found, starts = [], []

    def register(fixed, fixed_grid, moving, moving_grid, *, initial, **_):
        starts.append((fixed, None if initial is None else initial.matrix[0, 3]))
        return SimpleNamespace(
            transform=shift(found.pop(0)), converged=True, model="rigid", similarity=1.1, record={"fixed": fixed}
        )

    def check(*_, same_contrast, **__):
        transform = _[4]
        off = abs(transform.matrix[0, 3] - 10)
        level = Level.OK if off < 0.5 else Level.LOOK if off < 2 else Level.FAILED
        opinion = SimpleNamespace(transform=shift(10.2), correlation=0.8 - off / 20, best_correlation=0.8)
        return Check(Verdict(level, (f"{off:.1f} mm off",)), {"correlation": 0.8 - off / 20}, opinion)

    monkeypatch.setattr(align_module, "register", register)
    monkeypatch.setattr(align_module, "check_transform", check)
    return found, starts


PAIR = SimpleNamespace(
    fixed_session="baseline", session="follow-up", contrast="FLAIR", same_contrast=False, moving=(), xfm="flair.txt"
)
OWN = (SimpleNamespace(xfm="megre.txt", moving=("echo",)), shift(4))


def run(own=OWN, initial=None):
    steps = []
    result = align(
        Images(), PAIR, CoregistrationSettings(), own=own, initial=initial, on_progress=lambda *s: steps.append(s)
    )
    return result, steps


def test_a_direct_transform_beyond_doubt_is_taken_at_once(world):
    found, starts = world
    found[:] = [10.1]
    result, _ = run()
    assert (result.route, result.warnings, starts) == ("direct", (), [("baseline", None)])
    assert result.check.numbers["similarity"] == 1.1


def test_a_doubtful_one_is_tried_again_from_where_the_second_opinion_led(world):
    found, starts = world
    found[:] = [35.0, 10.2]
    result, _ = run()
    assert starts == [("baseline", None), ("baseline", pytest.approx(10.2))]
    assert result.transform == shift(10.2)
    assert result.route == "direct"
    assert result.warnings == ("registered again from where the second opinion led, since 25.0 mm off",)


def test_then_the_way_through_its_own_gradient_echo(world):
    found, starts = world
    found[:] = [35.0, 12.5, 6.1]
    result, _ = run()
    assert [fixed for fixed, _ in starts] == ["baseline", "baseline", "follow-up"]
    assert result.transform == shift(6.1).after(shift(4))
    assert result.route == THROUGH_OWN
    assert result.through == ("megre.txt", "echo")
    assert "since directly" in result.warnings[0]


def test_the_direct_one_stays_where_no_other_is_better(world):
    found, _ = world
    found[:] = [11.0, 11.5, 30.0]
    result, _ = run()
    assert result.transform == shift(11.0)
    assert result.check.verdict.level is Level.LOOK
    assert result.warnings == ()


def test_a_given_start_is_used(world):
    found, starts = world
    found[:] = [10.0]
    run(own=None, initial=shift(9))
    assert starts == [("baseline", 9.0)]
