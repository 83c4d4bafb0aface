"""Numbers and a map that tell whether a result can be trusted."""
