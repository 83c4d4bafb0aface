"""Removing the field of sources outside the brain; one method per file."""
