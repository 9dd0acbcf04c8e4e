"""Rows for people's spreadsheets: CSV in which no cell is a formula.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@`` (their full-width forms too), a tab or a return,
wherever the text came from, a stranger's chat message included (CWE-1236; OWASP, "CSV injection"). Such a text gets an
apostrophe in front, which spreadsheets take as "this is text". Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

Cell = str | int | float | bool | datetime | None

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@|＝＋－＠]")


def safe_cell(value: Cell) -> str | int | float:
    """The value as a cell that no spreadsheet evaluates. None is empty, a time is ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.replace("\0", "")
    # Blanks in front do not stop every program from seeing a formula behind them.
    return "'" + text if _FORMULA.match(text) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The table as lines of CSV (RFC 4180), one a row, the byte order mark first; for a streamed download."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    yield BYTE_ORDER_MARK
    for row in chain((header,), rows):
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
