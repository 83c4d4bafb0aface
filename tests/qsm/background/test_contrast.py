from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.background.contrast import hat_functions, orthonormal, unshaded_log

SHAPE, VOXEL = (15, 16, 13), (3.0, 3.0, 4.0)


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros(SHAPE, bool)
    mask[1:-1, 2:-1, 1:-2] = True
    return mask


def test_columns_span_functions_of_the_image(xp_case, mask):
    rng = np.random.default_rng(0)
    image = rng.random(SHAPE)
    columns = hat_functions(xp_case.asarray(image), xp_case.asarray(mask), n_levels=9)
    assert len(columns) == 8
    for column in columns:
        xp_case.check(column, "float64", SHAPE)
    inside = np.stack([xp_case.numpy(column)[mask] for column in columns], 1)
    np.testing.assert_allclose(inside.mean(0), 0, atol=1e-12)
    values = image[mask]
    wanted = np.clip(values, *np.quantile(values, [0.02, 0.98])) ** 2
    fit = np.linalg.lstsq(np.column_stack([inside, np.ones(values.size)]), wanted, rcond=None)[0]
    assert np.abs(np.column_stack([inside, np.ones(values.size)]) @ fit - wanted).max() < 0.01


def test_a_flat_image_has_no_columns(mask):
    assert hat_functions(np.ones(SHAPE), mask, n_levels=8) == []
    nearly = 1 + 1e-3 * np.random.default_rng(0).random(SHAPE)
    assert hat_functions(nearly, mask, n_levels=8) == []
    two = np.where(np.arange(SHAPE[0])[:, None, None] < 7, 1.0, 2.0) * np.ones(SHAPE)
    assert len(hat_functions(two, mask, n_levels=8)) == 1


def test_basis_and_triangle_lead_back_and_dependent_columns_are_dropped():
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, 4, 5, 6))
    columns = [first, 2 * first, second, first - second, np.zeros_like(first)]
    basis, triangle = orthonormal(columns)
    assert [len(entry) for entry in triangle] == [1, 0, 2, 0, 0]
    gram = [[np.vdot(a, b) for a in basis] for b in basis]
    np.testing.assert_allclose(gram, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(sum(part * unit for part, unit in zip(triangle[2], basis, strict=True)), second)


def test_shading_and_scale_have_no_say(xp_case, axes_mm, mask):
    rng = np.random.default_rng(2)
    tissue = np.where(rng.random(SHAPE) > 0.5, 1.0, 1.6)
    x, y, z = axes_mm(SHAPE, VOXEL)
    shaded = 300 * tissue * np.exp(0.006 * x + 0.01 * y - 0.004 * z)
    results = []
    for image in (tissue, shaded):
        spoilt = np.where(mask, image, 0)
        out = unshaded_log(xp_case.asarray(spoilt), xp_case.asarray(mask), voxel_size_mm=VOXEL, shading_mm=6.0)
        xp_case.check(out, "float64", SHAPE)
        results.append(xp_case.numpy(out))
    assert not results[0][~mask].any()
    assert np.std((results[1] - results[0])[mask]) < 0.35 * np.std((np.log(shaded) - np.log(tissue))[mask])
    assert np.corrcoef(results[1][mask], tissue[mask])[0, 1] > 0.97
    dark = unshaded_log(np.zeros(SHAPE), mask, voxel_size_mm=VOXEL, shading_mm=20.0)
    assert not dark.any()
