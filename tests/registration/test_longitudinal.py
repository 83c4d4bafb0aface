"""Time points made of soft blobs, exactly where they are said to be."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_msqsm.errors import CancelledError, ParameterError
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform
from napari_msqsm.registration.host.frames import rotation
from napari_msqsm.registration.host.rigid_mean import rigid_mean
from napari_msqsm.registration.longitudinal import mid_space

SHAPE = (40, 46, 36)


def rigid(turn_deg, shift_mm):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.radians(turn_deg))
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def grid():
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -2.0 * (np.array(SHAPE) - 1)
    return Grid(SHAPE, affine)


def scan(pose, lesion):
    """Grey levels of a head that lies as ``pose`` says, with a lesion of this brightness."""
    at = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), -1)
    points = pose.inverse().apply(at @ grid().affine[:3, :3].T + grid().affine[:3, 3])
    rng = np.random.default_rng(7)
    image = np.zeros(SHAPE)
    for centre in rng.uniform(-1, 1, (60, 3)) * (48, 58, 42):
        image += np.exp(-0.5 * np.sum((points - centre) ** 2, axis=-1) / 8.0**2)
    image += lesion * np.exp(-0.5 * np.sum((points - (20, 10, 5)) ** 2, axis=-1) / 7.0**2)
    head = 1 / (1 + np.exp((np.sqrt(np.sum((points / (56, 66, 50)) ** 2, axis=-1)) - 1) * 30))
    noise = np.random.default_rng(abs(hash(lesion)) % 1000).normal(0, 0.01, SHAPE)
    return (head * (0.5 + 0.5 * np.tanh(image)) + noise).astype(np.float32)


POSES = (rigid((0, 0, 0), (0, 0, 0)), rigid((3, -4, 2), (5, -3, 2)), rigid((-2, 2, 5), (-4, 2, 6)))
POINTS = np.random.default_rng(0).uniform(-40, 40, (50, 3))


@pytest.fixture(scope="module")
def time_points():
    return [scan(pose, lesion) for pose, lesion in zip(POSES, (0.0, 1.5, 3.0), strict=True)]


@pytest.fixture(scope="module")
def middle(time_points):
    return mid_space(time_points, [grid()] * 3, initial=_roughly(POSES))


def _roughly(poses):
    """Transforms of the first pose to each, a little wrong."""
    error = rigid((0.5, 0, -0.5), (0.5, -0.5, 0))
    return [AffineTransform.identity(), *(error.after(pose.after(poses[0].inverse())) for pose in poses[1:])]


def test_the_middle_is_in_the_middle(middle):
    mean = rigid_mean([transform.matrix for transform in middle.transforms])
    np.testing.assert_allclose(mean, np.eye(4), atol=1e-9)
    assert 0 < middle.disagreement_mm < 1.0


def test_time_points_are_found_although_a_lesion_grew(middle):
    for one, other in ((0, 1), (0, 2), (1, 2)):
        true = POSES[other].after(POSES[one].inverse())
        assert middle.between(one, other).distance_mm(true, POINTS).mean() < 0.5


def test_no_time_point_is_favoured(time_points, middle):
    """With the time points in another order the answer is the same."""
    order = (2, 0, 1)
    again = mid_space(
        [time_points[k] for k in order],
        [grid()] * 3,
        initial=_roughly([POSES[k] for k in order]),
    )
    apart = again.between(1, 2).distance_mm(middle.between(0, 1), POINTS)
    assert apart.mean() < 0.15


def test_refusals(time_points):
    with pytest.raises(ParameterError, match="two or more"):
        mid_space(time_points[:1], [grid()], initial=[AffineTransform.identity()])
    stretched = AffineTransform(np.diag([1.01, 1, 1, 1]))
    with pytest.raises(ParameterError, match="model rigid"):
        mid_space(time_points[:2], [grid()] * 2, initial=[AffineTransform.identity(), stretched])
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        mid_space(time_points, [grid()] * 3, initial=_roughly(POSES), cancel=stop)
