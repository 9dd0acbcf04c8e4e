"""The languages of a file's articles: a table is in one, and a report says what its reader might not expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from chatbot.language.written_language import KNOWN, WORDS, evident_language, has_small_words
from chatbot.records.knowledge import ArticleDraft
from ingest.files import RowError

_MOST = 0.5  # of the rows that show a language
_SPOKEN = ("en", "zh")  # what the bot's own words are in
_NAMED = 3  # titles a note names

Rows = list[ArticleDraft | RowError]


def in_one_language(rows: Rows) -> Rows:
    """A table's rows, where most are in one language of Latin letters but English: those too short to show a language
    ("Versandkosten") are in it as well, and not in English for want of another."""
    shown = Counter(told for row in rows if isinstance(row, ArticleDraft) and (told := _read(row)))
    lang, count = next(iter(shown.most_common(1)), ("", 0))
    if lang not in WORDS or lang == "en" or count <= _MOST * shown.total():
        return rows
    return [
        replace(row, lang=lang)
        if isinstance(row, ArticleDraft)
        and row.lang == "en"
        and not has_small_words(f"{row.title} {row.body}", "en")
        else row
        for row in rows
    ]


def language_notes(rows: Sequence[ArticleDraft | RowError], *, name: str, told: bool) -> list[str]:
    """What a report says of languages that the bot does not speak, and of articles that read as another language than
    their file says they are in; not where the person who imports it has ``told`` the language."""
    articles = [row for row in rows if isinstance(row, ArticleDraft)]
    other = Counter(row.lang for row in articles if row.lang not in _SPOKEN)
    notes = []
    if other:
        counts = ", ".join(f"{lang} {count}" for lang, count in other.most_common())
        notes.append(
            f"{name} has articles in other languages than English and Chinese: {counts}; they are found by questions "
            "in these languages, and the bot's own words around them stay English or Chinese"
        )
    doubtful = [
        (row, read)
        for row in articles
        if not told and (read := _read(row)) in KNOWN and read != row.lang and row.lang in KNOWN
    ]
    if doubtful:
        row, read = doubtful[0]
        titles = ", ".join(row.title for row, _ in doubtful[:_NAMED]) + (
            " …" if len(doubtful) > _NAMED else ""
        )
        notes.append(
            f"{len(doubtful)} articles of {name} read as {read} and are kept as {row.lang}, as the file says: "
            f"{titles}; import it with --lang {read} if that is wrong"
        )
    return notes


def _read(row: ArticleDraft) -> str | None:
    return evident_language(f"{row.title}\n{row.body}")
