"""Adjacent normal-appearing white matter: which voxels of the baseline are it, and what χ they have."""
