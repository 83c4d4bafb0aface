"""What was done, as a paragraph for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm import __version__

if TYPE_CHECKING:
    from napari_msqsm.growth.model import GrowthModel
    from napari_msqsm.workflow.growth.fitting import GrowthResult

_RANDOM = {
    "patient/lesion": "random intercepts of the patient and of the lesion within the patient",
    "patient": "a random intercept of the patient",
    "patient-slope/lesion": "a random intercept and a random slope of age of the patient, and a random intercept of "
    "the lesion",
}
_DF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward and Roger"}
CAUTION = (
    "A lesion is rim+ when a rim was seen at any session: longer follow-up gives more chances to see one, and rims are "
    "read off the very maps whose susceptibility is the outcome. Repeat the analysis with the rim at onset."
)
SELECTION = (
    "If covariates were chosen by looking at their p values, the p values of the model that remains are too small."
)


def methods(result: GrowthResult) -> str:
    """Describe the model, in past tense, with its numbers."""
    model = result.model
    groups = f"group ({' and '.join(model.groups)}), its interaction with time" if len(model.groups) == 2 else ""
    covariates = ", ".join(each.replace("*", " and its interaction with ") for each in model.choice.covariates)
    effects = ", ".join(part for part in ("time", groups, covariates) if part)
    outcome = f"The logarithm of {model.choice.outcome}" if model.choice.log else model.choice.outcome
    sentences = [
        f"{outcome} of {model.n_lesions} lesions of {model.n_patients} patients ({model.fit.n_rows} scans) was "
        f"analysed by a linear mixed model with {effects} as fixed effects and {_RANDOM[model.choice.random]}, "
        "fitted by restricted maximum likelihood.",
        f"Time was lesion age, written as {model.design.basis.formula}.",
        f"Degrees of freedom follow {_DF[model.choice.df]}; intervals are at 95 %; bands are simultaneous over age "
        "(sup-t).",
        _landmarks(result),
        f"Rows left out: {_dropped(model)}. Software: napari-msqsm {__version__}.",
    ]
    return " ".join(sentences)


def _landmarks(result: GrowthResult) -> str:
    if not result.bootstraps:
        return "Intervals of peak and decay onset were approximated by the delta method."
    names = " and ".join(each.method for each in result.bootstraps)
    return f"Intervals of peak and decay onset come from {names} bootstraps ({result.bootstraps[0].n_samples} samples)."


def _dropped(model: GrowthModel) -> str:
    return ", ".join(f"{count} ({reason})" for reason, count in model.table.dropped.items()) or "none"
