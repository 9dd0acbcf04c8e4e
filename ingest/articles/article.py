"""An article out of a source's fields, with slug and language where the source gives none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from chatbot.language.normalise import fold, tidy
from chatbot.language.written_language import document_language
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.chunking import passages_of
from ingest.articles.links import page_address

MAX_SLUG = 80
_NOT_SLUG = re.compile(r"[^\w]+|_+")


def make_article(
    *,
    title: str,
    body: str,
    slug: str = "",
    lang: str = "",
    section: str = "",
    url: str = "",
    source: str = "",
    questions: Iterable[str] = (),
) -> ArticleDraft:
    """Without ``slug`` one is made of the title; without ``lang`` the text decides. ``url`` is left out where it is no
    address of the web; relative links lead from it."""
    title, url = tidy(title), page_address(url)
    body = body.strip()
    given = dict.fromkeys(tidy(question) for question in questions)
    given.pop("", None)
    given.pop(title, None)
    return ArticleDraft(
        slug=slugify(slug) if slug else f"{slugify(title)[:60].rstrip('-')}-{_short_hash(title)}",
        lang=lang.strip().lower().split("-")[0] or document_language(f"{title} {body}"),
        title=title[:500],
        body=body,
        passages=passages_of(title, body, base=url),
        section=tidy(section)[:200],
        url=url[:1000],
        source=source[:500],
        questions=tuple(given),
    )


def slugify(text: str) -> str:
    """Letters and digits of any script, hyphens between: ``"Refund time?"`` -> ``refund-time``."""
    slug = _NOT_SLUG.sub("-", fold(text)).strip("-")
    return slug[:MAX_SLUG].rstrip("-") or _short_hash(text)


def _short_hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
