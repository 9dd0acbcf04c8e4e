"""Web pages and Word documents as articles: converted to Markdown, then cut like any other.

HTML goes through markdownify, Word through mammoth (by its styles, to HTML). Navigation, scripts and page furniture are
left out.
"""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.chunking import first_heading
from ingest.articles.links import absolute, absolute_in_page
from ingest.files import open_text
from ingest.spreadsheets import check_archive, missing_reader

MAX_PAGE = 32 * 1024 * 1024  # bytes
MAX_WORD_PART = 64 * 1024 * 1024  # bytes of a Word document's text, which is parsed in memory
_WORD_STYLES = "p[style-name='Title'] => p.title:fresh"
_WORD_TITLE = re.compile(r'<p class="title">(.*?)</p>', re.DOTALL)
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
_BLANK_LINES = re.compile(r"\n{3,}")


def read_html(path: Path) -> ArticleDraft:
    """Raises FileError where the page has no text."""
    return article_of_html(
        open_text(path).text(limit=MAX_PAGE), name=path.name, slug=path.stem, source=path.name
    )


def read_docx(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no Word document, or the reader is not installed."""
    try:
        import mammoth
    except ImportError as error:
        raise missing_reader(path) from error
    check_archive(path, part=MAX_WORD_PART)
    try:
        with path.open("rb") as file:
            # pictures would come as long data: addresses; a passage needs only words
            page = mammoth.convert_to_html(
                file,
                convert_image=mammoth.images.img_element(lambda image: {"src": ""}),
                style_map=_WORD_STYLES,
            )
    except Exception as error:  # mammoth lets through whatever zipfile, expat and its own readers raise
        raise FileError(
            f"{path.name} is no Word document", value=cause(error), remedy="Save it as .docx"
        ) from error
    return article_of_html(
        _under_title(page.value), name=path.name, slug=path.stem, source=path.name, scan=True
    )


def _under_title(page: str) -> str:
    """A Word document's HTML with its title as the one heading of level 1, and the other headings below it."""
    if not _WORD_TITLE.search(page):
        return page
    page = re.sub(r"<(/?)h([1-5])>", lambda tag: f"<{tag[1]}h{int(tag[2]) + 1}>", page)
    return _WORD_TITLE.sub(r"<h1>\1</h1>", page, count=1)


def cause(error: Exception) -> str:
    """What another library's error says, on one line of a report."""
    return f"{type(error).__name__}: {error}"[:200]


def article_of_html(
    markup: str | bytes,
    *,
    name: str,
    slug: str,
    address: str = "",
    encoding: str | None = None,
    source: str = "",
    scan: bool = False,
) -> ArticleDraft:
    """The article of a page's main part; its ``url`` is the page's canonical address, where it names one.

    ``address``: where the page was read, from which its relative links lead; else they do from what the page says.

    ``name`` is what messages call the page; ``scan`` whether it may be a picture of text. Raises FileError where it
    has no text.
    """
    try:
        from bs4 import BeautifulSoup

        from ingest.articles.page_markdown import page_markdown
    except ImportError as error:
        raise missing_reader(Path(name)) from error
    try:
        soup: Any = BeautifulSoup(
            markup, "html.parser", from_encoding=encoding if isinstance(markup, bytes) else None
        )
        heading = soup.find("h1")
        title = (
            heading.get_text(" ", strip=True)
            if heading
            else soup.title.get_text(strip=True)
            if soup.title
            else ""
        )
        own = _own_address(soup, address)
        root = soup.find("html")
        main = _main_part(soup)
        kept = _folded(main)
        for element in main.find_all(lambda element: _is_furniture(element, kept)):
            element.decompose()
        based = soup.find("base", href=True)
        absolute_in_page(main, absolute(str(based["href"]), address or own) if based else address or own)
        body = page_markdown(main)
    except (
        RecursionError,
        LookupError,
    ) as error:  # elements nested a thousand deep; an encoding nobody knows
        raise FileError(
            f"{name} cannot be read as a page", value=type(error).__name__, remedy="Save it as text"
        ) from error
    return document_article(
        name,
        title=title,
        body=body,
        slug=slug,
        source=source,
        lang=str(root.get("lang") or "") if root else "",
        url=own,
        scan=scan,
    )


def _own_address(soup: Any, address: str) -> str:
    """What the page says that its address is; nothing where it says none."""
    canonical = soup.find("link", rel="canonical") or soup.find("meta", property="og:url")
    told = str(canonical.get("href") or canonical.get("content") or "") if canonical else ""
    return absolute(told, address)


def _main_part(soup: Any) -> Any:
    """Where the page says what it is about: one element, or what holds all its articles."""
    marked = (
        soup.find("main") or soup.find(attrs={"role": "main"}) or soup.find(attrs={"itemprop": "articleBody"})
    )
    if marked:
        return marked
    articles = soup.find_all("article")
    if not articles:
        return soup.body or soup
    first, *others = articles
    around = first
    for other in others:
        while not any(holder is around for holder in (other, *other.parents)):
            around = around.parent
    return around


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


def document_article(
    name: str, *, title: str, body: str, slug: str, source: str, lang: str, url: str, scan: bool
) -> ArticleDraft:
    """The article of a document's Markdown. Without ``title`` its first heading is it, or its name; ``scan`` as above.

    Raises FileError where it has no text.
    """
    body = _BLANK_LINES.sub("\n\n", body).strip()
    article = make_article(
        title=title or first_heading(body) or slug.replace("-", " ").replace("_", " "),
        body=body,
        slug=slug,
        lang=lang,
        url=url,
        source=source,
    )
    if not article.passages:
        raise FileError(
            f"{name} has no text",
            value=name,
            remedy="If it is a scan, have its text recognised first"
            if scan
            else "Check that the page holds its text itself: what scripts load later is not in it",
        )
    return article
