"""Articles of one name that are not the same: each is kept, under a slug of its own.

The first keeps the plain slug. Another one gets its file's name or folder behind it, so that the same files again
find the same articles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path, PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.knowledge import ArticleDraft, article_hash
from chatbot.records.tables import Article
from ingest.articles.article import MAX_SLUG, slugify
from ingest.files import RowError

_ASKED = 400  # slugs a query
_LONGEST = 500  # characters of a source


class ImportSources:
    """What the files of one import are called as the sources of their articles: by their names, and where two in one
    language have the same name, the later one with the folders that tell it apart."""

    def __init__(self, named: Iterable[Path], files: Iterable[Path]) -> None:
        """``named``: the files and folders that the import was given; ``files``: what it found there."""
        self._roots = [path for path in named if path.is_dir()]
        self._names_to_come = {path.name for path in files}
        self._languages: dict[str, set[str]] = {}  # of each source so far

    def claim(self, path: Path, languages: Iterable[str]) -> str:
        """The file's source, which no later file of these languages gets."""
        wanted = set(languages)
        source = next(name for name in self._names(path) if not wanted & self._languages.get(name, set()))
        self._languages.setdefault(source, set()).update(wanted)
        return source

    def __contains__(self, source: str) -> bool:
        return source in self._languages or source in self._names_to_come

    def _names(self, path: Path) -> Iterator[str]:
        root = next((root for root in self._roots if path.is_relative_to(root)), path.parent)
        parts = path.relative_to(root).parts
        for depth in range(1, len(parts) + 1):
            yield "/".join(parts[-depth:])[-_LONGEST:]
        for number in count(2):
            yield f"{'/'.join(parts)} ({number})"[-_LONGEST:]


@dataclass(frozen=True, slots=True)
class ToldApart:
    """The rows with the slugs under which they are kept, and the places of those that replace an article that did
    not come from this file."""

    rows: Sequence[ArticleDraft | RowError]
    replacing: frozenset[int]


def tell_apart(
    session: Session, rows: Sequence[ArticleDraft | RowError], *, source: str, sources: ImportSources
) -> ToldApart:
    """An article of this file is found again by its source. One of another file is another article, unless it has the
    same title and its file is not among those of this import: then that file has got a new name."""
    rows = _without_repeats(
        [row if isinstance(row, RowError) else replace(row, source=source) for row in rows]
    )
    ending = _ending(source)
    held = _held(session, rows, ending)
    told: list[ArticleDraft | RowError] = []
    replacing: set[int] = set()
    for place, row in enumerate(rows):
        if isinstance(row, RowError):
            told.append(row)
            continue
        plain = held.get((row.slug, row.lang))
        if plain is not None and (plain.source == source or plain.content_hash == article_hash(row)):
            told.append(row)
        elif _own(held, row, ending) is not None:
            told.append(_free(session, held, row, ending))
        elif plain is None or _renamed(plain, row, sources):
            told.append(row)
            if plain is not None:
                replacing.add(place)
        else:
            told.append(_free(session, held, row, ending))
    return ToldApart(told, frozenset(replacing))


def _without_repeats(rows: Sequence[ArticleDraft | RowError]) -> list[ArticleDraft | RowError]:
    """Rows of one slug and other content get a number behind it, in their order."""
    taken: dict[tuple[str, str], str] = {}
    for row in rows:
        if not isinstance(row, RowError):
            taken.setdefault((row.slug, row.lang), article_hash(row))
    told: list[ArticleDraft | RowError] = []
    for row in rows:
        if isinstance(row, RowError) or taken[row.slug, row.lang] == article_hash(row):
            told.append(row)
            continue
        for number in count(2):
            other = replace(row, slug=_longer(row.slug, str(number)))
            if taken.setdefault((other.slug, other.lang), article_hash(other)) == article_hash(other):
                told.append(other)
                break
    return told


def _ending(source: str) -> str:
    """What goes behind a slug: the folders that tell the file apart, else its name."""
    path = PurePosixPath(source)
    named = path.name.partition(".")[0] if len(path.parts) == 1 else str(path.parent)
    return slugify(named)[: MAX_SLUG // 2].rstrip("-")


def _longer(slug: str, ending: str) -> str:
    return f"{slug[: MAX_SLUG - len(ending) - 1].rstrip('-')}-{ending}"


def _held(
    session: Session, rows: Sequence[ArticleDraft | RowError], ending: str
) -> dict[tuple[str, str], Article]:
    """The articles that have one of the rows' slugs, plain or with the ending, by slug and language."""
    plain = [row.slug for row in rows if not isinstance(row, RowError)]
    slugs = list(dict.fromkeys([*plain, *(_longer(slug, ending) for slug in plain)]))
    found: dict[tuple[str, str], Article] = {}
    for at in range(0, len(slugs), _ASKED):
        for article in session.scalars(select(Article).where(Article.slug.in_(slugs[at : at + _ASKED]))):
            found[article.slug, article.lang] = article
    return found


def _own(held: Mapping[tuple[str, str], Article], row: ArticleDraft, ending: str) -> Article | None:
    """The article that this row has been kept as before, beside another one."""
    article = held.get((_longer(row.slug, ending), row.lang))
    return article if article is not None and article.source == row.source else None


def _renamed(article: Article, row: ArticleDraft, sources: ImportSources) -> bool:
    alike = PurePosixPath(article.source).name == PurePosixPath(row.source).name
    return article.title == row.title and article.source not in sources and not alike


def _free(
    session: Session, held: Mapping[tuple[str, str], Article], row: ArticleDraft, ending: str
) -> ArticleDraft:
    """The row under the first slug behind its own that nobody else's article has."""
    other = replace(row, slug=_longer(row.slug, ending))
    article = held.get((other.slug, other.lang))
    for number in count(2):
        if article is None or article.source == row.source:
            return other
        other = replace(row, slug=_longer(row.slug, f"{ending}-{number}"))
        article = session.scalar(
            select(Article).where(Article.slug == other.slug, Article.lang == other.lang)
        )
    raise AssertionError("numbers do not end")
