"""Drawings on disk: files of every label image and table, the journal beside them, opening, saving, recovering."""
