"""Tissue classes, and the white matter that is nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_msqsm.errors import InputError, ShapeMismatchError
from napari_msqsm.lesions.reference.ground import GroundSettings, reference_ground
from napari_msqsm.lesions.reference.tissue import FLUID, GREY, Channel, otsu, tissue_classes

LEVELS = {"T1w": (0.1, 0.5, 1.0), "FLAIR": (0.2, 1.0, 0.68), "R2star": (2.0, 16.0, 21.0), "magnitude": (0.9, 1.05, 1.0)}


def channels(head, *names, seed=0):
    rng = np.random.default_rng(seed)
    noise = {"R2star": 1.0}
    shading = {"R2star": 0.0}
    return [
        Channel(name, head.image(LEVELS[name], rng, noise.get(name, 0.02), shading.get(name, 0.3))) for name in names
    ]


def dice(found, wanted):
    return 2 * np.count_nonzero(found & wanted) / (np.count_nonzero(found) + np.count_nonzero(wanted))


@pytest.mark.parametrize(
    "names", [("T1w",), ("FLAIR",), ("T1w", "FLAIR"), ("FLAIR", "R2star"), ("magnitude", "R2star")]
)
def test_tissue_of_a_shaded_noisy_head(head, names):
    found = tissue_classes(channels(head, *names), head.brain, head.grid)
    assert found.used == names
    assert dice(found.white, head.white) > 0.95
    assert np.all(found.chance.sum(axis=0) < 1 + 1e-5)
    assert not found.chance[:, ~head.brain].any()
    if names != ("FLAIR",):  # FLAIR alone takes half fluid, half cortex for white matter
        assert dice(found.chance[GREY] > 0.5, head.tissue == 2) > 0.85
        assert dice(found.chance[FLUID] > 0.5, head.tissue == 1) > 0.6


def test_lesions_are_no_white_matter(head):
    t1w = channels(head, "T1w")[0]
    lesion = np.zeros(head.grid.shape, bool)
    x, y, z = (
        np.argwhere(head.white & (head.grid.affine[0, 0] * np.arange(head.grid.shape[0])[:, None, None] > 90))
        .mean(0)
        .astype(int)
    )
    lesion[x - 4 : x + 5, y - 4 : y + 5, z - 2 : z + 3] = True
    image = np.where(lesion, 0.45, t1w.image).astype(np.float32)
    found = tissue_classes([Channel("T1w", image)], head.brain, head.grid)
    assert found.white[lesion].mean() < 0.02


def test_grey_levels_may_have_any_unit(head):
    first = channels(head, "T1w", "FLAIR")
    other = [Channel(name, image * factor) for (name, image), factor in zip(first, (3000.0, 0.01), strict=True)]
    one, two = (tissue_classes(each, head.brain, head.grid) for each in (first, other))
    np.testing.assert_allclose(one.chance, two.chance, atol=1e-2)


def test_otsu_parts_two_heaps():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(1, 0.1, 3000), rng.normal(3, 0.2, 1000)])
    assert 1.25 < otsu(values) < 2.5


def test_ground_touches_nothing_else(head):
    chi = np.where(head.white, -0.03, 0.015).astype(np.float32)
    found = reference_ground(head.white, head.brain, head.grid, chi_ppm=chi)
    assert 0.5 < np.count_nonzero(found) / np.count_nonzero(head.white) < 0.95
    beside = ndimage.binary_dilation(~head.white, ndimage.generate_binary_structure(2, 1)[:, :, None])
    assert not (found & beside).any()
    island = head.white.copy()
    island[:] = False
    island[1:4, 1:4, 1:3] = True
    assert not reference_ground(island, np.ones_like(island), head.grid).any()


def test_veins_and_iron_are_left_out(head):
    rng = np.random.default_rng(1)
    chi = np.where(head.white, -0.03, 0.0) + 0.006 * rng.standard_normal(head.grid.shape)
    plain = reference_ground(head.white, head.brain, head.grid, chi_ppm=chi)
    inside = np.argwhere(plain)
    x, y, z = inside[np.argmin(np.abs(inside - inside.mean(axis=0) - (12, 0, 6)).sum(axis=1))]
    vein = np.zeros(head.grid.shape, bool)
    vein[x - 6 : x + 7, y, z] = True
    iron = np.zeros(head.grid.shape, bool)
    iron[x - 3 : x + 4, y + 8 : y + 14, z - 1 : z + 2] = True
    chi[vein & head.white] += 0.2
    chi[iron & head.white] += 0.12
    found = reference_ground(head.white, head.brain, head.grid, chi_ppm=chi)
    assert (plain & vein).any()
    assert not (found & vein).any()
    assert (found & iron).sum() < 0.05 * (plain & iron).sum()
    assert np.count_nonzero(found) > 0.85 * np.count_nonzero(plain)


def test_noise_is_not_taken_for_veins(head):
    rng = np.random.default_rng(1)
    chi = np.where(head.white, -0.03, 0.0) + 0.025 * rng.standard_normal(head.grid.shape)
    without = reference_ground(head.white, head.brain, head.grid, settings=GroundSettings())
    found = reference_ground(head.white, head.brain, head.grid, chi_ppm=chi)
    assert np.count_nonzero(found) > 0.9 * np.count_nonzero(without)


def test_refusals(head):
    with pytest.raises(InputError, match="no image was given"):
        tissue_classes([], head.brain, head.grid)
    with pytest.raises(InputError, match="too few"):
        tissue_classes(channels(head, "T1w"), np.zeros_like(head.brain), head.grid)
    with pytest.raises(ShapeMismatchError, match="image T1w has shape"):
        tissue_classes([Channel("T1w", np.zeros((3, 3, 3)))], head.brain, head.grid)
