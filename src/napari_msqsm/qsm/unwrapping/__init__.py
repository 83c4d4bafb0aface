"""Unwrapping of the field: one file per method."""
