"""A page's tables made plain before they become Markdown: rows of as many cells, the first of them the header.

Markdown's tables (GFM, 4.10) know no spans, no parts and no tables within tables; what is none of theirs falls to one
line of bars. Tables that only place what stands on a page are taken apart.
"""

from __future__ import annotations

import copy
from typing import Any

_MOST_SPAN = 100  # rows or columns that a cell is repeated in
_PLACED = ("table", "h1", "h2", "h3", "h4", "h5", "h6")  # no cell of a real table holds one


def make_tables_plain(part: Any) -> None:
    """``part``: a BeautifulSoup element, whose tables are changed."""
    for table in part.find_all("table"):  # the outer before the inner
        if _only_places(table):
            for element in [table, *_own(table, ("caption", "thead", "tbody", "tfoot", "tr", "td", "th"))]:
                element.name = "div"
        else:
            _make_plain(table)


def _own(table: Any, names: tuple[str, ...]) -> list[Any]:
    return [element for element in table.find_all(names) if element.find_parent("table") is table]


def _only_places(table: Any) -> bool:
    """Whether a table is there for the layout: by its role, one box around a text, or around headings or tables."""
    return (
        table.get("role") in ("presentation", "none")
        or len(_own(table, ("td", "th"))) == 1
        or table.find(_PLACED) is not None
    )


def _make_plain(table: Any) -> None:
    """The rows alone, header first and foot last, of one width; a caption stands as a paragraph above them."""
    rows = _own(table, ("tr",))
    rows.sort(key=lambda row: {"thead": 0, "tfoot": 2}.get(row.parent.name, 1))
    _spread(rows)
    width = max((len(_cells(row)) for row in rows), default=0)
    for caption in _own(table, ("caption",)):
        caption.name = "p"
        table.insert_before(caption.extract())
    kept = [row.extract() for row in rows if row.find(("td", "th"))]
    table.clear()
    for row in kept:
        for _ in range(width - len(_cells(row))):
            row.append(_copy(_cells(row)[-1], words=False))
        table.append(row)


def _cells(row: Any) -> list[Any]:
    return list(row.find_all(["td", "th"], recursive=False))


def _spread(rows: list[Any]) -> None:
    """Repeat the cells that span several rows or columns, so that each row says everything."""
    below: dict[int, tuple[int, Any]] = {}  # column -> rows left, cell
    for row in rows:
        cells = _cells(row)
        whole: list[Any] = []
        while cells or len(whole) in below:
            column = len(whole)
            left, cell = below.pop(column, (0, None))
            if cell is None:
                cell = cells.pop(0)
                left = _span(cell, "rowspan")
                wide = _span(cell, "colspan")
                alone = wide > 1 and not whole and not cells  # one statement about the whole table, said once
                cells[:0] = [_copy(cell, rows=left, words=not alone) for _ in range(wide - 1)]
                del cell["colspan"]  # its copies stand for it
            else:
                cell = _copy(cell)
            if left > 1:
                below[column] = (left - 1, cell)
            whole.append(cell)
        for cell in whole:
            row.append(cell.extract())


def _copy(cell: Any, *, rows: int = 1, words: bool = True) -> Any:
    made = copy.copy(cell)
    if not words:
        made.clear()
    made["rowspan"] = str(rows)
    del made["colspan"]
    return made


def _span(cell: Any, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return min(int(value), _MOST_SPAN) if value.isascii() and value.isdigit() and int(value) else 1
