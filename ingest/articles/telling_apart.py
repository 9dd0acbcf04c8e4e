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

from chatbot.errors import FileError
from chatbot.records import imports
from chatbot.records.knowledge import ArticleDraft, article_hash
from chatbot.records.tables import Article
from ingest.articles.article import MAX_SLUG, slugify
from ingest.articles.markdown import LANGUAGE_FOLDERS
from ingest.files import RowError, content_hash

_ASKED = 400  # slugs a query
_LONGEST = 500  # characters of a source
_DEEPEST = 8  # folders by which a file is known


class ImportSources:
    """What the files of one import are called as the sources of their articles: a file in a folder that was named, by
    its path in it; a file named by itself, by its name. Where two in one language are called the same, the later one
    has the folder's name before it, or a number behind it."""

    def __init__(self, named: Iterable[Path], files: Iterable[Path]) -> None:
        """``named``: the files and folders that the import was given; ``files``: what it found there."""
        self.roots = [path for path in named if path.is_dir()]
        self._files = list(files)
        self._to_come = {next(self._names(path)) for path in self._files}
        self._languages: dict[str, set[str]] = {}  # of each source so far
        self._called: dict[str, list[Path]] = {}  # files by all that they may have been called
        for path in self._files:
            for name in earlier_names(path):
                self._called.setdefault(name, []).append(path)

    def claim(self, path: Path, languages: Iterable[str]) -> str:
        """The file's source, which no later file of these languages gets."""
        wanted = set(languages)
        source = next(name for name in self._names(path) if not wanted & self._languages.get(name, set()))
        self._languages.setdefault(source, set()).update(wanted)
        return source

    def __contains__(self, source: str) -> bool:
        return source in self._languages or source in self._to_come

    def rivals(self, path: Path, source: str, lang: str) -> list[Path]:
        """The other files of this import that an earlier one, without or with other folders, may have called so."""
        return [
            file
            for file in self._called.get(source, ())
            if file != path and not (file.parent.name in LANGUAGE_FOLDERS and file.parent.name != lang)
        ]

    def root_of(self, path: Path) -> Path | None:
        """The folder that was named and the file is in."""
        return next((root for root in self.roots if path.is_relative_to(root)), None)

    def _names(self, path: Path) -> Iterator[str]:
        root = self.root_of(path)
        name = path.name if root is None else path.relative_to(root).as_posix()
        yield name[-_LONGEST:]
        if root is not None and root.resolve().name:
            yield f"{root.resolve().name}/{name}"[-_LONGEST:]
        for number in count(2):
            yield f"{name} ({number})"[-_LONGEST:]


def earlier_names(path: Path) -> list[str]:
    """What a file may be called by an import of it alone, or of any folder that it is in."""
    parts = path.absolute().parts[1:]
    return ["/".join(parts[-depth:])[-_LONGEST:] for depth in range(1, min(len(parts), _DEEPEST) + 1)]


@dataclass(frozen=True, slots=True)
class ToldApart:
    """The rows with the slugs under which they are kept; the places of those that replace an article that did not
    come from this file, and of those whose article is this file's from now on; whether every article stands as its
    row says."""

    rows: Sequence[ArticleDraft | RowError]
    replacing: frozenset[int]
    adopting: frozenset[int]
    standing: bool


def tell_apart(
    session: Session,
    rows: Sequence[ArticleDraft | RowError],
    *,
    path: Path,
    source: str,
    sources: ImportSources,
) -> ToldApart:
    """An article of this file is found again by its source, or by what an import of another folder called the file.
    One of another file is another article, unless it has the same title and its file is not among those of this
    import: then that file has got a new name."""
    rows = _without_repeats(
        [row if isinstance(row, RowError) else replace(row, source=source) for row in rows]
    )
    names = [source, *(name for name in reversed(earlier_names(path)) if name != source)]
    held = _held(session, rows, [_ending(name) for name in names])
    told: list[ArticleDraft | RowError] = []
    replacing: set[int] = set()
    adopting: set[int] = set()
    for place, row in enumerate(rows):
        if isinstance(row, RowError):
            told.append(row)
            continue
        plain = held.get((row.slug, row.lang))
        own = _own(session, held, row, names, path, sources)
        if own is not None:
            told.append(replace(row, slug=own.slug))
            if own.source != source:
                adopting.add(place)
        elif plain is not None and plain.content_hash == article_hash(row):
            told.append(row)
            if _from_a_file(plain) and plain.source not in sources:
                adopting.add(place)
        elif plain is None or _renamed(plain, row, sources):
            told.append(row)
            if plain is not None:
                replacing.add(place)
        else:
            told.append(_free(session, held, row, _ending(source)))
    standing = all(_stands(held, row) for row in told if not isinstance(row, RowError))
    return ToldApart(told, frozenset(replacing), frozenset(adopting), standing)


