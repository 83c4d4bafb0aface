"""A page about a fitted growth model that stands on its own."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from napari_msqsm.growth.descriptives import Descriptives, Share, Spread, describe
from napari_msqsm.growth.group_tests import group_tests
from napari_msqsm.growth.influence import influences
from napari_msqsm.growth.ladder import ladder
from napari_msqsm.lesions.agreement import agreement, clustered_interval
from napari_msqsm.workflow.growth import tables
from napari_msqsm.workflow.growth.diagnostics import diagnostic_figure
from napari_msqsm.workflow.growth.figure import as_svg, growth_figure
from napari_msqsm.workflow.growth.methods_text import CAUTION, SELECTION, methods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from napari_msqsm.growth.inference import Estimate
    from napari_msqsm.growth.peak import Landmark
    from napari_msqsm.workflow.growth.fitting import GrowthResult

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.6em 0}"
    "td,th{padding:.15em .8em;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}.warning{background:#fff3cd;padding:.4em .8em}svg{max-width:100%;"
    "height:auto}"
)


def report_page(result: GrowthResult) -> str:
    """Make the page: HTML with pictures inside, without a script and without anything from elsewhere."""
    model = result.model
    parts = [
        f"<h1>Growth curves: {escape(model.choice.outcome)}</h1>",
        as_svg(growth_figure(result)),
        numbers_html(result),
        "<h2>Does it fit?</h2>",
        as_svg(diagnostic_figure(model, influences(model))),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Growth curves</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def numbers_html(result: GrowthResult) -> str:
    """Warnings, methods, cohort, tests and tables, as HTML without pictures."""
    model = result.model
    parts = [
        *(f'<p class="warning">⚠ {escape(sentence)}</p>' for sentence in model.warnings),
        f"<p>{escape(methods(result))}</p>",
        f"<p><code>{escape(model.formula)}</code></p>",
        "<h2>Cohort</h2>",
        _cohort(describe(model.table.rows, model.choice.outcome), model.choice.outcome),
        _agreement(model.table.rows),
        "<h2>Groups</h2>",
        _groups(result),
        "<h2>Peak and decay</h2>",
        "<p>Peak: age at which the fitted curve is highest. Decay onset: first age after the peak at which the 95 % "
        "interval of f(t) − f(peak) lies below 0.</p>",
        _landmarks(result),
        "<h2>Fixed effects</h2>",
        _frame(tables.fixed_effects(result)),
        "<h2>Fitted means</h2>",
        "<p>At the means of the covariates.</p>",
        _frame(tables.group_means(result)),
        "<h2>Ladder of models</h2>",
        _ladder(result),
        f"<p>{escape(CAUTION)}</p><p>{escape(SELECTION)}</p>",
    ]
    return "".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(_cell(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _frame(frame: pd.DataFrame) -> str:
    rows = frame.astype(object).where(frame.notna(), None)
    return _table([str(name) for name in frame.columns], rows.itertuples(index=False, name=None))


def _cohort(cohort: Descriptives, outcome: str) -> str:
    groups = list(cohort.lesions)
    rows: list[list[Any]] = [["lesions", *(cohort.lesions[rim] for rim in groups)]]
    if cohort.volume_mm3:
        rows.append(["volume at age 0 (mm³)", *(_spread(cohort.volume_mm3.get(rim)) for rim in groups)])
    rows.append([f"{outcome} at age 0", *(_spread(cohort.outcome.get(rim)) for rim in groups)])
    if cohort.central_vein:
        rows.append(["central vein", *(_share(cohort.central_vein.get(rim)) for rim in groups)])
    sentences = [f"{cohort.n_patients} patients, {cohort.n_lesions} lesions, {cohort.n_rows} scans"]
    if cohort.female is not None:
        sentences.append(f"{_share(cohort.female)} female")
    if cohort.patient_age_y is not None:
        sentences.append(f"{_spread(cohort.patient_age_y)} years old at onset")
    sentences.append(
        f"followed for {_spread(cohort.follow_up_y)} years with {_spread(cohort.scans_per_lesion)} scans a lesion"
    )
    sentences += [
        f"{outcome} at age 0 of {name} lesions {_spread(each)}" for name, each in cohort.outcome_by_enhancement.items()
    ]
    if cohort.rim_at_onset is not None:
        sentences.append(f"rim seen at onset in {_share(cohort.rim_at_onset)} of rim+ lesions")
    if cohort.rim_persisting is not None:
        sentences.append(f"seen at onset and at every later scan in {_share(cohort.rim_persisting)}")
    return f"<p>{escape('; '.join(sentences))}.</p>" + _table(["", *groups], rows)


def _agreement(rows: pd.DataFrame) -> str:
    """Agreement of the two raters on the rim, lesion by lesion; empty where the table has no ratings."""
    if not {"rim_rater1", "rim_rater2"} <= set(rows.columns):
        return ""
    lesions = rows.groupby(["patient_id", "lesion_id"], sort=False)[["rim_rater1", "rim_rater2"]].first().reset_index()
    lesions = lesions.dropna()
    if lesions.empty:
        return ""
    first, second = (lesions[name].astype(float) for name in ("rim_rater1", "rim_rater2"))
    found = agreement(first, second)
    lower, upper = clustered_interval(first, second, lesions["patient_id"])
    interval = f"{found.kappa:.3f} ({found.lower:.3f} to {found.upper:.3f}; over patients {lower:.3f} to {upper:.3f})"
    return "<h2>Agreement on the rim</h2>" + _table(
        ["lesions", "both", "only first", "only second", "neither", "κ (95 %)", "PABAK", "positive", "negative"],
        [
            [
                *(found.n, found.both, found.only_first, found.only_second, found.neither, interval),
                *(found.pabak, found.positive, found.negative),
            ]
        ],
    )


def _groups(result: GrowthResult) -> str:
    tests = group_tests(result.model)
    if tests is None:
        return "<p>There is one group.</p>"
    rows: list[list[Any]] = [
        [word, f"F({test.numerator_df}, {test.denominator_df:.1f}) = {test.f:.3f}", f"p = {test.p:.2g}"]
        for word, test in (("do the curves differ at all?", tests.overall), ("by more than a constant?", tests.shape))
        if test is not None
    ]
    out = _table(["test", "statistic", ""], rows)
    if tests.paper:
        out += (
            "<p>The terms that the paper (doi 10.3174/ajnr.A6071) prints, rim- against rim+, in our reading of its "
            "basis:</p>"
            + _table(
                ["term", "estimate", "SE", "df", "p"], ([word, *_four(each)] for word, each in tests.paper.items())
            )
        )
    rows = [[f"at {age:g} y", *_four(each)] for age, each in tests.at_ages.items()]
    if tests.average is not None:
        rows.append(["averaged over age", *_four(tests.average)])
    return out + (_table(["rim+ − rim-", "estimate", "SE", "df", "p"], rows) if rows else "")


def _four(each: Estimate) -> list[float]:
    return [each.estimate, each.se, each.df, each.p]


def _landmarks(result: GrowthResult) -> str:
    sets = [("peak", result.peak), ("decay onset", result.decay_onset)]
    for each in result.bootstraps[1:]:
        sets += [("peak", each.peak), ("decay onset", each.decay_onset)]
    return _table(
        ["", "group", "age (y)", "lower", "upper", "interval"],
        ([word, rim, *_ages(each), each.method] for word, landmarks in sets for rim, each in landmarks.items()),
    )


def _ages(landmark: Landmark) -> list[float | None]:
    return [landmark.age_y, landmark.lower, landmark.upper]


def _ladder(result: GrowthResult) -> str:
    return _table(
        ["model (full likelihood)", "parameters", "log-likelihood", "AIC", "BIC", "χ²", "df", "p"],
        (
            [
                rung.name,
                rung.n_parameters,
                f"{rung.loglik:.2f}",
                f"{rung.aic:.1f}",
                f"{rung.bic:.1f}",
                rung.chi_square,
                rung.df,
                rung.p,
            ]
            for rung in ladder(result.model)
        ),
    )


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"{spread.mean:.4g} ± {spread.sd:.3g}" if spread.n > 1 else f"{spread.mean:.4g}"


def _share(share: Share | None) -> str:
    return "–" if share is None or not share.n else f"{share.count} of {share.n} ({share.percent:.0f} %)"
