"""An image that is computed part by part."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.widgets.lazy_image import LazyImage

WHOLE = np.random.default_rng(0).random((5, 6, 7), dtype=np.float32)


@pytest.fixture
def lazy():
    """An image of (X, Y, Z) = (5, 6, 7), and the parts that were asked for."""
    asked = []

    def part(box):
        asked.append(box)
        return WHOLE[box]

    return LazyImage(WHOLE.shape, part), asked


@pytest.mark.parametrize(
    "key",
    [
        3,
        -1,
        (2, slice(None), slice(None)),
        (slice(None), np.int64(4), slice(1, 3)),
        (slice(2, 3), slice(None), slice(None)),
        (slice(None), slice(None), 0),
        (1, 2, 3),
        slice(None, None, 2),
    ],
)
def test_every_part_is_that_of_the_reordered_image(lazy, key):
    image, _ = lazy
    expected = WHOLE.transpose(2, 1, 0)
    np.testing.assert_array_equal(image[key], expected[key])
    assert image[key].dtype == image.dtype == np.float32


def test_no_more_is_computed_than_is_seen(lazy):
    image, asked = lazy
    assert (image.shape, image.ndim, image.size, len(image)) == ((7, 6, 5), 3, 210, 7)
    assert not asked
    _ = image[4]
    assert WHOLE[asked[0]].shape == (5, 6, 1)


def test_all_of_it_is_an_array_when_it_must_be(lazy):
    np.testing.assert_array_equal(np.asarray(lazy[0]), WHOLE.transpose(2, 1, 0))
