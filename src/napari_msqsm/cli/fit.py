"""``msqsm fit``: growth curves from a lesion table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.workflow.growth.fitting import GrowthResult

HELP = "fit growth curves of rim+ and rim- lesions to a lesion table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="lesion table: TSV or CSV, also .gz")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for model, tables and figures")
    parser.add_argument("--outcome", default="chi_ppb", metavar="COLUMN", help="what is explained (default: chi_ppb)")
    parser.add_argument(
        "--time",
        choices=("spline", "octile-bins", "octile-poly", "poly"),
        default="spline",
        help="basis over lesion age (default: spline)",
    )
    parser.add_argument(
        "--degree",
        type=common.positive_int,
        default=8,
        metavar="K",
        help="highest degree, capped by the data (default: 8)",
    )
    parser.add_argument(
        "--covariates",
        default="volume_bl_mm3,edss",
        metavar="A,B*rim,…",
        help="covariates, COLUMN*rim for an interaction with the group, or none (default: volume_bl_mm3,edss)",
    )
    parser.add_argument(
        "--random",
        choices=("patient/lesion", "patient", "patient-slope/lesion"),
        default="patient/lesion",
        help="random effects (default: patient/lesion)",
    )
    parser.add_argument(
        "--df",
        choices=("satterthwaite", "kenward-roger"),
        default="satterthwaite",
        help="degrees of freedom (default: satterthwaite)",
    )
    parser.add_argument(
        "--bootstrap", type=int, default=0, metavar="N", help="samples for the intervals of peak and decay (default: 0)"
    )
    parser.add_argument("--no-figures", action="store_true", help="no figures and no report")
    parser.add_argument(
        "--rim-at-onset", action="store_true", help="group lesions by their rim at onset, not at any session"
    )
    parser.add_argument("--log", action="store_true", help="explain the logarithm of the outcome, apt for volumes")
    parser.add_argument(
        "--reduce",
        action="store_true",
        help="leave out covariates with p > 0.05 one after the other; the way is recorded, p values are then too small",
    )
    parser.add_argument("--include-ineligible", action="store_true", help="also fit lesions that are not eligible")
    parser.add_argument(
        "--include-post-gd", action="store_true", help="also fit rows of a gradient echo after gadolinium"
    )


def run(args: argparse.Namespace) -> int:
    """Fit and write."""
    from napari_msqsm.errors import ParameterError
    from napari_msqsm.growth.model import ModelChoice
    from napari_msqsm.workflow.growth.fitting import fit_table, read_lesions
    from napari_msqsm.workflow.growth.record import as_record
    from napari_msqsm.workflow.growth.writing import write_growth

    if args.bootstrap < 0:
        raise ParameterError(f"--bootstrap must be 0 or more, got {args.bootstrap}")
    covariates = tuple(text.strip() for text in args.covariates.split(",") if text.strip())
    choice = ModelChoice(
        outcome=args.outcome,
        time=args.time,
        degree=args.degree,
        covariates=() if covariates == ("none",) else covariates,
        random=args.random,
        df=args.df,
        include_ineligible=args.include_ineligible,
        include_post_gd=args.include_post_gd,
        rim_at_onset=args.rim_at_onset,
        log=args.log,
    )
    table = read_lesions(args.table)
    result: GrowthResult = common.run_task(
        args,
        "fit",
        lambda on_progress, cancel: fit_table(
            table,
            choice,
            reduce=args.reduce,
            bootstrap=args.bootstrap,
            seed=args.seed,
            on_progress=on_progress,
            cancel=cancel,
        ),
    )
    files = write_growth(args.out, result, source=args.table, figures=not args.no_figures)
    for sentence in result.model.warnings:
        common.warn(sentence)
    _tell(args, result)
    for name, path in files.items():
        common.say(args, f"{name:<14} {path}")
    record = as_record(result)
    common.write_json(args, record)
    return common.DONE if record["converged"] else common.NOT_CONVERGED


def _tell(args: argparse.Namespace, result: GrowthResult) -> None:
    model = result.model
    common.say(args, model.formula)
    common.say(args, f"{model.fit.n_rows} rows, {model.n_lesions} lesions, {model.n_patients} patients")
    for reason, count in model.table.dropped.items():
        common.say(args, f"left out: {count} rows, {reason}")
    for step in result.reduction:
        common.say(args, f"left out: covariate {step.covariate}, p = {step.p:.2g}")
    common.say(args, f"{'fixed effect':<22}{'estimate':>12}{'SE':>10}{'df':>9}{'p':>10}")
    for name, each in zip(model.fit.names, model.inference.fixed_effects(), strict=True):
        common.say(args, f"{name:<22}{each.estimate:>12.4g}{each.se:>10.3g}{each.df:>9.1f}{each.p:>10.2g}")
    for word, landmarks in (("peak", result.peak), ("decay onset", result.decay_onset)):
        for rim, landmark in landmarks.items():
            age = _age(landmark.age_y, landmark.lower, landmark.upper)
            common.say(args, f"{word} of {rim}: {age} ({landmark.method})")


def _age(age: float | None, lower: float | None, upper: float | None) -> str:
    if age is None:
        return "none"
    interval = "interval unknown" if lower is None or upper is None else f"95 % interval {lower:.2f} to {upper:.2f}"
    return f"{age:.2f} y, {interval}"
