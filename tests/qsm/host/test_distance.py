from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.qsm.host.distance import depth_mm


def test_depth_in_mm():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 2:7, 2:7] = True
    depth = depth_mm(mask, (1.0, 2.0, 3.0))
    assert depth[4, 4, 4] == pytest.approx(3.0)
    assert depth[2, 4, 4] == pytest.approx(1.0)
    assert depth[3, 2, 4] == pytest.approx(2.0)
    assert not depth[~mask].any()


def test_beyond_the_image_is_outside():
    depth = depth_mm(np.ones((5, 5, 5), bool), (1.0, 1.0, 1.0))
    assert depth[0, 2, 2] == 1
    assert depth[2, 2, 2] == 3
