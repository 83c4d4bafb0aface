"""Growth curves: susceptibility of lesions against their age, by linear mixed models."""
