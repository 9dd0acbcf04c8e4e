"""Web pages and Word documents as articles: converted to Markdown, then cut like any other.

HTML goes through markdownify, Word through mammoth (by its styles, to HTML). Navigation, scripts and page furniture are
left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.bold_lines import bold_headings
from ingest.articles.chunking import first_heading
from ingest.articles.links import absolute, absolute_in_page
from ingest.articles.page_parts import leave_furniture_out, main_part
from ingest.articles.word_styles import heading_styles
from ingest.files import open_text
from ingest.spreadsheets import check_archive, missing_reader

MAX_PAGE = 32 * 1024 * 1024  # bytes
MAX_WORD_PART = 64 * 1024 * 1024  # bytes of a Word document's text, which is parsed in memory
_WORD_STYLES = "p[style-name='Title'] => p.title:fresh"
_WORD_TITLE = re.compile(r'<p class="title">(.*?)</p>', re.DOTALL)
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
                style_map=f"{_WORD_STYLES}\n{heading_styles(path)}",
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
        main = main_part(soup)
        leave_furniture_out(main)
        based = soup.find("base", href=True)
        absolute_in_page(main, absolute(str(based["href"]), address or own) if based else address or own)
        body = bold_headings(page_markdown(main))
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
