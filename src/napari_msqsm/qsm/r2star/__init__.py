"""R2* from magnitudes: one method per file."""
