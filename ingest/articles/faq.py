"""FAQ files: a question and its answer a row, as CSV, TSV, spreadsheet rows or JSON.

Known headers: ours, MaxKB's (Section title, Section content, Question, and its Chinese form; a section without title
or question is called by how it begins), FastGPT's (q, a, indexes), Dify's (question, answer), Tiledesk's (";"
between), RAGFlow's two columns without a header.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import fold
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import make_article
from ingest.articles.chunking import opening
from ingest.articles.help_centre import articles_within, body_markdown, is_draft
from ingest.articles.validity import beginning, end
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import Note, RowError, TextFile, open_text
from ingest.spreadsheets import sheets
from ingest.transcripts.json_records import json_records

MAX_TABLE = 256 * 1024 * 1024  # bytes
_TITLES = (
    "question", "q", "title", "问题", "标题", "提问", "faq", "section title", "分段标题", "ask", "query",
    "standard question", "問題", "標題", "提問", "frage", "titel", "titre", "pregunta", "título", "titulo", "vraag",
    "domanda", "pergunta",
)  # fmt: skip
_ANSWERS = (
    "answer", "a", "答案", "回答", "回复", "section content", "分段内容", "body", "content", "内容", "reply",
    "response", "text", "答覆", "回覆", "內容", "antwort", "réponse", "reponse", "respuesta", "antwoord", "risposta",
    "resposta", "inhalt", "contenu", "contenido", "inhoud",
)  # fmt: skip
_MORE = (
    "indexes", "questions", "alternative questions", "similar questions", "相似问", "相似问题", "相似問題", "问题",
    "question",
)  # fmt: skip
_ABOVE = 5  # rows in which the header is looked for
_UNNAMED_SHEET = re.compile(r"(?:sheet|工作表|tabelle|blad|feuil|hoja)\s*\d*", re.IGNORECASE)
_NOTE = re.compile(r"[(（\[【].*?[)）\]】]")
_FIELDS = {
    "slug": ("slug", "id", "编号", "編號"),
    "lang": ("lang", "language", "locale", "语言", "語言", "sprache", "langue", "idioma", "taal", "lingua"),
    "section": (
        "section", "category", "class", "topic", "分类", "类别", "目录", "主题", "栏目", "分類", "類別", "目錄",
        "主題", "欄目", "kategorie", "rubrik", "thema", "bereich", "catégorie", "categorie", "rubrique",
        "categoría", "categoria",
    ),
    "url": ("url", "link", "链接", "連結", "lien", "enlace"),
    "valid_from": (
        "valid from", "生效日期", "有效期起", "gültig ab", "gültig von", "valable à partir du", "válido desde",
        "geldig vanaf",
    ),
    "valid_until": (
        "valid until", "valid to", "valid till", "expires", "expiry", "expiry date", "有效期", "有效期至", "有效期止",
        "失效日期", "到期日", "gültig bis", "valable jusqu'au", "válido hasta", "geldig tot",
    ),
}  # fmt: skip
CHOSEN = ("question", "answer")  # fields whose heading a person may tell


def read_table(
    path: Path, *, columns: Mapping[str, str] | None = None
) -> Iterator[ArticleDraft | RowError | Note]:
    """Rows of a CSV or TSV file. Raises FileError where no columns of questions and answers can be told."""
    file = open_text(path)
    text = file.text(limit=MAX_TABLE)
    rows = numbered_rows(
        io.StringIO(text, newline=""), delimiter=best_delimiter(text), name=path.name, longest_cell=MAX_TABLE
    )
    yield from table_articles(rows, source=path.name, columns=columns)


def table_articles(
    rows: Iterable[tuple[int, Sequence[str]]],
    *,
    source: str,
    section: str = "",
    named: bool = False,
    columns: Mapping[str, str] | None = None,
) -> Iterator[ArticleDraft | RowError | Note]:
    """Articles of numbered rows, then notes on columns that were left out or guessed. Above the header may stand a
    title; two columns need none, unless they must be ``named``. ``section`` is that of rows that name none.
    ``columns``: the headings of question and answer, where a person tells them. Raises FileError for unknown columns.
    """
    filled = ((line, cells) for line, row in rows if any(cells := [cell.strip() for cell in row]))
    above = list(islice(filled, _ABOVE))
    places: dict[str, int] | None = None
    notes: list[Note] = []
    for at, (_, cells) in enumerate(above):
        places = header_columns(cells, columns)
        if places is not None:
            del above[: at + 1]
            unused = [cell for at, cell in enumerate(cells) if cell and at not in places.values()]
            if unused:
                notes.append(
                    Note(
                        f"{source}: columns that an article has no use for were left out: {', '.join(unused)}"
                    )
                )
            break
    if places is None and above:
        cells = above[0][1]
        filled_places = [at for at, cell in enumerate(cells) if cell]
        if columns or named or len(filled_places) != 2:
            raise FileError(
                f"{source} has no columns of questions and answers",
                value=" | ".join(cells)[:100],
                remedy="Say under which headings they stand: --question HEADING --answer HEADING, or the fields of "
                "the upload page",
            )
        places = {"title": filled_places[0], "answer": filled_places[1]}
        notes.append(
            Note(
                f"{source} has no header that is known: its first column is taken for the question, "
                "from its first row on"
            )
        )
    for line, cells in chain(above, filled):
        yield _row_article(line, cells, places or {}, source, section)
    yield from notes


def workbook_articles(
    path: Path, *, columns: Mapping[str, str] | None = None
) -> Iterator[ArticleDraft | RowError | Note]:
    """Rows of every sheet whose columns can be told, and a note about the others. A sheet's name is the section.

    Raises FileError where that is none of them.
    """
    passed_over: list[str] = []
    refused: FileError | None = None
    read = 0
    for number, (name, rows) in enumerate(sheets(path)):
        section = "" if _UNNAMED_SHEET.fullmatch(name) else name
        try:
            for row in table_articles(
                rows, source=path.name, section=section, named=number > 0, columns=columns
            ):
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


def header_columns(cells: Sequence[str], columns: Mapping[str, str] | None = None) -> dict[str, int] | None:
    """title, answer, more (further questions), slug, lang, section, url, valid_from, valid_until -> column; None where
    this is no header. ``columns``: the headings of question and answer that a person told.

    MaxKB's sheets have a heading instead of the title: it may be left empty.
    """
    whole = [_name(cell) for cell in cells]
    names = [_NOTE.sub("", name).strip() for name in whole]
    told = {field: heading for field, heading in (columns or {}).items() if heading.strip()}
    if any(_name(heading) not in whole for heading in told.values()):
        return None
    chosen = {field: whole.index(_name(heading)) for field, heading in told.items()}
    answer = chosen["answer"] if "answer" in chosen else _first(names, _ANSWERS, but=tuple(chosen.values()))
    if answer is None:
        return None
    places = {"answer": answer}
    sectioned = _first(names, ("section title", "分段标题")) if "question" not in chosen else None
    if "question" in chosen:
        title: int | None = chosen["question"]
    else:
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


def _name(heading: str) -> str:
    return " ".join(fold(heading).replace("_", " ").split())


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
        period=(cell("valid_from"), cell("valid_until")),
    )


def read_json_faq(file: TextFile) -> Iterator[ArticleDraft | RowError]:
    """FAQ rows of JSON Lines or an array: question/answer or title/body, or a help centre's export of articles. Raises
    FileError where it is no JSON."""
    for line, record in json_records(file):
        if isinstance(record, RowError):
            yield record
            continue
        for one in articles_within(record):
            yield _json_article(line, one, file.path.name)


def _json_article(line: int, record: dict[str, Any], source: str) -> ArticleDraft | RowError:
    def field(*names: str) -> str:
        value = next((record[name] for name in names if record.get(name) not in (None, "")), "")
        return str(value) if isinstance(value, str | int | float) else ""

    more = record.get("questions", record.get("indexes"))
    if is_draft(record):
        return RowError(
            line,
            "The article is not published",
            field("title")[:80],
            "Publish it there, then export it again",
        )
    return _article(
        line,
        title=field("question", "title", "q"),
        answer=field("answer", "body", "a", "content", "text", "description"),
        questions=[str(item) for item in more] if isinstance(more, list) else [],
        slug=field("slug", "id"),
        lang=field("lang", "language", "locale"),
        section=field("section", "category", "topic"),
        url=field("html_url", "url", "link"),
        source=source,
        period=(field("valid_from"), field("valid_until")),
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
    period: tuple[str, str],
) -> ArticleDraft | RowError:
    if not title.strip():
        return RowError(line, "The row has no question", answer[:80], "Fill in the question or title")
    if not answer.strip():
        return RowError(line, "The row has no answer", title[:80], "Fill in the answer, or leave the row out")
    try:
        valid_from, valid_until = beginning(period[0]), end(period[1])
    except ValueError as error:
        return RowError(line, "This is no date", str(error)[:80], "Write a day such as 2026-12-31")
    article = make_article(
        title=title,
        body=body_markdown(answer, url),
        slug=slug,
        lang=lang,
        section=section,
        url=url,
        source=source,
        questions=questions,
    )
    if not article.passages:
        return RowError(line, "The answer has no words", answer[:80], "Write the answer as text")
    return replace(article, valid_from=valid_from, valid_until=valid_until)
