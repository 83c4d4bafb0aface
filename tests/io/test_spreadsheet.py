"""Tables as people keep them."""
# ruff: noqa: DTZ001  spreadsheets know no zone

from __future__ import annotations

from datetime import datetime

import openpyxl
import pytest

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.spreadsheet import read_sheet


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_told_by_the_header(tmp_path, separator):
    path = tmp_path / "table.csv"
    path.write_text(f"ID{separator}EDSS\n\n01{separator}3\n02{separator}n/a\n", "utf-8")
    sheet = read_sheet(path)
    assert sheet.columns == ("ID", "EDSS")
    assert sheet.rows == ({"ID": "01", "EDSS": "3"}, {"ID": "02", "EDSS": None})
    assert sheet.lines == (3, 4)


def test_no_treatment_is_a_value(tmp_path):
    (tmp_path / "table.csv").write_text("ID,Treatment\n01,none\n02,unknown\n")
    assert [row["Treatment"] for row in read_sheet(tmp_path / "table.csv").rows] == ["none", None]


def test_semicolons_with_decimal_commas_and_western_letters(tmp_path):
    path = tmp_path / "Tabelle.csv"
    path.write_bytes("Überschrift;Größe\nMüller;3,5\n".encode("cp1252"))
    sheet = read_sheet(path)
    assert sheet.rows == ({"Überschrift": "Müller", "Größe": "3,5"},)
    assert any("cp1252" in note for note in sheet.notes)


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbook_keeps_numbers_and_dates(tmp_path):
    rows = [["Study of lesions"], [], ["ID", "EDSS", "Date"], ["01", 3.5, datetime(2020, 3, 4)], [None, None, None]]
    sheet = read_sheet(workbook(tmp_path / "t.xlsx", data=rows))
    assert sheet.rows == ({"ID": "01", "EDSS": 3.5, "Date": datetime(2020, 3, 4)},)
    assert sheet.lines == (4,)
    assert "data" in sheet.name


def test_sheets_are_chosen(tmp_path):
    path = workbook(tmp_path / "t.xlsx", one=[["a", "b"], [1, 2]], two=[["c", "d"], [3, 4]])
    with pytest.raises(ParameterError, match="several sheets"):
        read_sheet(path)
    assert read_sheet(path, sheet="two").columns == ("c", "d")
    with pytest.raises(ParameterError, match="no sheet 'x'"):
        read_sheet(path, sheet="x")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ParameterError, match="no workbook"):
        read_sheet(tmp_path / "t.csv", sheet="x")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"a,b\n", "no row of values"),
        ("t.csv", b"a,b,a\n1,2,3\n", "two columns 'a'"),
        ("t.csv", b"a,b\n1,2,3\n", "line 2: '3' stands below no header"),
        ("t.csv", b'a,b\n"1,2\n', "cannot be read"),
        ("t.csv", b"a,b\n\0\0\n", "not a text file"),
        ("t.xlsx", b"no workbook", "cannot be read as a workbook"),
        ("t.xls", b"old", "save it as .xlsx"),
    ],
)
def test_refusals(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_sheet(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="does not exist"):
        read_sheet(tmp_path / "nothing.csv")
