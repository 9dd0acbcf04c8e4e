"""Where the links of an article lead: relative ones are made absolute by the address of the page that they stand on
(RFC 3986, section 5), so that they work wherever the article is quoted; what could run in a browser is no link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from markdown_it.token import Token

SAFE = ("http", "https", "mailto", "tel")
_MOST = 3  # links to the own site in one paragraph or item that are told: where all words are links, none is
_SOURCES = (
    ".md",
    ".markdown",
    ".mdx",
    ".rst",
)  # a page's source, which has another address when it is published
_HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)


def page_address(address: str) -> str:
    """The address as it is where it is one of the web, else nothing."""
    address = address.strip()
    return address if _scheme(address) in ("http", "https") and _host(address) else ""


def absolute(target: str, base: str) -> str:
    """Where ``target`` leads from a page at ``base``; nothing where it is unsafe, a place on the same page, or relative
    with no base."""
    target = _as_read(target)
    if not target or target.startswith("#"):
        return ""
    scheme = _scheme(target)
    if scheme in ("http", "https"):
        return page_address(target)
    if scheme:
        return target if scheme in SAFE else ""
    if not base or (_path(target).endswith(_SOURCES) and not _path(base).endswith(_SOURCES)):
        return ""
    try:
        return page_address(urljoin(base, target))
    except ValueError:
        return ""


def absolute_in_page(part: Any, base: str) -> None:
    """Let the links of a BeautifulSoup element lead where ``absolute`` says; of others the words stay."""
    for link in part.find_all("a", href=True):
        told = str(link["href"])
        if target := absolute(told, base):
            link["href"] = target
        elif _scheme(told) or base:
            del link["href"]


def absolute_in_markdown(tokens: Sequence[Token], base: str) -> None:
    """Likewise in the inline tokens of a parsed text, where it stands at ``base``."""
    for token in tokens:
        links = [child for child in token.children or () if child.type == "link_open"]
        pages = [
            child
            for child in token.children or ()
            if child.type == "html_inline" and _HREF.match(child.content)
        ]
        targets = [absolute(str(link.attrs.get("href", "")), base) for link in links]
        targets += [absolute(_given(page.content), base) for page in pages]
        own = [bool(base) and _host(target) == _host(base) for target in targets]
        told = [
            "" if here and sum(own) > _MOST else target for target, here in zip(targets, own, strict=True)
        ]
        for link, target in zip(links, told, strict=False):
            link.attrs["href"] = target
        for page, target in zip(pages, told[len(links) :], strict=True):
            page.content = _leading(page.content, target)


def _leading(tag: str, target: str) -> str:
    return _HREF.sub(lambda found: f'{found[1]}"{target}"', tag, count=1)


def _given(tag: str) -> str:
    found = _HREF.match(tag)
    return next((one for one in found.groups()[1:] if one is not None), "") if found else ""


def _scheme(address: str) -> str:
    before, colon, _ = _as_read(address).partition(":")
    return before.lower() if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", before) else ""


def _as_read(address: str) -> str:
    """As a browser reads it (URL Standard, 4.4): without tabs, line ends, and what is no character around it."""
    return re.sub(r"[\t\n\r]", "", address).strip("".join(map(chr, range(0x21))))


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path.lower()
    except ValueError:
        return ""
