"""The Markdown of a page's part: what markdownify makes of it, with what it would lose.

Brackets < > of the text are escaped, cells that span rows or columns are repeated, a table's first row is its header,
a term stands above its definition.
"""

from __future__ import annotations

import copy
from typing import Any

from markdownify import MarkdownConverter

_MOST_SPAN = 100  # rows or columns that a cell is repeated in


class _Converter(MarkdownConverter):
    def escape(self, text: str, parent_tags: Any) -> str:
        escaped = super().escape(text, parent_tags)  # type: ignore[misc]  # its stubs do not name it
        return str(escaped).replace("<", "\\<")

    def convert_dt(self, el: Any, text: str, parent_tags: Any) -> str:
        term = " ".join(text.split())
        return f"\n\n{term}\\\n" if term else ""

    def convert_dd(self, el: Any, text: str, parent_tags: Any) -> str:
        return f"{text.strip()}\n\n"

    def convert_td(self, el: Any, text: str, parent_tags: Any) -> str:
        return " " + " ".join(text.split()).replace("|", "\\|") + " |"

    convert_th = convert_td


def page_markdown(part: Any) -> str:
    """``part``: a BeautifulSoup element, whose tables are changed by it."""
    for table in part.find_all("table"):
        _spread(table)
    converter = _Converter(
        heading_style="ATX", strip=["img"], bullets="-", sup_symbol="<sup>", table_infer_header=True
    )
    return str(converter.convert_soup(part))


def _spread(table: Any) -> None:
    """Repeat the cells that span several rows or columns, so that each row says everything."""
    below: dict[int, tuple[int, Any]] = {}  # column -> rows left, cell
    for row in [row for row in table.find_all("tr") if row.find_parent("table") is table]:
        cells = row.find_all(["td", "th"], recursive=False)
        whole: list[Any] = []
        while cells or len(whole) in below:
            column = len(whole)
            left, cell = below.pop(column, (0, None))
            if cell is None:
                cell = cells.pop(0)
                left = _span(cell, "rowspan")
                wide = _span(cell, "colspan")
                cells[:0] = [_copy(cell, rows=left) for _ in range(wide - 1)]
            else:
                cell = _copy(cell)
            if left > 1:
                below[column] = (left - 1, cell)
            whole.append(cell)
        for cell in whole:
            row.append(cell.extract())


def _copy(cell: Any, *, rows: int = 1) -> Any:
    made = copy.copy(cell)
    made["rowspan"] = str(rows)
    del made["colspan"]
    return made


def _span(cell: Any, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return min(int(value), _MOST_SPAN) if value.isascii() and value.isdigit() and int(value) else 1
