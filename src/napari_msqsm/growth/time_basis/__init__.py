"""Bases in which a curve over lesion age is written: one file each, documented with its formula."""
