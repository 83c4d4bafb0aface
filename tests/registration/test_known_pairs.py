"""Pairs of full size with a known truth: accuracy, both directions, and the starts of the headers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_msqsm.io.nifti import load_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.register import register
from napari_msqsm.registration.settings import RegistrationSettings

pytestmark = pytest.mark.slow

MOST_ERROR_MM = {"flair": 0.08, "t1": 0.08, "t2": 0.15, "slab": 0.18, "grefu": 0.40}


class KnownPair:
    """One pair, its header perturbed by one of the starts."""

    def __init__(self, folder, kind, start):
        stem = folder / "registration" / f"{kind}_s1"
        self.case = json.loads(stem.with_name(f"{stem.name}.json").read_text("utf-8"))
        self.fixed = load_volume(stem.with_name(f"{stem.name}_fixed.nii.gz"))
        moving = load_volume(stem.with_name(f"{stem.name}_moving.nii.gz"))
        self.header = np.array(self.case["starts"][start])
        self.moving, self.moving_grid = moving.array, Grid(moving.grid.shape, self.header @ moving.grid.affine)
        self.points = np.array(self.case["points_fixed_world"])

    def truth(self, kind="rigid"):
        return AffineTransform(self.header @ np.array(self.case[f"M_{kind}"]))

    def registered(self, **settings):
        return register(
            self.fixed.array, self.fixed.grid, self.moving, self.moving_grid, settings=RegistrationSettings(**settings)
        )

    def registered_back(self):
        return register(self.moving, self.moving_grid, self.fixed.array, self.fixed.grid)


@pytest.mark.parametrize("start", [8])
@pytest.mark.parametrize("kind", MOST_ERROR_MM)
def test_accuracy_and_inverse(shared_data, kind, start):
    pair = KnownPair(shared_data, kind, start)
    found = pair.registered()
    errors = found.transform.distance_mm(pair.truth(), pair.points)
    assert errors.mean() <= MOST_ERROR_MM[kind]
    assert errors.max() < 2 * MOST_ERROR_MM[kind] + 0.1
    assert found.converged
    back = pair.registered_back().transform.inverse()
    assert back.distance_mm(found.transform, pair.points).mean() <= 0.02


@pytest.mark.parametrize("model", ["scale9", "affine"])
def test_stretch_of_another_scanner(shared_data, model):
    pair = KnownPair(shared_data, "grefu", 5)
    found = pair.registered(model=model)
    assert found.transform.distance_mm(pair.truth("affine"), pair.points).mean() <= 0.25
    assert found.converged


@pytest.mark.parametrize("kind", ["flair", "grefu"])
def test_preview_is_nearly_as_good(shared_data, kind):
    pair = KnownPair(shared_data, kind, 1)
    found = pair.registered(preview=True)
    assert found.transform.distance_mm(pair.truth(), pair.points).mean() <= 1.5 * MOST_ERROR_MM[kind]
