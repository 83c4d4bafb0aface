"""Interpolation kernels and the coefficients of splines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import BSpline

from napari_msqsm.errors import ParameterError
from napari_msqsm.model.resampling.kernels import KERNELS, LANCZOS_SUPPORT, kernel_named
from napari_msqsm.model.resampling.spline_coefficients import mirrored, spline_coefficients

FRACTIONS = np.concatenate([np.linspace(0, 1, 101, endpoint=False), [1e-6, 1 - 1e-6]])


def offsets(kernel):
    """Distance of each sample that counts from each point."""
    taps = np.arange(1 - kernel.half_width, kernel.half_width + 1)
    return FRACTIONS - taps[:, None]


@pytest.mark.parametrize("name", KERNELS)
def test_weights_add_up_to_one_and_mirror(name, xp_case):
    weights = KERNELS[name].weights(xp_case.asarray(FRACTIONS, dtype="float32"))
    assert len(weights) == 2 * KERNELS[name].half_width
    for weight in weights:
        xp_case.check(weight, shape=FRACTIONS.shape)
    values = np.array([xp_case.numpy(weight) for weight in weights])
    np.testing.assert_allclose(values.sum(axis=0), 1, atol=1e-6)
    turned = KERNELS[name].weights(xp_case.asarray(1 - FRACTIONS[1:-2], dtype="float32"))
    np.testing.assert_allclose(values[:, 1:-2], [xp_case.numpy(w) for w in turned[::-1]], atol=1e-6)


def test_lanczos_is_its_formula():
    x = offsets(KERNELS["lanczos"])
    wanted = np.sinc(x) * np.sinc(x / LANCZOS_SUPPORT) * (np.abs(x) < LANCZOS_SUPPORT)
    found = np.array(KERNELS["lanczos"].weights(FRACTIONS))
    np.testing.assert_allclose(found, wanted / wanted.sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[:, 0], np.arange(10) == LANCZOS_SUPPORT - 1, atol=1e-15)


@pytest.mark.parametrize(("name", "degree"), [("cubic", 3), ("quintic", 5)])
def test_splines_are_b_splines(name, degree):
    knots = np.arange(degree + 2) - (degree + 1) / 2
    wanted = BSpline.basis_element(knots, extrapolate=False)(offsets(KERNELS[name]))
    np.testing.assert_allclose(KERNELS[name].weights(FRACTIONS), np.nan_to_num(wanted), atol=1e-12)


@pytest.mark.parametrize("degree", [3, 5])
@pytest.mark.parametrize("shape", [(9, 8, 7), (1, 2, 3), (30, 1, 5)])
def test_coefficients_are_those_of_the_recursive_filter(degree, shape, xp_case):
    image = np.random.default_rng(0).standard_normal(shape)
    found = spline_coefficients(xp_case.asarray(image, dtype="float32"), degree)
    xp_case.check(found, shape=shape)
    wanted = image
    for axis, n in enumerate(shape):
        if n > 1:
            wanted = ndimage.spline_filter1d(wanted, degree, axis=axis, mode="mirror")
    np.testing.assert_allclose(xp_case.numpy(found), wanted, atol=1e-4 if degree == 3 else 1e-3)


def test_mirror_turns_at_the_outermost_samples():
    assert mirrored(np.arange(-4, 7), 3).tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]
    assert mirrored(np.arange(-3, 4), 1).tolist() == [0] * 7


def test_unknown_kernel():
    with pytest.raises(ParameterError, match="lanczos, quintic, cubic, linear or label"):
        kernel_named("nearest")
