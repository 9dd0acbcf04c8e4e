"""One article file into the knowledge tables.

The whole file is read and checked before anything of it is stored; then it is stored in transactions short enough
that a customer's message never waits for a long FAQ file. A killed import goes on with its next batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from chatbot.errors import FileError
from chatbot.records import imports
from chatbot.records.article_changes import find, take_in
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, withdraw_article, withdraw_missing
from ingest.articles.formats import ending, read_articles
from ingest.articles.gone_files import place
from ingest.articles.languages import in_one_language, language_notes
from ingest.articles.telling_apart import ImportSources, in_another_language, tell_apart
from ingest.files import Note, RowError, content_hash
from ingest.report import FileReport

BATCH = 200  # articles a transaction
_TABLES = ("csv", "tsv", "xlsx", "json", "jsonl")  # many articles a file: a row may leave it


def take_in_articles(
    database: Database,
    path: Path,
    report: FileReport,
    *,
    sources: ImportSources,
    dry_run: bool = False,
    lang: str = "",
    columns: Mapping[str, str] | None = None,
) -> None:
    """Read a file and put its articles; counts go into ``report``. ``sources``: of the files before it in this import.

    A file is always read, since what came after it may have changed its articles: it was imported ``already`` where
    they all stand as it says. ``lang``: of all its articles, whatever it says itself or its text looks like.
    ``columns``: the headings of question and answer in a table.

    Raises FileError where the file cannot be read or has not one usable article; nothing of it is stored then.
    """
    report.format = ending(path).removeprefix(".")
    reader = read_articles(path, columns=columns)  # an unknown kind is refused before the file is opened
    rows: list[ArticleDraft | RowError] = []
    for row in reader:
        if isinstance(row, Note):
            report.notes.append(row.text)
            continue
        if lang and not isinstance(row, RowError):
            row = replace(row, lang=lang)
        rows.append(row)
    if not lang and report.format in _TABLES:
        rows = in_one_language(rows)
    for read in rows:
        _count(report, read)
    _check(path, report)
    report.notes += language_notes(rows, name=path.name, told=bool(lang))
    if not dry_run:
        _store(database, path, content_hash(path), rows, report, sources=sources)


def _store(
    database: Database,
    path: Path,
    digest: str,
    rows: Sequence[ArticleDraft | RowError],
    report: FileReport,
    *,
    sources: ImportSources,
) -> None:
    source = sources.claim(path, report.languages)
    with database.read() as session:
        told = tell_apart(session, rows, path=path, source=source, sources=sources)
        known = imports.find_import(session, kind="articles", file_hash=digest)
    report.places = [] if known is None else list(known.report.get("places", ()))
    root = sources.root_of(path)
    moved = root is not None and place(root, source) not in report.places
    if root is not None and moved:
        report.places.append(place(root, source))
    done_before = known is not None and known.state == "done"
    if done_before and told.standing and not told.adopting:
        report.state, report.unchanged = "already", report.kept
        report.note = f"{path.name} was imported before; nothing to do"
        if moved and known is not None:
            with database.write() as session:
                imports.note_places(session, known.id, report.places)
        return
    rows = told.rows
    replaced: list[str] = []
    overwritten: list[str] = []
    with database.write() as session:
        held = imports.begin_import(
            session,
            kind="articles",
            file_name=path.name,
            file_hash=digest,
            format=report.format,
            again=done_before,
        )
        import_id, at = held.id, held.next_row
    while True:
        part = rows[at : at + BATCH]
        with database.write() as session:
            for number, row in enumerate(part, at):
                if not isinstance(row, RowError):
                    change = take_in(session, row)
                    report.unchanged += change == "unchanged"
                    if change == "unchanged" and number in told.adopting:
                        _adopt(session, row)
                    if number in told.replacing:
                        replaced.append(row.title)
                    elif change == "overwritten":
                        overwritten.append(row.title)
            done = at + len(part) >= len(rows)
            if done and replaced:
                report.notes.append(
                    f"{len(replaced)} articles that did not come from {source} were replaced: {named(replaced)}"
                )
            if done and overwritten:
                report.notes.append(overwritten_note(overwritten))
            if done:
                _leave_languages(session, path, source, rows, report, sources=sources)
            if done and report.format in _TABLES:
                _withdraw(session, source, rows, report)
            imports.advance_import(
                session, import_id, expected=at, next_row=at + len(part), report=report.as_json(), done=done
            )
        at += len(part)
        if done:
            return


def _adopt(session: Session, row: ArticleDraft) -> None:
    """What is unchanged is not written: the article hears here what its file is called now."""
    article = find(session, row.slug, row.lang)
    if article is not None:
        article.source = row.source


def _leave_languages(
    session: Session,
    path: Path,
    source: str,
    rows: Sequence[ArticleDraft | RowError],
    report: FileReport,
    *,
    sources: ImportSources,
) -> None:
    gone = in_another_language(session, rows, path=path, source=source, sources=sources)
    for article in gone:
        withdraw_article(session, article)
    if gone:
        titles = named([article.title for article in gone])
        report.notes.append(
            f"{len(gone)} articles of {source} that were kept in another language were switched off: {titles}"
        )


def _withdraw(
    session: Session, source: str, rows: Sequence[ArticleDraft | RowError], report: FileReport
) -> None:
    """Switch off what the file of this name held before. A row that cannot be read any more may be one of those: then
    nothing is."""
    if report.errors:
        return
    drafts = [row for row in rows if not isinstance(row, RowError)]
    gone, stay = withdraw_missing(session, drafts, source=source)
    if gone:
        titles = named([article.title for article in gone])
        report.notes.append(
            f"{len(gone)} articles are not in {source} any more and were switched off: {titles}"
        )
    if stay:
        report.notes.append(
            f"{len(stay)} articles of {source} are not in it any more and stay live; "
            "switch them off on the articles page"
        )


def overwritten_note(titles: Sequence[str]) -> str:
    """What an import tells of articles that a person had written or changed as a whole."""
    return (
        f"{len(titles)} articles that were changed by hand are replaced, since their source has changed: "
        f"{named(titles)}"
    )


def named(titles: Sequence[str]) -> str:
    """The first titles of a list, as a report tells them."""
    return ", ".join(titles[:5]) + (" …" if len(titles) > 5 else "")


def _count(report: FileReport, row: object) -> None:
    report.read += 1
    if isinstance(row, RowError):
        report.add_error(row)
        return
    report.kept += 1
    lang = getattr(row, "lang", "")
    report.languages[lang] += 1


def _check(path: Path, report: FileReport) -> None:
    if report.kept:
        return
    reasons = Counter(error.message for error in report.row_errors)
    why = reasons.most_common(1)[0][0] if reasons else "it has no rows"
    raise FileError(
        f"No article could be read from {path.name}",
        value=why,
        remedy=report.row_errors[0].remedy if report.row_errors else "Check the file's content",
    )
