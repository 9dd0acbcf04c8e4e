"""CSV and its relatives (RFC 4180 where the writer kept to it): which delimiter, and rows with their line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from chatbot.errors import FileError


def best_delimiter(text: str) -> str:
    """Comma, semicolon or tab: the one that the first lines have most often outside quotes, evenly."""
    head = text[:20_000]
    best, score = ",", 0
    for delimiter in (",", "\t", ";"):
        rows = [row for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if any(row)][
            :20
        ]
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=widths.count) if widths else 1
        even = widths.count(usual) * (usual > 1)
        if even > score:
            best, score = delimiter, even
    return best


def numbered_rows(
    lines: Iterable[str], *, delimiter: str, name: str, longest_cell: int
) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each row; a quoted cell may span lines.

    Raises FileError naming the file ``name`` and the line from which on it is no CSV.
    """
    csv.field_size_limit(longest_cell)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileError(
                f"{name} is no readable CSV from line {line} on", value=str(error), remedy="Export it again"
            ) from error
