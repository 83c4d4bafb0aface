"""What the deformable surface does beyond the opening: orientation, shading, thin slabs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_msqsm.qsm.host.brain_surface import SurfaceSettings, brain_surface

VOXEL = (3.0, 3.0, 3.5)
COARSE = SurfaceSettings(subdivisions=12)
ORIENTATIONS = tuple(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


def oriented(image, order, steps):
    return np.transpose(image, order)[tuple(slice(None, None, step) for step in steps)]


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("number", [7, 29, 40])
def test_order_and_direction_of_axes_do_not_matter(head, number):
    image, _ = head((4.0, -3.0, 2.0))
    whole = brain_surface(image, voxel_size_mm=VOXEL, settings=COARSE)
    order, steps = ORIENTATIONS[number]
    turned = brain_surface(
        oriented(image, order, steps), voxel_size_mm=tuple(VOXEL[axis] for axis in order), settings=COARSE
    )
    assert (turned ^ oriented(whole, order, steps)).sum() <= 1e-3 * whole.sum()


@pytest.mark.parametrize("direction", [(60.0, np.inf, np.inf), (np.inf, -70.0, np.inf), (np.inf, np.inf, 50.0)])
def test_coil_shading(head, axes_mm, direction):
    image, brain = head()
    shading = np.exp(sum(a / d for a, d in zip(axes_mm(image.shape, VOXEL), direction, strict=True)))
    assert np.ptp(shading[brain]) > 2
    assert dice(brain_surface((image * shading).astype(np.float32), voxel_size_mm=VOXEL, settings=COARSE), brain) > 0.95


@pytest.mark.parametrize("cut", [np.s_[:, :, 20:26], np.s_[:, :, 33:40], np.s_[25:40], np.s_[:, 10:37, 8:30]])
def test_slabs_and_crops_are_followed_to_their_border(head, cut):
    image, brain = head()
    found = brain_surface(image[cut], voxel_size_mm=VOXEL, settings=COARSE)
    assert dice(found, brain[cut]) > 0.95
    lost = brain[cut] & ~found
    assert lost[:, :, [0, -1]].mean() < 0.03
