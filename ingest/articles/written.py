"""An article as a person or a program writes it, cut into passages as an uploaded file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chatbot.errors import InputError
from chatbot.records.knowledge import ArticleDraft
from chatbot.records.passages import MAX_QUESTIONS, check_language, check_period
from ingest.articles.article import make_article, slugify

MAX_TITLE = 300  # characters
MAX_BODY = 200_000
MAX_URL = 1000
MAX_SECTION = 200


def written_article(
    *,
    title: str,
    body: str,
    slug: str = "",
    lang: str = "",
    section: str = "",
    url: str = "",
    questions: Sequence[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    status: str = "live",
) -> ArticleDraft:
    """``body`` is Markdown. Without ``slug`` one is made of the title; without ``lang`` the text decides.

    Raises InputError naming the field for what is missing, too long or cannot be.
    """
    title, url, lang = " ".join(title.split()), url.strip(), lang.strip().lower()
    if not title or len(title) > MAX_TITLE:
        raise InputError(
            "The title is empty or too long",
            field="title",
            value=title[:80],
            remedy=f"Write 1 to {MAX_TITLE} characters",
        )
    for field, value, most in (("body", body, MAX_BODY), ("section", section.strip(), MAX_SECTION)):
        if len(value) > most:
            raise InputError(
                "This text is too long",
                field=field,
                value=f"{len(value)} characters",
                remedy=f"Use at most {most} characters",
            )
    if lang:
        check_language(lang)
    if url and (len(url) > MAX_URL or not url.lower().startswith(("https://", "http://"))):
        raise InputError(
            "This is no address of a web page",
            field="url",
            value=url[:80],
            remedy="Write it with https:// in front, or leave it out",
        )
    if slug and slugify(slug) != slug:
        raise InputError(
            "This cannot be the name of an article",
            field="slug",
            value=slug[:80],
            remedy=f"Use small letters, digits and hyphens, for example {slugify(slug)}",
        )
    check_period(valid_from, valid_until)
    draft = make_article(
        title=title, body=body, slug=slug, lang=lang, section=section, url=url, questions=questions
    )
    if not draft.passages:
        raise InputError("The article has no words", field="body", remedy="Write what the bot should quote")
    if len(draft.questions) > MAX_QUESTIONS:
        raise InputError(
            "Too many questions for one article",
            field="questions",
            value=len(draft.questions),
            remedy=f"Keep at most {MAX_QUESTIONS}",
        )
    return replace(draft, valid_from=valid_from, valid_until=valid_until, status=status)
