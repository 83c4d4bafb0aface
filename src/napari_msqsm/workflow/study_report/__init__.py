"""What a study holds, how its protocols differ, what each analysis lacks, and how good its reconstructions are."""
