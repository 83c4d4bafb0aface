"""From multi-echo phase to susceptibility, for NumPy and CuPy arrays alike."""
