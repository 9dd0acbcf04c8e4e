"""FAQ files: a question and its answer a row, as CSV, TSV, spreadsheet rows or JSON.

Known headers: ours, MaxKB's (Section title, Section content, Question, and its Chinese form; a section without title
or question is called by how it begins), FastGPT's (q, a, indexes), Dify's (question, answer), Tiledesk's (";"
between), RAGFlow's two columns without a header.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import fold
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.chunking import opening
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import Note, RowError, TextFile, open_text
from ingest.spreadsheets import sheets
from ingest.transcripts.json_records import json_records

MAX_TABLE = 256 * 1024 * 1024  # bytes
_TITLES = (
    "question",
    "q",
    "title",
    "问题",
    "标题",
    "提问",
    "faq",
    "section title",
    "分段标题",
    "ask",
    "query",
    "standard question",
)
_ANSWERS = (
    "answer",
    "a",
    "答案",
    "回答",
    "回复",
    "section content",
    "分段内容",
    "body",
    "content",
    "内容",
    "reply",
    "response",
    "text",
)
_MORE = (
    "indexes",
    "questions",
    "alternative questions",
    "similar questions",
    "相似问",
    "相似问题",
    "问题",
    "question",
)
_ABOVE = 5  # rows in which the header is looked for
_UNNAMED_SHEET = re.compile(r"(?:sheet|工作表|tabelle|blad|feuil|hoja)\s*\d*", re.IGNORECASE)
_NOTE = re.compile(r"[(（\[【].*?[)）\]】]")
_FIELDS = {
    "slug": ("slug", "id", "编号"),
    "lang": ("lang", "language", "locale", "语言"),
    "section": ("section", "category", "class", "topic", "分类", "类别", "目录"),
    "url": ("url", "link", "链接"),
}


def read_table(path: Path) -> Iterator[ArticleDraft | RowError]:
    """Rows of a CSV or TSV file. Raises FileError where no columns of questions and answers can be told."""
    file = open_text(path)
    text = file.text(limit=MAX_TABLE)
    rows = numbered_rows(
        io.StringIO(text, newline=""), delimiter=best_delimiter(text), name=path.name, longest_cell=MAX_TABLE
    )
    yield from table_articles(rows, source=path.name)


def table_articles(
    rows: Iterable[tuple[int, Sequence[str]]], *, source: str, section: str = "", named: bool = False
) -> Iterator[ArticleDraft | RowError]:
    """Articles of numbered rows. Above the header may stand a title; two columns need none, unless they must be
    ``named``. ``section`` is that of rows that name none. Raises FileError for unknown columns."""
    filled = ((line, cells) for line, row in rows if any(cells := [cell.strip() for cell in row]))
    above = list(islice(filled, _ABOVE))
    columns = None
    for at, (_, cells) in enumerate(above):
        columns = header_columns(cells)
        if columns is not None:
            del above[: at + 1]
            break
    if columns is None and above:
        cells = above[0][1]
        places = [at for at, cell in enumerate(cells) if cell]
        if named or len(places) != 2:
            raise FileError(
                f"{source} has no columns of questions and answers",
                value=" | ".join(cells)[:100],
                remedy="Name them in the first row: question, answer",
            )
        columns = {"title": places[0], "answer": places[1]}
    for line, cells in chain(above, filled):
        yield _row_article(line, cells, columns or {}, source, section)


def workbook_articles(path: Path) -> Iterator[ArticleDraft | RowError | Note]:
    """Rows of every sheet whose columns can be told, and a note about the others. A sheet's name is the section.

    Raises FileError where that is none of them.
    """
    passed_over: list[str] = []
    refused: FileError | None = None
    read = 0
    for number, (name, rows) in enumerate(sheets(path)):
        section = "" if _UNNAMED_SHEET.fullmatch(name) else name
        try:
            for row in table_articles(rows, source=path.name, section=section, named=number > 0):
                if isinstance(row, RowError) and number:
                    row = replace(row, message=f"Sheet {name}: {row.message}")
                yield row
            read += 1
        except FileError as error:
            refused = refused or error
            passed_over.append(name)
    if refused is not None and not read:
        raise refused
    if passed_over:
        yield Note(
            f"{path.name} has sheets without columns of questions and answers: {', '.join(passed_over)}"
        )


def header_columns(cells: Sequence[str]) -> dict[str, int] | None:
    """title, answer, more (further questions), slug, lang, section, url -> column; None where this is no header.

    MaxKB's sheets have a heading instead of the title: it may be left empty.
    """
    names = [_NOTE.sub("", fold(cell)).strip() for cell in cells]
    answer = _first(names, _ANSWERS)
    if answer is None:
        return None
    places = {"answer": answer}
    sectioned = _first(names, ("section title", "分段标题"))
    title = sectioned if sectioned is not None else _first(names, _TITLES, but=(answer,))
    if title is None:
        return None
    places["title" if sectioned is None else "heading"] = title
    more = _first(names, _MORE, but=(answer, title))
    if more is not None:
        places["more"] = more
    for field, options in _FIELDS.items():
        at = _first(names, options, but=tuple(places.values()))
        if at is not None:
            places[field] = at
    return places


def _first(names: Sequence[str], options: Sequence[str], *, but: Sequence[int] = ()) -> int | None:
    for option in options:
        for at, name in enumerate(names):
            if name == option and at not in but:
                return at
    return None


def _row_article(
    line: int, cells: Sequence[str], columns: dict[str, int], source: str, section: str
) -> ArticleDraft | RowError:
    def cell(name: str) -> str:
        at = columns.get(name)
        return cells[at] if at is not None and at < len(cells) else ""

    questions = [
        question.strip() for question in re.split(r"[\n\r]+|\s\|\s", cell("more")) if question.strip()
    ]
    title = cell("title") or cell("heading") or (questions[0] if questions else "")
    if not title and "heading" in columns:
        title = opening(cell("answer"))
    return _article(
        line,
        title=title,
        answer=cell("answer"),
        questions=questions,
        slug=cell("slug"),
        lang=cell("lang"),
        section=cell("section") or section,
        url=cell("url"),
        source=source,
    )


def read_json_faq(file: TextFile) -> Iterator[ArticleDraft | RowError]:
    """FAQ rows of JSON Lines or an array: question/answer or title/body. Raises FileError where it is no JSON."""
    for line, record in json_records(file):
        if isinstance(record, RowError):
            yield record
        else:
            yield _json_article(line, record, file.path.name)


def _json_article(line: int, record: dict[str, Any], source: str) -> ArticleDraft | RowError:
    def field(*names: str) -> str:
        value = next((record[name] for name in names if record.get(name) not in (None, "")), "")
        return str(value) if isinstance(value, str | int | float) else ""

    more = record.get("questions", record.get("indexes"))
    return _article(
        line,
        title=field("question", "title", "q"),
        answer=field("answer", "body", "a", "content", "text"),
        questions=[str(item) for item in more] if isinstance(more, list) else [],
        slug=field("slug", "id"),
        lang=field("lang", "language"),
        section=field("section", "category", "topic"),
        url=field("url", "link"),
        source=source,
    )


def _article(
    line: int,
    *,
    title: str,
    answer: str,
    questions: Sequence[str],
    slug: str,
    lang: str,
    section: str,
    url: str,
    source: str,
) -> ArticleDraft | RowError:
    if not title.strip():
        return RowError(line, "The row has no question", answer[:80], "Fill in the question or title")
    if not answer.strip():
        return RowError(line, "The row has no answer", title[:80], "Fill in the answer, or leave the row out")
    article = make_article(
        title=title,
        body=answer,
        slug=slug,
        lang=lang,
        section=section,
        url=url,
        source=source,
        questions=questions,
    )
    if not article.passages:
        return RowError(line, "The answer has no words", answer[:80], "Write the answer as text")
    return article
