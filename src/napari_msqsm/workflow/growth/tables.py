"""Tables of a fitted growth model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from napari_msqsm.growth.inference import Estimate
    from napari_msqsm.workflow.growth.fitting import GrowthResult

_FIELDS = ("estimate", "se", "df", "t", "p", "lower", "upper")


def fixed_effects(result: GrowthResult) -> pd.DataFrame:
    """One row for each fixed effect."""
    import pandas as pd

    model = result.model
    found = zip(model.fit.names, model.inference.fixed_effects(), strict=True)
    return pd.DataFrame([{"name": name, **_row(each)} for name, each in found])


def group_means(result: GrowthResult) -> pd.DataFrame:
    """Fitted means of each group, and their difference, at each age or in each bin (the paper's Table 1)."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"group": each.rim, "age_y": each.age_y, "bin": each.bin, **_row(each.estimate)}
        for each in result.model.means()
    ]
    rows += [
        {"group": "rim+ - rim-", "age_y": each.age_y, "bin": each.bin, **_row(each.estimate)}
        for each in result.model.differences()
    ]
    table = pd.DataFrame(rows)
    table["bin"] = table["bin"].astype("Int64")
    return table


def curves(result: GrowthResult) -> pd.DataFrame:
    """Every curve as it is drawn."""
    import pandas as pd

    names = ("age_y", "mean", "se", "lower", "upper", "band_lower", "band_upper")
    parts = [
        pd.DataFrame({"curve": curve.name} | {name: getattr(curve, name) for name in names}) for curve in result.curves
    ]
    return pd.concat(parts, ignore_index=True)


def _row(estimate: Estimate) -> dict[str, float]:
    return {name: getattr(estimate, name) for name in _FIELDS}
