"""An R script that repeats a fit with lme4, lmerTest and pbkrtest, from the rows that were fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from napari_msqsm.workflow.growth.fitting import GrowthResult

ROWS = "rows.csv"
_HEAD = """# Repeats the fit of msqsm with lme4: Rscript model.R in this folder.
# The time basis is in the columns ot1 ... of {rows}; how it was made:
# {formula}
suppressMessages({{library(lme4); library(lmerTest)}})
d <- read.csv("{rows}", check.names = FALSE,
              colClasses = c(patient_id = "character", lesion_id = "character"))
m <- lmer({model}, data = d, REML = TRUE,
          control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5),
                                calc.derivs = TRUE, check.conv.singular = "ignore"))
cat("logLik", format(as.numeric(logLik(m)), digits = 15), "\\n")
cat("singular", isSingular(m), "\\n")
s <- coef(summary(m, ddf = "{ddf}"))
write.csv(data.frame(name = rownames(s), estimate = s[, 1], se = s[, 2], df = s[, 3], t = s[, 4], p = s[, 5]),
          "model_R.csv", row.names = FALSE)
print(s)
print(VarCorr(m), comp = "Variance")
"""
_DDF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger"}


def r_script(result: GrowthResult) -> str:
    """Text of the script; it reads the table of `r_rows`.

    The group's column is ``rimm``: 0 with a rim, 1 without; columns that were dropped are not in the formula.
    """
    model = result.model
    terms = [_r_name(name) for name in model.fit.names if name != "(Intercept)"]
    fixed = " + ".join(["1", *terms])
    random = model.random_in_r
    outcome = f"log({model.choice.outcome})" if model.choice.log else model.choice.outcome
    return _HEAD.format(
        rows=ROWS,
        formula=model.design.basis.formula,
        model=f"{outcome} ~ {fixed} + {random}",
        ddf=_DDF[model.choice.df],
    )


def r_rows(result: GrowthResult) -> pd.DataFrame:
    """Rows that were fitted, with the columns of the time basis."""
    model = result.model
    rows = model.table.rows
    names = ["patient_id", "lesion_id", "lesion_age_y", "rim", model.choice.outcome, *model.design.means]
    table = rows[list(dict.fromkeys(names))].copy()
    table["rimm"] = (rows["rim"] == "rim-").astype(int)
    columns = model.design.basis.evaluate(rows["lesion_age_y"].to_numpy(dtype=np.float64))
    for name, column in zip(model.design.basis.names, columns.T, strict=True):
        table[name] = column
    return table


def _r_name(name: str) -> str:
    """Name of a column in R: in backticks where it is no word."""
    parts = ("rimm" if part == "rim-" else part for part in name.split(":"))
    return ":".join(part if part.isidentifier() else f"`{part}`" for part in parts)
