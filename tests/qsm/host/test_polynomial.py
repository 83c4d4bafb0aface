from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.host.polynomial import fit_polynomial

X, Y, Z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (9, 8, 7)), indexing="ij")
MASK = X**2 + Y**2 + Z**2 < 1.2


def test_third_order_is_exact_and_bad_voxels_without_weight_have_no_say():
    image = 1 + 2 * X - Y + 0.5 * X * Y * Z - 0.3 * Z**3 + X**2 * Y
    bad = MASK & (X > 0.7)
    out = fit_polynomial(np.where(bad, 99, image), weights=np.where(bad, 0, 2.0), mask=MASK)
    np.testing.assert_allclose(out, np.where(MASK, image, 0), atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 9, 8), (2, 2, 2), (1, 1, 1)])
def test_thin_images(shape):
    image = sum(np.meshgrid(*map(np.arange, shape), indexing="ij")) * 1.5
    out = fit_polynomial(image, weights=np.ones(shape), mask=np.ones(shape, bool))
    np.testing.assert_allclose(out, image, atol=1e-9)


def test_empty_mask():
    assert not fit_polynomial(X, weights=X * 0 + 1, mask=np.zeros(X.shape, bool)).any()


def test_many_voxels_are_sampled():
    x = np.linspace(-1, 1, 64)[:, None, None] * np.ones((64, 48, 40))
    out = fit_polynomial(x**3, weights=np.ones(x.shape), mask=np.ones(x.shape, bool))
    np.testing.assert_allclose(out, x**3, atol=1e-9)
