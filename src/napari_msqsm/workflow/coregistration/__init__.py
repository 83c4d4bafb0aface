"""Coregistration of the images of a patient: which pairs, alignment, verdict, records, maps on the baseline's grid."""
