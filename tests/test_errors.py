from __future__ import annotations

import pytest

from napari_msqsm import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.ShapeMismatchError, ValueError),
        (errors.MetadataError, ValueError),
        (errors.ParameterError, ValueError),
        (errors.NotConvergedError, RuntimeError),
        (errors.GpuUnavailableError, RuntimeError),
        (errors.CancelledError, RuntimeError),
    ],
)
def test_every_error_is_ours_and_the_matching_builtin(error, builtin):
    with pytest.raises(builtin, match="one sentence") as caught:
        raise error("one sentence")
    assert isinstance(caught.value, errors.MsqsmError)


def test_unusable_files_arrays_and_headers_are_all_input_errors():
    assert issubclass(errors.ShapeMismatchError, errors.InputError)
    assert issubclass(errors.MetadataError, errors.InputError)
    assert not issubclass(errors.ParameterError, errors.InputError)
