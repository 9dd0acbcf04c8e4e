"""Article files by their ending, and the walk through folders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.documents import read_docx, read_html, read_pdf
from ingest.articles.faq import read_json_faq, read_table, workbook_articles
from ingest.articles.markdown import read_markdown
from ingest.files import Note, RowError, open_text

Rows = Iterator[ArticleDraft | RowError | Note]

_PAGE = re.compile(r"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE)
_JSON_LIST = re.compile(r'(?:\[\s*)?\{\s*"[^"\n]*"\s*:')  # how an object or a list of them begins


def _one(read: Callable[[Path], ArticleDraft]) -> Callable[[Path], Rows]:
    def rows(path: Path) -> Rows:
        yield read(path)

    return rows


def _text(path: Path) -> ArticleDraft:
    """Markdown or plain text. A page that was saved as text is read as the page it is.

    Raises FileError where it cannot be read, or is JSON.
    """
    head = open_text(path).head.lstrip()
    while head.startswith("<!--"):  # "saved from url=…"
        head = head.partition("-->")[2].lstrip()
    if _PAGE.match(head):
        return read_html(path)
    if _is_json(head):
        raise FileError(
            f"{path.name} is JSON, not the text of an article",
            value=head[:40],
            remedy="Give its name the ending .json",
        )
    return read_markdown(path)


def _is_json(head: str) -> bool:
    """Whether a text begins with an object or a list of them, and not with a link or a word in brackets."""
    if head[:1] not in ("{", "["):
        return False
    try:
        value, end = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        # a list longer than what was read of it
        return bool(_JSON_LIST.match(head))
    first = value[0] if isinstance(value, list) and value else value
    return bool(first) and isinstance(first, dict | list) and head[end:].lstrip()[:1] in ("", "{", "[")


def _json(path: Path) -> Rows:
    yield from read_json_faq(open_text(path))


READERS: dict[str, Callable[[Path], Rows]] = {
    ".md": _one(_text),
    ".markdown": _one(_text),
    ".txt": _one(_text),
    ".csv": read_table,
    ".tsv": read_table,
    ".jsonl": _json,
    ".json": _json,
    ".xlsx": workbook_articles,
    ".html": _one(read_html),
    ".htm": _one(read_html),
    ".docx": _one(read_docx),
    ".pdf": _one(read_pdf),
}


_TEXTS = READERS.keys() - {".xlsx", ".docx", ".pdf"}


def article_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and of a folder all those in it that can be read, in order.

    Raises FileError for a folder without any.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            file
            for file in path.rglob("*")
            if file.is_file()
            and ending(file) in READERS
            and not any(p.startswith(".") for p in file.parts[len(path.parts) :])
        )
        if not found:
            raise FileError(
                f"No articles in the folder {path}",
                value=path,
                remedy=f"Put {', '.join(READERS)} files there",
            )
        yield from found


def read_articles(path: Path) -> Rows:
    """Raises FileError where the file's kind is not known, or it cannot be read."""
    reader = READERS.get(ending(path))
    if reader is None:
        raise FileError(
            f"{path.name} is no kind of article file",
            value=ending(path) or path.name,
            remedy=f"Use one of {', '.join(READERS)}",
        )
    return _read(reader, path)


def _read(reader: Callable[[Path], Rows], path: Path) -> Rows:
    if ending(path) in _TEXTS and (doubt := open_text(path).doubt()):
        yield Note(doubt)
    yield from reader(path)


def ending(path: Path) -> str:
    """The name's ending in lower case, without .gz."""
    endings = [suffix.lower() for suffix in path.suffixes]
    if endings and endings[-1] == ".gz":
        endings.pop()
    return endings[-1] if endings else ""
