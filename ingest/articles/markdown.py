"""Markdown files, one article each, with optional front matter: slug, lang, title, section, url, questions,
valid_from, valid_until."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.chunking import first_heading
from ingest.articles.plain_text import plain_markdown
from ingest.articles.validity import beginning, end
from ingest.files import open_text

MAX_ARTICLE = 8 * 1024 * 1024  # bytes
LANGUAGE_FOLDERS = frozenset({"en", "zh", "de", "fr", "nl", "es", "it", "pt", "ja", "ko", "pl"})


def read_markdown(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no text, its front matter is broken, or it has no words."""
    front, body = split_front_matter(open_text(path).text(limit=MAX_ARTICLE), name=path.name)
    if path.suffix.lower() == ".txt":
        body = plain_markdown(body)
    title = _text(front, "title") or first_heading(body) or path.stem.replace("-", " ").replace("_", " ")
    article = make_article(
        title=title,
        body=body,
        slug=_text(front, "slug") or path.stem,
        lang=_text(front, "lang") or (path.parent.name if path.parent.name in LANGUAGE_FOLDERS else ""),
        section=_text(front, "section"),
        url=_text(front, "url"),
        source=path.name,
        questions=_questions(front),
    )
    if not article.passages:
        raise FileError(
            f"{path.name} has no text", value=path.name, remedy="Write the article below its title"
        )
    try:
        period = beginning(_text(front, "valid_from")), end(_text(front, "valid_until"))
    except ValueError as error:
        raise FileError(
            f"{path.name} has a period that is no date",
            value=str(error)[:80],
            remedy="Write a day such as 2026-12-31",
        ) from error
    return replace(article, valid_from=period[0], valid_until=period[1])


def split_front_matter(text: str, *, name: str) -> tuple[dict[str, Any], str]:
    """(front matter, body). Raises FileError where the front matter is no YAML mapping or is never closed."""
    text = text.replace("\r\n", "\n")
    if not text.startswith("---\n"):
        return {}, text
    head, closed, body = text[4:].partition("\n---\n")
    if not closed:
        head, closed, body = text[4:].partition("\n---")
        if not closed or body.strip():
            raise FileError(
                f"The front matter of {name} is not closed",
                value=head[:60],
                remedy="End it with a line of ---",
            )
    try:
        front = yaml.safe_load(head) or {}
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 2}" if where else ""
        raise FileError(
            f"The front matter of {name} is no YAML{line}",
            value=getattr(error, "problem", None) or head[:60],
            remedy="Put texts with a colon in quotes",
        ) from error
    if not isinstance(front, dict):
        raise FileError(
            f"The front matter of {name} is no mapping", value=head[:60], remedy="Write key: value"
        )
    return front, body


def _text(front: dict[str, Any], key: str) -> str:
    value = front.get(key)
    return "" if value is None else str(value).strip()


def _questions(front: dict[str, Any]) -> list[str]:
    value = front.get("questions")
    if isinstance(value, str):
        return value.splitlines()
    return [str(item) for item in value] if isinstance(value, list) else []
