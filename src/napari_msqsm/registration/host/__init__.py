"""What runs on the host whatever library the images are in: a few parameters and 4×4 matrices."""
