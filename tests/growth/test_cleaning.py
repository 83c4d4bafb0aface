"""Rows that are not fitted are counted with their reason."""

import numpy as np
import pandas as pd
import pytest

from napari_msqsm.errors import InputError
from napari_msqsm.growth.cleaning import clean


def table(**columns):
    n = 6
    base = {
        "patient_id": ["A"] * 3 + ["B"] * 3,
        "lesion_id": ["L1"] * 3 + ["L1"] * 3,
        "session_id": ["s1", "s2", "s3"] * 2,
        "lesion_age_y": [0.0, 1.0, 2.0] * 2,
        "rim": ["rim+"] * 3 + ["rim-"] * 3,
        "chi_ppb": np.arange(n, dtype=float),
        "edss": [1.0] * n,
    }
    return pd.DataFrame(base | columns)


def test_clean_table_is_left_alone():
    cleaned = clean(table(), "chi_ppb", ["edss"])
    assert len(cleaned.rows) == 6
    assert cleaned.dropped == {}
    assert cleaned.two_groups


def test_every_reason_is_counted():
    rows = pd.concat([table(), table().iloc[[1]]])
    rows["edss"] = [1.0, 1, 1, 1, 1, np.nan, 1]
    rows["lesion_age_y"] = [-1.0, 1, 2, 0, 1, 2, 1]
    rows["qc_flags"] = ["", "post_gd;small", None, "", "excluded_by_reader", "", ""]
    cleaned = clean(rows, "chi_ppb", ["edss"])
    assert cleaned.dropped == {
        "duplicate of a session": 1,
        "edss is missing": 1,
        "before onset": 1,
        "gradient echo after gadolinium": 1,
        "excluded by the reader": 1,
    }
    assert clean(rows, "chi_ppb", ["edss"], include_post_gd=True).dropped.get("gradient echo after gadolinium") is None


def test_the_first_of_two_rows_of_a_session_stays():
    rows = pd.concat([table(), table(chi_ppb=[99.0] * 6)])
    cleaned = clean(rows, "chi_ppb")
    assert cleaned.rows["chi_ppb"].tolist() == [0, 1, 2, 3, 4, 5]


def test_ineligible_lesions_are_a_switch():
    rows = table(eligible=["yes"] * 3 + ["no: only 2 maps"] * 3)
    cleaned = clean(rows, "chi_ppb")
    assert cleaned.dropped == {"lesion is not eligible": 3}
    assert any("no groups" in note for note in cleaned.notes)
    assert len(clean(rows, "chi_ppb", include_ineligible=True).rows) == 6


def test_order_and_further_columns_do_not_matter():
    rows = table()
    shuffled = rows[list(rows.columns[::-1])].assign(scanner="GE")
    assert clean(shuffled, "chi_ppb").rows["chi_ppb"].tolist() == rows["chi_ppb"].tolist()


@pytest.mark.parametrize("words", [[1, 1, 1, 0, 0, 0], ["1"] * 3 + ["0"] * 3, [1.0] * 3 + [0.0] * 3])
def test_rim_may_be_a_number(words):
    assert clean(table(rim=words), "chi_ppb").rows["rim"].tolist() == ["rim+"] * 3 + ["rim-"] * 3


def test_refusals():
    with pytest.raises(InputError, match="no column edss"):
        clean(table().drop(columns="edss"), "chi_ppb", ["edss"])
    with pytest.raises(InputError, match="'high', which is not a number"):
        clean(table(chi_ppb=["1", "2", "high", "3", "4", "5"]), "chi_ppb")
    with pytest.raises(InputError, match="no row is left"):
        clean(table(rim=[None] * 6), "chi_ppb")
    with pytest.raises(InputError, match="rim is constant"):
        clean(table(rim=["rim+", "rim-", "rim+", "rim-", "rim-", "rim-"]), "chi_ppb")


def test_group_may_be_the_rim_at_onset():
    rows = table(rim_at_session=["rim-", "rim+", "rim+", "rim+", None, "rim-"])
    cleaned = clean(rows, "chi_ppb", rim_at_onset=True)
    assert cleaned.rows["rim"].tolist() == ["rim-"] * 3 + ["rim+"] * 3
    with pytest.raises(InputError, match="rim_at_session"):
        clean(table(), "chi_ppb", rim_at_onset=True)
    unseen = clean(table(rim_at_session=[None] * 3 + ["rim-"] * 3), "chi_ppb", rim_at_onset=True)
    assert unseen.dropped == {"rim is missing": 3}
