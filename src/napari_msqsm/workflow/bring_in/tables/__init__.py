"""Covariates and dates from the table of a laboratory into a study's ``participants.tsv`` and ``sessions.tsv``."""
