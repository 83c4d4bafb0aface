"""Lesions: regions of interest carried between grids, and what is measured in them."""
