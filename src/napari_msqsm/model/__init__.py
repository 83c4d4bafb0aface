"""Plain data: grids, series, studies. No files, no algorithms."""
