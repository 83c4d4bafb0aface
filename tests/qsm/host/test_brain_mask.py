"""A head with scalp, skull, eyes and a bias field."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.qsm.host.brain_mask import BrainMaskSettings, brain_mask

VOXEL = (3.0, 3.0, 3.5)
SHAPE = (63, 74, 51)


def head(axes, shift=(0.0, 0.0, 0.0)):
    x, y, z = (a - s for a, s in zip(axes, shift, strict=True))

    def ball(radii, centre=(0, 0, 0)):
        return sum(((a - c) / r) ** 2 for a, c, r in zip((x, y, z), centre, radii, strict=True)) < 1

    brain = ball((66, 80, 60))
    image = 0.9 * ball((84, 99, 78)) * ~ball((78, 92, 72)) + 1.0 * brain
    image = image * ~ball((20, 8, 8), (0, 60, -42)) + 0.15 * (ball((78, 92, 72)) & ~brain)
    eyes = ball((12, 12, 12), (30, 84, -30)) | ball((12, 12, 12), (-30, 84, -30))
    image = np.where(eyes & ~brain, 1.1, image)
    bridge = (np.abs(x) < 3.2) & (np.abs(z) < 3.6) & (y > 70) & (y < 95)
    image = np.where(bridge, 1.0, image)
    shading = 1 + 0.004 * x + 0.002 * y
    rng = np.random.default_rng(0)
    return np.abs(image * shading + 0.03 * rng.standard_normal(SHAPE)).astype(np.float32) * 200, brain


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (6.0, -12.0, 5.0)])
def test_finds_the_brain(axes_mm, shift):
    image, brain = head(axes_mm(SHAPE, VOXEL), shift)
    found = brain_mask(image, voxel_size_mm=VOXEL)
    assert found.dtype == bool
    assert dice(found, brain) > 0.95
    scalp = (image > 100) & ~brain
    assert (found & scalp).sum() < 0.03 * brain.sum()


def test_works_on_a_slab(axes_mm):
    image, brain = head(axes_mm(SHAPE, VOXEL))
    found = brain_mask(image[:, :, 18:36], voxel_size_mm=VOXEL)
    assert dice(found, brain[:, :, 18:36]) > 0.94


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_scale_has_no_say(axes_mm, scale):
    image, _ = head(axes_mm(SHAPE, VOXEL))
    np.testing.assert_array_equal(
        brain_mask(image, voxel_size_mm=VOXEL), brain_mask(image * np.float32(scale), voxel_size_mm=VOXEL)
    )


def test_erosion_takes_a_rim(axes_mm):
    image, _ = head(axes_mm(SHAPE, VOXEL))
    whole = brain_mask(image, voxel_size_mm=VOXEL)
    less = brain_mask(image, voxel_size_mm=VOXEL, settings=BrainMaskSettings(erosion_mm=4.0))
    assert less.sum() < whole.sum()
    assert not (less & ~whole).any()


def test_refuses_what_has_no_brain():
    with pytest.raises(InputError, match="no contrast"):
        brain_mask(np.zeros((8, 8, 8)), voxel_size_mm=VOXEL)
    with pytest.raises(InputError, match="no contrast"):
        brain_mask(np.full((8, 8, 8), 7.0), voxel_size_mm=VOXEL)
    speck = np.zeros((12, 12, 12))
    speck[6, 6, 6] = 1
    with pytest.raises(InputError, match="mask"):
        brain_mask(speck, voxel_size_mm=VOXEL)
    image = np.zeros((20, 20, 20))
    image[4:16, 4:16, 4:16] = 100
    with pytest.raises(InputError, match="erosion_mm"):
        brain_mask(image, voxel_size_mm=(2, 2, 2), settings=BrainMaskSettings(erosion_mm=50, opening_radius_mm=2))
