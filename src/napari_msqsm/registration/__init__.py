"""Coregistration: rigid, 9-parameter and affine alignment of images of one patient, and how far it can be trusted."""
