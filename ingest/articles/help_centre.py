"""Articles as help centres export them (Zendesk, Intercom, Freshdesk): lists of JSON objects whose bodies are HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest.articles.bold_lines import bold_headings
from ingest.articles.links import absolute_in_page
from ingest.spreadsheets import missing_reader

_LISTS = ("articles", "data", "results", "items")  # under which a page of an export has its articles
_MARKUP = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:p|div|ul|ol|h[1-6]|table|span|br|b|strong|em|section|article|blockquote)\b[^>]*>",
    re.IGNORECASE | re.DOTALL,
)


def articles_within(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The articles that an object of an export holds in a list, or the object itself."""
    for name in _LISTS:
        held = record.get(name)
        if (
            isinstance(held, list)
            and held
            and all(isinstance(one, dict) and one.get("title") for one in held)
        ):
            yield from held
            return
    yield record


def is_draft(record: Mapping[str, Any]) -> bool:
    """Whether customers do not see it there: Zendesk's ``draft``, Intercom's ``state``, Freshdesk's ``status`` 1."""
    hidden = record.get("draft") is True or record.get("published") is False
    return (
        hidden
        or record.get("state") == "draft"
        or ("description_text" in record and record.get("status") == 1)
    )


def body_markdown(body: str, url: str) -> str:
    """The body as Markdown where it begins as HTML does, else as it is. Relative links lead from ``url``.

    Raises FileError where the reader is not installed.
    """
    if not _MARKUP.match(body):
        return body
    try:
        from bs4 import BeautifulSoup

        from ingest.articles.page_markdown import page_markdown
    except ImportError as error:
        raise missing_reader(Path("HTML")) from error
    soup = BeautifulSoup(body, "html.parser")
    for element in soup.find_all(("script", "style", "template")):
        element.decompose()
    absolute_in_page(soup, url)
    return bold_headings(page_markdown(soup)).strip()
