"""PDF documents as articles: pypdf gives the words and how they look, which tells the headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.documents import cause, document_article
from ingest.articles.pdf_columns import in_columns
from ingest.articles.pdf_headings import Part, parts_of
from ingest.articles.pdf_lines import Line, in_rows, page_lines
from ingest.articles.pdf_text import running_left_out
from ingest.spreadsheets import missing_reader

MAX_PDF_PAGES = 3000
_SHORT = 0.5  # of a full line, which a line within a sentence is not
_HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")
_SOFT_END = re.compile(r"(?<![.!?:。！？：；])\n(?!\s*(?:[-•*·]|\d+[.)、]|\n))")
_WIDE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_SENTENCE_ENDED = re.compile(r"(?<=[.!?。！？])\n(?=\S)")
_BULLET = re.compile(r"^\s*[•·▪●]\s*", re.MULTILINE)
_MARK = re.compile(r"^(\s*)(?=#{1,6}\s)", re.MULTILINE)
# what programs write where nobody has given a title
_NO_TITLE = re.compile(
    r"microsoft \w+ -|untitled"
    r"|.*\.(?:docx?|odt|rtf|indd|pages|pdf|xlsx?|pptx?|html?|md)$|(?:document|slide|文档)\s*\d*$",
    re.IGNORECASE,
)


def read_pdf(path: Path) -> ArticleDraft:
    """Raises FileError where the file is no PDF, is locked, or holds pictures of text alone."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError
    except ImportError as error:
        raise missing_reader(path) from error
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not _opens(reader):
            raise _locked(path)
        if len(reader.pages) > MAX_PDF_PAGES:
            raise FileError(
                f"{path.name} has more than {MAX_PDF_PAGES} pages",
                value=len(reader.pages),
                remedy="Split it into smaller files",
            )
        lines = running_left_out([in_rows(in_columns(page_lines(page))) for page in reader.pages])
        title = ((reader.metadata.title if reader.metadata else None) or "").strip()
    except FileError:
        raise
    except DependencyError as error:  # AES: the reader tries the empty password at once
        raise _locked(path) from error
    except FileNotFoundError as error:
        raise FileError("There is no such file", value=path, remedy="Check the name") from error
    except Exception as error:  # a damaged PDF makes pypdf raise nearly anything
        raise FileError(
            f"{path.name} is no readable PDF", value=cause(error), remedy="Export it again"
        ) from error
    parts = parts_of(lines)
    width = _width(lines)
    over = next((part.lines[0] for part in parts if part.level == 1), "")  # what stands over the document
    title = over or ("" if _NO_TITLE.match(title) else title)
    return document_article(
        path.name,
        title=title,
        body="\n\n".join(_markdown(part, width) for part in parts),
        slug=path.stem,
        source=path.name,
        lang="",  # /Lang is what the writing program is set to, whatever was written
        url="",
        scan=True,
    )


def _locked(path: Path) -> FileError:
    return FileError(f"{path.name} is locked by a password", value=path.name, remedy="Save it without one")


def _width(lines: Sequence[Line]) -> float:
    """Characters of a full line: what four in five do not exceed."""
    counts = sorted(len(line.text.strip()) for line in lines)
    return counts[len(counts) * 4 // 5] if counts else 0.0


def _markdown(part: Part, width: float) -> str:
    if part.level:
        return f"{'#' * part.level} {part.lines[0]}"
    text = _HYPHENATED.sub("", _MARK.sub(r"\1\\", "\n".join(part.lines)))
    text = _SOFT_END.sub(lambda end: _glue(end, width), text)
    return _SENTENCE_ENDED.sub("\n\n", _BULLET.sub("- ", text))


def _glue(end: re.Match[str], width: float) -> str:
    """What stands for the end of a line within a sentence: nothing between Chinese characters; the end itself, as
    Markdown has it, behind a line much shorter than the others, as in a table or an address."""
    text, before, behind = end.string, end.string[end.start() - 1], end.string[end.end() : end.end() + 1]
    line = text[text.rfind("\n", 0, end.start()) + 1 : end.start()]
    if len(line.strip()) < _SHORT * width and not behind.islower():
        return "\\\n"
    return "" if _WIDE.match(before) and _WIDE.match(behind) else " "


def _opens(reader: Any) -> bool:
    """Whether an encrypted PDF opens without a password. A cipher that needs a library we lack counts as locked."""
    from pypdf.errors import DependencyError

    try:
        return bool(reader.decrypt(""))
    except (DependencyError, NotImplementedError):
        return False
