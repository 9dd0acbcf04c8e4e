"""The part of a web page that is its text, told by elements, roles and the names that help centres give their parts."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

_FURNITURE = (
    "script",
    "style",
    "nav",
    "footer",
    "header",
    "aside",
    "form",
    "noscript",
    "svg",
    "template",
    "button",
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_FURNITURE_ROLES = ("navigation", "banner", "contentinfo", "search", "dialog", "alertdialog")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_FOLDS = re.compile(r"accordion|faq|toggle|collaps|answer|panel|\btab", re.IGNORECASE)
# classes and ids by which help centres, wikis and blogs call the text, and what stands around it
_MAIN = re.compile(
    r"(?:article|post|entry|page|wiki|kb|help)[-_]{1,2}(?:body|content|text)|markdown-body", re.IGNORECASE
)
_CALLED = re.compile(
    r"(?:[\w-]*[-_])?(?:breadcrumbs?|sidebar|toc|table-of-contents|meta|byline|(?:article|post|entry)[-_]{1,2}(?:meta|votes?|info)"
    r"|related(?:[-_]{1,2}(?:articles?|posts?|links?|topics?|content))?|votes?|cookie-?(?:s|banner|consent|notice|bar)?"
    r"|pagination|pager|social(?:-share|-links)?|share(?:-buttons?|-links?)|newsletter|skip-?(?:link|to-content)"
    r"|comments?|edit-link|editsection|prev-next|was-this-helpful)",
    re.IGNORECASE,
)
# what old pages call the parts that newer ones have elements for
_SITE = r"(?:(?:site|page|main|global|top|bottom|left|right|side|mobile|primary|secondary|sub)[-_]?)?"
_MENU = re.compile(_SITE + r"(?:nav(?:bar|igation)?|menu|links|masthead|topbar)", re.IGNORECASE)
_FOOT = re.compile(_SITE + r"(?:foot(?:er)?|copyright)", re.IGNORECASE)
_CONTENT = re.compile(r"(?:main|page|site)?[-_]?(?:content|main)|primary", re.IGNORECASE)
_LINKS = 0.6  # of the characters of a menu
_MOST = 0.5  # of a part's text: what is more is what it tells


def main_part(soup: Any) -> Any:
    """Where the page says what it is about: one element, or what holds all its articles."""
    marked = (
        soup.find("main") or soup.find(attrs={"role": "main"}) or soup.find(attrs={"itemprop": "articleBody"})
    )
    if marked:
        return marked
    articles = soup.find_all("article")
    if not articles:
        called = soup.find_all(class_=_MAIN)
        return called[0] if len(called) == 1 else _content(soup) or soup.body or soup
    first, *others = articles
    around = first
    for other in others:
        while not any(holder is around for holder in (other, *other.parents)):
            around = around.parent
    return around


def _content(soup: Any) -> Any:
    """What an old page calls its content by an id, where it holds the heading or most of the text."""
    for element in soup.find_all(id=_CONTENT):
        if _CONTENT.fullmatch(str(element["id"])) and (
            element.find("h1") or len(element.get_text()) > _MOST * len(soup.get_text())
        ):
            return element
    return None


def leave_furniture_out(main: Any) -> None:
    """Take out of a page's part what is no text of it: by element or role, hidden, or by what its class calls it."""
    kept = _folded(main)
    for element in main.find_all(lambda element: _is_furniture(element, kept)):
        element.decompose()
    most = len(main.get_text()) * _MOST
    for element in main.find_all(lambda element: id(element) not in kept and _called_furniture(element)):
        if not element.decomposed and not element.find("h1") and len(element.get_text()) <= most:
            element.decompose()


def _called_furniture(element: Any) -> bool:
    names = (*(element.get("class") or ()), str(element.get("id") or ""))
    if element.name in ("ul", "ol"):  # a page's own table of contents
        links = element.find_all("a", href=True)
        if links and all(str(link["href"]).startswith("#") for link in links):
            return len(element.get_text(strip=True)) == sum(len(link.get_text(strip=True)) for link in links)
    return (
        any(map(_CALLED.fullmatch, names))
        or any(map(_FOOT.fullmatch, names))
        or (any(map(_MENU.fullmatch, names)) and _is_of_links(element))
    )


def _is_of_links(element: Any) -> bool:
    linked = sum(len(link.get_text(strip=True)) for link in element.find_all("a"))
    return linked >= _LINKS * len(element.get_text(strip=True))


def _folded(main: Any) -> set[int]:
    """Ids of what only looks like furniture: the buttons of an accordion, which hold its questions, and the folded
    parts that they open, which hold the answers."""
    parts = {part["id"]: part for part in main.find_all(id=True)}
    kept: set[int] = set()
    for button in main.find_all("button"):
        names = str(button.get("aria-controls") or "").split()
        opened = [parts[name] for name in names if name in parts]
        heading = button.find_parent(_HEADINGS) or (button if button.find(_HEADINGS) else None)
        if heading:
            opened.append(heading.find_next_sibling())
        else:  # what a menu's button opens holds links alone
            opened = [part for part in opened if part.find("p")]
        opened = [part for part in opened if part and not _never_text(part)]
        if not heading and opened:
            button.name = "p"  # a paragraph of its own, not a word of the answer
        if heading or opened:
            kept.update(id(one) for one in (button, *opened))
    return kept


def _never_text(element: Any) -> bool:
    if element.name == "header" and element.find_parent(("main", "article", "section")):
        return element.get("role") in _FURNITURE_ROLES  # the head of what is told, not the site's
    return element.name in _FURNITURE or element.get("role") in _FURNITURE_ROLES


def _is_unseen(element: Any) -> bool:
    """Hidden by its own style, and no answer that a click on the question before it unfolds."""
    if not _HIDDEN_STYLE.search(str(element.get("style") or "")):
        return False
    before = element.find_previous_sibling()
    names = " ".join(
        part for one in (element, before, element.parent) if one for part in one.get("class") or ()
    )
    return not (_FOLDS.search(names) or (before and before.name in (*_HEADINGS, "dt", "summary")))


def _is_furniture(element: Any, kept: Container[int]) -> bool:
    return id(element) not in kept and (
        _never_text(element)
        or element.get("aria-hidden") == "true"
        or element.get("hidden") is not None
        or _is_unseen(element)
    )
