"""Tab- and comma-separated tables."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from napari_msqsm.io.tables import cells, read_table, write_table


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.tsv.gz", "t.csv.gz"])
def test_separator_and_compression_follow_the_name(tmp_path, name):
    separator = "," if ".csv" in name else "\t"
    text = "\n".join(separator.join(row) for row in (("id", "age"), ("01", "3.5"), ("02", "n/a"))) + "\n"
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    table = read_table(tmp_path / name, text_columns=("id",))
    assert table["id"].tolist() == ["01", "02"]
    assert table["age"][0] == 3.5
    assert pd.isna(table["age"][1])


@pytest.mark.parametrize("word", ["n/a", "N/A", "NA", ""])
def test_words_for_missing(tmp_path, word):
    (tmp_path / "t.tsv").write_text(f"a\tb\n1\t{word}\n")
    assert read_table(tmp_path / "t.tsv")["b"].isna().all()


@pytest.mark.parametrize("word", ["None", "null", "nan", "none"])
def test_other_words_are_words(tmp_path, word):
    (tmp_path / "t.tsv").write_text(f"a\tb\n1\t{word}\n")
    assert read_table(tmp_path / "t.tsv")["b"].tolist() == [word]


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbfparticipant_id\tsex\r\nsub-01\tF\r\n")
    table = read_table(tmp_path / "t.tsv")
    assert table.columns.tolist() == ["participant_id", "sex"]
    assert table["sex"].tolist() == ["F"]


def test_first_column_is_no_index_where_rows_end_with_a_tab(tmp_path):
    (tmp_path / "t.tsv").write_text("participant_id\tsex\nsub-01\tF\t\nsub-02\tM\t\n")
    assert read_table(tmp_path / "t.tsv")["participant_id"].tolist() == ["sub-01", "sub-02"]


def test_missing_table(tmp_path, refused):
    with refused("none.tsv", "does not exist"):
        read_table(tmp_path / "none.tsv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01\x02\n", b"a\tb\n1\t2\n1\t2\t3\t4\n", b"a\tb\n1\t2\t3\n"])
def test_something_else_than_a_table(tmp_path, refused, content):
    (tmp_path / "t.tsv").write_bytes(content)
    with refused("t.tsv", "cannot be read"):
        read_table(tmp_path / "t.tsv")


def test_damaged_compression(tmp_path, refused):
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(b"a\tb\n1\t2\n" * 1000)[:30])
    with refused("t.tsv.gz", "cannot be read"):
        read_table(tmp_path / "t.tsv.gz")


def test_folder(tmp_path, refused):
    with refused(tmp_path, "cannot be read"):
        read_table(tmp_path)


def test_written_table_comes_back(tmp_path):
    table = pd.DataFrame({"id": ["01", "02"], "χ": [1.25, None], "n": [1, 2]})
    write_table(tmp_path / "sub" / "t.tsv", table)
    assert (tmp_path / "sub" / "t.tsv").read_bytes() == "id\tχ\tn\n01\t1.25\t1\n02\tn/a\t2\n".encode()
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "sub" / "t.tsv", text_columns=("id",)), table, check_dtype=False
    )
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["t.tsv"]


def test_cells_are_plain_values_without_the_missing(tmp_path):
    (tmp_path / "t.tsv").write_text("age\tn\tsex\tedss\n3.5\t2\tF\tn/a\n")
    row = cells(read_table(tmp_path / "t.tsv").iloc[0])
    assert row == {"age": 3.5, "n": 2, "sex": "F"}
    assert all(type(value) in (float, int, str) for value in row.values())
