"""Growth curves from a lesion table to files: model, tables, figures, report, R script."""
