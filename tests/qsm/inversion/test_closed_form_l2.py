from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.dipole import convolve, dipole_kernel
from napari_msqsm.qsm.inversion.closed_form_l2 import ClosedFormL2Settings, closed_form_l2
from napari_msqsm.qsm.stencils import gradient, gradient_adjoint

SHAPE, VOXEL, B0 = (15, 12, 9), (2.0, 1.5, 3.0), (0.0, 0.6, 0.8)


def inverted(field, lambda_gradient, margin_mm=0.0):
    settings = ClosedFormL2Settings(lambda_gradient=lambda_gradient, margin_mm=margin_mm)
    return closed_form_l2(
        field,
        mask=np.ones(field.shape, bool),
        voxel_size_mm=VOXEL,
        b0_direction=B0,
        hz_per_ppm=1.0,
        settings=settings,
    ).chi_ppm


def test_solves_the_normal_equations():
    field = np.random.default_rng(0).standard_normal(SHAPE)
    chi = inverted(field, 0.2)
    dipole = dipole_kernel(SHAPE, VOXEL, B0, like=field)
    penalty = gradient_adjoint(gradient(chi, VOXEL, periodic=True), VOXEL, periodic=True)
    left = convolve(convolve(chi, dipole), dipole) + 0.2 * penalty
    np.testing.assert_allclose(left, convolve(field, dipole), atol=1e-12)


def test_larger_weight_is_smoother():
    field = np.random.default_rng(1).standard_normal(SHAPE)
    rough = [sum((part**2).sum() for part in gradient(inverted(field, value), VOXEL)) for value in (0.01, 0.1, 1.0)]
    assert rough[0] > 1.5 * rough[1] > 1.5**2 * rough[2]


def test_weight_means_the_same_at_any_voxel_size(axes_mm, field_ppm):
    maps = []
    for step in (2.0, 4.0):
        shape = (round(64 / step),) * 3
        r2 = sum(a**2 for a in axes_mm(shape, (step,) * 3, (-step / 2,) * 3))
        field = field_ppm(0.2 * np.exp(-r2 / (2 * 9.0**2)), (step,) * 3, (0, 0, 1))
        maps.append(
            closed_form_l2(
                field,
                mask=r2 < 26**2,
                voxel_size_mm=(step,) * 3,
                b0_direction=(0, 0, 1),
                hz_per_ppm=1.0,
                settings=ClosedFormL2Settings(lambda_gradient=0.5, margin_mm=64.0),
            ).chi_ppm
        )
    coarse = maps[0].reshape(16, 2, 16, 2, 16, 2).mean(axis=(1, 3, 5))
    assert coarse.max() == pytest.approx(maps[1].max(), rel=0.05)