def _stands(held: Mapping[tuple[str, str], Article], row: ArticleDraft) -> bool:
    article = held.get((row.slug, row.lang))
    return article is not None and article.content_hash == article_hash(row)


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
    session: Session, rows: Sequence[ArticleDraft | RowError], endings: Sequence[str]
) -> dict[tuple[str, str], Article]:
    """The articles that have one of the rows' slugs, plain or with an ending, by slug and language."""
    plain = [row.slug for row in rows if not isinstance(row, RowError)]
    longer = (_longer(slug, ending) for slug in plain for ending in endings)
    slugs = list(dict.fromkeys([*plain, *longer]))
    found: dict[tuple[str, str], Article] = {}
    for at in range(0, len(slugs), _ASKED):
        for article in session.scalars(select(Article).where(Article.slug.in_(slugs[at : at + _ASKED]))):
            found[article.slug, article.lang] = article
    return found


def _own(
    session: Session,
    held: Mapping[tuple[str, str], Article],
    row: ArticleDraft,
    names: Sequence[str],
    path: Path,
    sources: ImportSources,
) -> Article | None:
    """The article that this row of the file has been kept as, under the first of the file's ``names`` that has one."""
    for name in names:
        for slug in (row.slug, _longer(row.slug, _ending(name))):
            article = held.get((slug, row.lang))
            if article is None or article.source != name:
                continue
            if name == row.source or _was_of(session, path, article, row, sources):
                return article
    return None


def _was_of(
    session: Session, path: Path, article: Article, row: ArticleDraft, sources: ImportSources
) -> bool:
    """Whether an article whose source has other folders than the file has now came from it. Where other files of this
    import may have been called so too, it is theirs if they were imported before."""
    if article.source in sources:
        return False
    rivals = sources.rivals(path, article.source, row.lang)
    if not rivals or article.content_hash == article_hash(row):
        return True
    if article.title != row.title:
        return False
    return not any(_known(session, file) for file in rivals)


def _known(session: Session, path: Path) -> bool:
    try:
        digest = content_hash(path)
    except FileError:  # said when its turn comes
        return False
    return imports.find_import(session, kind="articles", file_hash=digest) is not None


def in_another_language(
    session: Session,
    rows: Sequence[ArticleDraft | RowError],
    *,
    path: Path,
    source: str,
    sources: ImportSources,
) -> list[Article]:
    """The live articles that this file was kept as when its language was another, or was taken for another. A file of
    that name in the other language, which says nothing the same, is none of them."""
    drafts = {row.slug: row for row in rows if not isinstance(row, RowError)}
    present = {(row.slug, row.lang) for row in rows if not isinstance(row, RowError)}
    names = [source, *(name for name in earlier_names(path) if name not in sources)]
    slugs = list(drafts)
    found: list[Article] = []
    for at in range(0, len(slugs), _ASKED):
        found += session.scalars(
            select(Article)
            .where(Article.slug.in_(slugs[at : at + _ASKED]), Article.source.in_(names))
            .where(Article.status == "live")
        )
    return [
        article
        for article in found
        if (article.slug, article.lang) not in present
        and (
            (article.source == source and len(drafts) == 1 and "/" in source)
            or _paragraphs(article.body) & _paragraphs(drafts[article.slug].body)
        )
    ]


def _paragraphs(body: str) -> set[str]:
    return {part.strip() for part in body.split("\n\n")}


def _from_a_file(article: Article) -> bool:
    return bool(article.source) and "://" not in article.source


def _renamed(article: Article, row: ArticleDraft, sources: ImportSources) -> bool:
    """Whether the article's file has got this name. One of the same name in some folder is that file where this one
    has no folder, as an uploaded one."""
    if article.title != row.title or article.source in sources:
        return False
    held, given = PurePosixPath(article.source), PurePosixPath(row.source)
    return held.name != given.name or len(given.parts) == 1


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
