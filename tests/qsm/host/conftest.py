"""A head with scalp, skull, eyes, optic nerves and coil shading."""

from __future__ import annotations

import numpy as np
import pytest

HEAD_VOXEL = (3.0, 3.0, 3.5)
HEAD_SHAPE = (63, 74, 51)


@pytest.fixture(scope="session")
def head(axes_mm):
    """Return a function: shift in mm → magnitude and true brain."""

    def made(shift=(0.0, 0.0, 0.0)):
        x, y, z = (a - s for a, s in zip(axes_mm(HEAD_SHAPE, HEAD_VOXEL), shift, strict=True))

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
        return np.abs(image * shading + 0.03 * rng.standard_normal(HEAD_SHAPE)).astype(np.float32) * 200, brain

    return made
