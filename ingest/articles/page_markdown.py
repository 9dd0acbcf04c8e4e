"""The Markdown of a page's part: what markdownify makes of it, with what it would lose.

Brackets < > of the text are escaped, a table's first row is its header, a term stands above its definition.
"""

from __future__ import annotations

from typing import Any

from markdownify import MarkdownConverter

from ingest.articles.page_tables import make_tables_plain


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

    def convert_tr(self, el: Any, text: str, parent_tags: Any) -> str:
        first = el.find_previous_sibling("tr") is None
        return f"|{text}\n" + ("| --- " * len(el.find_all(("td", "th"))) + "|\n" if first else "")


def page_markdown(part: Any) -> str:
    """``part``: a BeautifulSoup element, whose tables are changed by it."""
    make_tables_plain(part)
    converter = _Converter(heading_style="ATX", strip=["img"], bullets="-", sup_symbol="<sup>")
    return str(converter.convert_soup(part))
