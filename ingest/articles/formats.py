"""Article files by their ending, and the walk through folders."""

from __future__ import annotations

import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from chatbot.errors import FileError, FrontdeskError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.documents import cause, read_docx, read_html
from ingest.articles.faq import read_json_faq, read_table, workbook_articles
from ingest.articles.markdown import read_markdown
from ingest.articles.pdf import read_pdf
from ingest.files import Note, RowError, open_text

log = logging.getLogger(__name__)

Rows = Iterator[ArticleDraft | RowError | Note]

_PAGE = re.compile(r"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE)
_JSON_LIST = re.compile(r'(?:\[\s*)?\{\s*"[^"\n]*"\s*:')  # how an object or a list of them begins


def _one(read: Callable[[Path], ArticleDraft]) -> Callable[[Path], Rows]:
    def rows(path: Path) -> Rows:
        yield read(path)

    return rows


def _text(path: Path) -> ArticleDraft:
    """Markdown or plain text. Raises FileError where it cannot be read, or is JSON."""
    head = open_text(path).head.lstrip()
    if _is_json(head):
        raise FileError(
            f"{path.name} is JSON, not the text of an article",
            value=head[:40],
            remedy="Give its name the ending .json",
        )
    return read_markdown(path)


def _is_page(head: str) -> bool:
    head = head.lstrip()
    while head.startswith("<!--"):  # "saved from url=…"
        head = head.partition("-->")[2].lstrip()
    return bool(_PAGE.match(head))


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
_REMEDIES = {  # kinds that hold articles, and what to do with them
    ".doc": "Save it as .docx",
    ".rtf": "Save it as .docx",
    ".odt": "Save it as .docx",
    ".xls": "Save it as .xlsx",
    ".ods": "Save it as .xlsx",
    ".ppt": "Export it as .pdf",
    ".pptx": "Export it as .pdf",
    ".odp": "Export it as .pdf",
    ".epub": "Save it as .html",
}


def article_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and of a folder all those in it that can be read, or ought to be and are refused, in order.

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
            and (ending(file) in READERS or ending(file) in _REMEDIES)
            and not any(p.startswith(".") for p in file.parts[len(path.parts) :])
        )
        if not found:
            raise FileError(
                f"No articles in the folder {path}",
                value=path,
                remedy=f"Put {', '.join(READERS)} files there",
            )
        yield from found


def read_articles(path: Path, *, columns: Mapping[str, str] | None = None) -> Rows:
    """``columns``: the headings of question and answer in tables.

    Raises FileError where the file's kind is not known, or it cannot be read.
    """
    kind = ending(path)
    if kind not in READERS:
        raise FileError(
            f"{path.name} is no kind of article file",
            value=kind or path.name,
            remedy=_REMEDIES.get(kind) or f"Use one of {', '.join(READERS)}",
        )
    return _guarded(kind, path, columns)


def _guarded(kind: str, path: Path, columns: Mapping[str, str] | None) -> Rows:
    """What another library raises on a damaged file is about that file, not about the import."""
    try:
        yield from _read(kind, path, columns)
    except FrontdeskError:
        raise
    except Exception as error:
        log.warning("%s broke its reader", path.name, exc_info=True)
        raise FileError(
            f"{path.name} is damaged, or no {kind} file", value=cause(error), remedy="Save it again"
        ) from error


def _read(kind: str, path: Path, columns: Mapping[str, str] | None) -> Rows:
    found = _kind_by_content(kind, path)
    if found != kind:
        yield Note(f"{path.name} is a {found} file by its content and was read as one")
    if found in _TEXTS and (doubt := open_text(path).doubt()):
        yield Note(doubt)
    if found == ".xlsx":
        yield from workbook_articles(path, columns=columns)
    elif found in (".csv", ".tsv"):
        yield from read_table(path, columns=columns)
    else:
        yield from READERS[found](path)


def _kind_by_content(kind: str, path: Path) -> str:
    """The ending that the file ought to have, where its content leaves no doubt of another than it has."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:  # the reader says what is wrong
        return kind
    if head.startswith(b"%PDF-"):
        return ".pdf"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path) or kind
    if kind in (".html", ".htm", ".json", ".jsonl") or (kind not in _TEXTS and not _may_be_text(head)):
        return kind
    text = open_text(path).head.lstrip()
    if _is_page(text):
        return ".html"
    if kind == ".xlsx" and any(mark in text for mark in ",;\t"):
        return ".csv"
    return kind


def _may_be_text(head: bytes) -> bool:
    return bool(head.strip()) and b"\x00" not in head and not head.startswith(b"\xd0\xcf\x11\xe0")


def _kind_of_archive(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return None
    return ".docx" if "word/document.xml" in names else ".xlsx" if "xl/workbook.xml" in names else None


def ending(path: Path) -> str:
    """The name's ending in lower case, without .gz."""
    endings = [suffix.lower() for suffix in path.suffixes]
    if endings and endings[-1] == ".gz":
        endings.pop()
    return endings[-1] if endings else ""
