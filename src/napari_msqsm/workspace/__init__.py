"""The open work, without Qt: what is there, what is missing, what is done, what to do next."""
