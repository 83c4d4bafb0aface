"""A slice copied to another one."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.errors import ParameterError
from napari_msqsm.lesions.tools.copy_slice import copied_to_slice


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_lesion_appears_in_the_other_slice_but_not_over_others(axis, painted):
    labels = np.zeros((12, 12, 12), np.uint16)
    drawn = np.moveaxis(labels, axis, 0)
    drawn[4, 3:8, 2:6] = 5
    drawn[4, 9, 9] = 6
    drawn[5, 3:5, 2:6] = 6
    found = np.moveaxis(painted(labels.shape, copied_to_slice(labels, 5, axis=axis, source=4, target=5)), axis, 0)
    wanted = np.zeros((12, 12, 12), bool)
    wanted[5, 5:8, 2:6] = True
    assert np.array_equal(found, wanted)


def test_beyond_the_image_it_is_refused():
    with pytest.raises(ParameterError, match="slice 12 is none"):
        copied_to_slice(np.ones((12, 12, 12), np.uint16), 1, axis=2, source=11, target=12)
