"""Measuring: from what was drawn and the maps on disk to the lesion table, and to the curve of one lesion."""
