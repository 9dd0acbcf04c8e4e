"""Web pages, Word and PDF documents as articles: converted to Markdown, then cut like any other.

HTML goes through markdownify, Word through mammoth (by its styles, to HTML), PDF through pypdf, which knows words
but no headings. Navigation, scripts and page furniture are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.chunking import first_heading
from ingest.files import open_text
from ingest.spreadsheets import check_archive, missing_reader

MAX_PAGE = 32 * 1024 * 1024  # bytes
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
_BLANK_LINES = re.compile(r"\n{3,}")
_HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")
_SOFT_END = re.compile(r"(?<![.!?:。！？：；])\n(?!\s*(?:[-•*·]|\d+[.)、]|\n))")
_BULLET = re.compile(r"^\s*[•·▪●]\s*", re.MULTILINE)


def read_html(path: Path) -> ArticleDraft:
    """Raises FileError where the page has no text."""
    return _page(path, open_text(path).text(limit=MAX_PAGE))


def read_docx(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no Word document, or the reader is not installed."""
    try:
        import mammoth
    except ImportError as error:
        raise missing_reader(path) from error
    check_archive(path)
    try:
        with path.open("rb") as file:
            # pictures would come as long data: addresses; a passage needs only words
            page = mammoth.convert_to_html(
                file, convert_image=mammoth.images.img_element(lambda image: {"src": ""})
            )
    except (KeyError, ValueError, OSError) as error:
        raise FileError(
            f"{path.name} is no Word document", value=str(error), remedy="Save it as .docx"
        ) from error
    return _page(path, page.value)


def read_pdf(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no PDF, is locked, or holds pictures of text alone."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise missing_reader(path) from error
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileError(
                f"{path.name} is locked by a password", value=path.name, remedy="Save it without one"
            )
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        title = ((reader.metadata.title if reader.metadata else None) or "").strip()
    except FileNotFoundError as error:
        raise FileError("There is no such file", value=path, remedy="Check the name") from error
    except (PyPdfError, ValueError, KeyError, OSError, RecursionError) as error:
        raise FileError(
            f"{path.name} is no readable PDF", value=str(error), remedy="Export it again"
        ) from error
    body = _BULLET.sub("- ", _SOFT_END.sub(" ", _HYPHENATED.sub("", text)))
    body = re.sub(r"(?<=[.!?。！？])\n(?=\S)", "\n\n", body)
    return _article(path, title=title, body=body, lang="", url="")


def _page(path: Path, markup: str) -> ArticleDraft:
    try:
        from bs4 import BeautifulSoup
        from markdownify import MarkdownConverter
    except ImportError as error:
        raise missing_reader(path) from error
    soup = BeautifulSoup(markup, "html.parser")
    heading = soup.find("h1")
    title = (
        heading.get_text(" ", strip=True)
        if heading
        else soup.title.get_text(strip=True)
        if soup.title
        else ""
    )
    canonical = soup.find("link", rel="canonical")
    root = soup.find("html")
    main: Any = soup.find("main") or soup.find("article") or soup.body or soup
    for element in main.find_all(_FURNITURE):
        element.decompose()
    body = MarkdownConverter(heading_style="ATX", strip=["img"], bullets="-").convert_soup(main)
    return _article(
        path,
        title=title,
        body=body,
        lang=str(root.get("lang") or "") if root else "",
        url=str(canonical.get("href") or "") if canonical else "",
    )


def _article(path: Path, *, title: str, body: str, lang: str, url: str) -> ArticleDraft:
    body = _BLANK_LINES.sub("\n\n", body).strip()
    article = make_article(
        title=title or first_heading(body) or path.stem.replace("-", " ").replace("_", " "),
        body=body,
        slug=path.stem,
        lang=lang,
        url=url,
        source=path.name,
    )
    if not article.passages:
        raise FileError(
            f"{path.name} has no text",
            value=path.name,
            remedy="If it is a scan, have its text recognised first",
        )
    return article
