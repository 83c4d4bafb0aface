"""Small images written on the spot, and the check that an error is one sentence."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

AFFINE = np.diag((1.0, 1.5, 2.0, 1.0))


@contextmanager
def _refused(*words: object, error: type[InputError] = InputError):
    """Expect an error whose message is one sentence that holds all ``words`` and ends without a full stop."""
    with pytest.raises(error) as caught:
        yield caught
    message = str(caught.value)
    assert "\n" not in message
    assert not message.endswith(".")
    for word in words:
        assert str(word) in message, f"{word!r} is not in: {message}"


@pytest.fixture
def refused() -> Callable[..., object]:
    return _refused


def _write_nifti(path, array, affine=AFFINE, *, slope=None, inter=None, sform=1, qform=1, sidecar=None):
    """Write ``array`` as it is; ``slope`` and ``inter`` go to the header without changing the stored values."""
    image = nib.Nifti1Image(array, None, dtype=array.dtype)
    image.header.set_sform(affine, code=sform)
    image.header.set_qform(affine, code=qform, strip_shears=True)
    image.header["magic"] = b"n+1"
    image.header["vox_offset"] = 352
    if slope is None:
        nib.save(image, path)
    else:
        header = image.header.copy()
        header.set_data_dtype(array.dtype)
        header.set_slope_inter(slope, inter or 0.0)
        path.write_bytes(header.binaryblock + b"\0" * 4 + array.tobytes(order="F"))
    if sidecar is not None:
        stem = path.name.removesuffix(".gz").removesuffix(".nii")
        path.with_name(stem + ".json").write_text(json.dumps(sidecar))
    return path


@pytest.fixture
def write_nifti() -> Callable[..., object]:
    return _write_nifti
