"""The panel *Growth curves*: choices, figure, residuals, numbers; what is fitted is computed elsewhere."""
