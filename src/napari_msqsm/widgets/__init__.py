"""The window: the only folder that knows Qt and napari, and that holds no science."""
