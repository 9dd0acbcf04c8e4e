"""Markdown files, one article each, with optional front matter: slug, lang (or language), title, section, url,
questions, valid_from, valid_until; draft and published as site generators know them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.bold_lines import bold_headings
from ingest.articles.chunking import first_heading
from ingest.articles.front_matter import split_front_matter, text_of
from ingest.articles.generator_marks import plain_marks
from ingest.articles.plain_text import plain_markdown
from ingest.articles.validity import beginning, end
from ingest.files import open_text

MAX_ARTICLE = 8 * 1024 * 1024  # bytes
LANGUAGE_FOLDERS = frozenset({"en", "zh", "de", "fr", "nl", "es", "it", "pt", "ja", "ko", "pl"})


def read_markdown(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no text, its front matter is broken, or it has no words."""
    front, body = split_front_matter(open_text(path).text(limit=MAX_ARTICLE), name=path.name)
    if front.get("draft") is True or front.get("published") is False:
        raise FileError(
            f"{path.name} says that it is not published",
            value="draft: true" if front.get("draft") else "published: false",
            remedy="Take that out of its front matter when customers may read it",
        )
    body = plain_markdown(body) if path.suffix.lower() == ".txt" else bold_headings(plain_marks(body))
    title = text_of(front, "title") or first_heading(body) or path.stem.replace("-", " ").replace("_", " ")
    article = make_article(
        title=title,
        body=body,
        slug=text_of(front, "slug") or path.stem,
        lang=text_of(front, "lang", "language", "locale")
        or (path.parent.name if path.parent.name in LANGUAGE_FOLDERS else ""),
        section=text_of(front, "section"),
        url=text_of(front, "url"),
        source=path.name,
        questions=_questions(front),
    )
    if not article.passages:
        raise FileError(
            f"{path.name} has no text", value=path.name, remedy="Write the article below its title"
        )
    try:
        period = beginning(text_of(front, "valid_from")), end(text_of(front, "valid_until"))
    except ValueError as error:
        raise FileError(
            f"{path.name} has a period that is no date",
            value=str(error)[:80],
            remedy="Write a day such as 2026-12-31",
        ) from error
    return replace(article, valid_from=period[0], valid_until=period[1])


def _questions(front: dict[str, Any]) -> list[str]:
    value = front.get("questions")
    if isinstance(value, str):
        return value.splitlines()
    return [str(item) for item in value] if isinstance(value, list) else []
