"""Choosing the weight between data and smoothness of an inversion from the data."""
