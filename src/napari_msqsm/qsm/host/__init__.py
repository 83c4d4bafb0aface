"""What a GPU cannot do well: NumPy in, NumPy out."""
