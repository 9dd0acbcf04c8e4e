from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.language.table_export import BYTE_ORDER_MARK, csv_lines, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49 30",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "＝1+1",
        "＠x",
        '=HYPERLINK("http://x")',
        "|calc",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "refund", "a=b", "退货", "3-5 days", "'quoted"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_numbers_times_and_nothing_have_their_own_forms() -> None:
    moment = datetime(2026, 3, 1, 12, 30, 1, 5, tzinfo=UTC)
    assert [safe_cell(cell) for cell in (-5, 0.25, None, True, moment)] == [
        *(-5, 0.25, "", "yes"),
        "2026-03-01T12:30:01+00:00",
    ]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_any_text_comes_back_from_the_file_and_no_cell_starts_a_formula(rows: list[list[str]]) -> None:
    written = "".join(csv_lines(["one", "two"], rows))
    assert written.startswith(BYTE_ORDER_MARK)
    header, *read = list(csv.reader(io.StringIO(written.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert header == ["one", "two"]
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.replace("\0", "").removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.lstrip()[:1] in tuple("=+-@") for row in read for cell in row)
