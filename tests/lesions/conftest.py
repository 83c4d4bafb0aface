"""Lesions with a known χ, scanned twice."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.phantom.followed import FollowedLesion, lone_lesion


@pytest.fixture(scope="session")
def lesions() -> tuple[FollowedLesion, ...]:
    """Six lesions with a rim and six without."""
    rng = np.random.default_rng(1)
    return tuple(lone_lesion(rng, rim=number % 2 == 0) for number in range(12))
