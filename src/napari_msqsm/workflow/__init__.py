"""Running things: stages with a content-hash cache, provenance, tasks; the command line and the window call this."""
