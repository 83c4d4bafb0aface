"""Named errors. Every message is one sentence: what, got, wanted, how to fix."""

from __future__ import annotations


class MsqsmError(Exception):
    """Base of all errors that a user can act on; the message is shown as it is, without a traceback."""


class InputError(MsqsmError, ValueError):
    """An input file or array cannot be used."""


class ShapeMismatchError(InputError):
    """Two arrays that must lie on one grid do not."""


class MetadataError(InputError):
    """Information about the scan is missing, inconsistent or in the wrong unit."""


class ParameterError(MsqsmError, ValueError):
    """A setting or argument is outside what it may be."""


class NotConvergedError(MsqsmError, RuntimeError):
    """An iteration stopped before its tolerance and its result cannot be used."""


class GpuUnavailableError(MsqsmError, RuntimeError):
    """The GPU was asked for and cannot be used."""


class CancelledError(MsqsmError, RuntimeError):
    """The user cancelled the work."""
