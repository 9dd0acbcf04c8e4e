"""Addresses: of what an answer cites (where the company's own page has none, our help page shows the article), and of
the page on which a visitor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from chatbot.dialogue.trace import Hit, Reply, Source, Trace
from chatbot.errors import InputError

LONGEST_PAGE = 500  # characters
NOWHERE = (".example", ".invalid")  # reserved names that lead nowhere (RFC 2606, section 2): sample data


def help_path(lang: str, slug: str) -> str:
    """Where web/widget/pages.py shows the article."""
    return f"/help/{quote(lang, safe='')}/{quote(slug, safe='')}"


def with_help_pages(reply: Reply, trace: Trace) -> Reply:
    """The reply with a path on this installation for each source that has no address that leads anywhere."""
    parts = tuple(
        replace(part, sources=tuple(_reachable(source, decided.hits) for source in part.sources))
        for part, decided in zip(reply.parts, trace.parts, strict=True)
    )
    return replace(reply, parts=parts)


def absolute(reply: dict[str, Any] | None, origin: str) -> dict[str, Any] | None:
    """A stored reply with whole addresses: clients are not on this origin."""
    if reply is None:
        return None
    parts = [
        part
        | {
            "sources": [source | {"url": _whole(source["url"], origin)} for source in part["sources"]],
            "cards": whole_cards(part.get("cards"), origin),  # replies from before there were cards have none
        }
        for part in reply["parts"]
    ]
    return reply | {"parts": parts}


def visited_page(address: str) -> str:
    """The page without what may say who looks at it (name, password, query, fragment), cut to what is stored.

    Raises InputError for what is no address of a web page.
    """
    try:
        found = urlsplit(address)
        host, port = found.hostname, found.port
    except ValueError:  # "http://[", a port of 99999
        host, port = None, None
    if not host or found.scheme not in ("http", "https"):
        raise InputError(
            "This is no address of a web page",
            field="page",
            value=address[:200],
            remedy="Send one that begins with https://, or leave it out",
        )
    name = f"[{host}]" if ":" in host else host
    return f"{found.scheme}://{name}{f':{port}' if port else ''}{found.path or '/'}"[:LONGEST_PAGE]


def whole_cards(cards: Sequence[dict[str, Any]] | None, origin: str) -> list[dict[str, Any]]:
    """Cards as JSON with whole addresses."""
    return [
        card
        | {
            "image": _whole(card["image"], origin),
            "links": [link | {"url": _whole(link["url"], origin)} for link in card["links"]],
        }
        for card in cards or ()
    ]


def _whole(address: str, origin: str) -> str:
    return origin + address if address.startswith("/") else address


def _reachable(source: Source, hits: Sequence[Hit]) -> Source:
    if source.url and not (urlsplit(source.url).hostname or "").endswith(NOWHERE):
        return source
    cited = next((hit for hit in hits if hit.text == source.quote and hit.article_slug), None)
    return replace(source, url=help_path(cited.lang, cited.article_slug)) if cited else source
