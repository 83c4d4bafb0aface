"""Synthetic patients with known truth: anatomy, lesions, fields, signals, BIDS studies."""
