"""The lesion workbench in the window: panels, tools and keys; what they do to a drawing is decided elsewhere."""
