"""Interpolation: images and label images on another grid."""
