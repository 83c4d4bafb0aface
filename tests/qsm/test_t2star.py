from __future__ import annotations

import numpy as np

from napari_msqsm.qsm.t2star import t2star_from_r2star

RATE = np.array([[[0.0, 0.5, 2.0, 20.0, 500.0]]])
MASK = np.ones(RATE.shape, bool)


def test_inverse_with_a_cap():
    np.testing.assert_allclose(t2star_from_r2star(RATE, mask=MASK)[0, 0], [1.0, 1.0, 0.5, 0.05, 0.002])
    assert t2star_from_r2star(RATE, mask=MASK, longest_s=0.2).max() == 0.2
    assert not t2star_from_r2star(RATE, mask=~MASK).any()


def test_every_array_library(xp_case):
    found = t2star_from_r2star(xp_case.asarray(RATE, "float32"), mask=xp_case.asarray(MASK))
    xp_case.check(found, "float32", RATE.shape)
    np.testing.assert_allclose(xp_case.numpy(found), t2star_from_r2star(RATE, mask=MASK), rtol=1e-6)
