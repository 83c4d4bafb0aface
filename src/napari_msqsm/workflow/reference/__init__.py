"""The reference of every lesion of a patient: where it is, and what χ it has at each session."""
