"""Web pages into the knowledge tables, with the same report as files have."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from sqlalchemy import select

from chatbot.errors import FileError, FrontdeskError
from chatbot.records.article_changes import take_in
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, withdraw_article
from chatbot.records.tables import Article
from ingest.articles.languages import language_notes
from ingest.articles.taking_in import overwritten_note
from ingest.articles.web_pages import GonePage, WebReader
from ingest.files import RowError
from ingest.report import FileReport, ImportReport

log = logging.getLogger(__name__)


def import_web_pages(
    database: Database,
    addresses: Sequence[str],
    *,
    reader: WebReader,
    dry_run: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> ImportReport:
    """Take in pages, and the pages that sitemaps list. Each page is committed as it comes.

    A page that was read before and is unchanged is a no-op; one that the site no longer has (404, 410) is switched off.
    Behind a sitemap the pages of its site that were read before are asked too, so that what left the sitemap is seen.
    An address that cannot be read is reported and the others are; raises the first error where none could be read.
    """
    started = time.monotonic()
    wanted = [address.strip() for address in addresses if address.strip()]
    if not wanted:
        raise FileError("No address was given", field="addresses", remedy="Give https://…")
    report = ImportReport("articles", dry_run=dry_run)
    refused: list[FrontdeskError] = []
    for address in wanted:
        file = FileReport(address, format="web", state="tried" if dry_run else "imported")
        report.files.append(file)
        try:
            urls, first = reader.addresses(address)
            if first is None:
                urls = list(dict.fromkeys([*urls, *_known(database, address)]))
            pages: list[ArticleDraft] = []
            for number, (url, row) in enumerate(reader.read(urls, first), 1):
                _take(database, url, row, file, dry_run=dry_run)
                pages += [row] if isinstance(row, ArticleDraft) else []
                if progress:
                    progress(f"articles: {urlsplit(address).hostname}", number / len(urls))
            file.notes += language_notes(pages, name=address, told=True)
            if not file.kept and file.row_errors:
                error = file.row_errors[0]
                raise FileError(error.message, value=error.value, remedy=error.remedy)
        except FrontdeskError as error:
            file.state, file.note = "failed", f"{address}: {error.one_line()}"
            refused.append(error)
            log.warning("%s: %s", address, error.one_line())
    report.seconds = time.monotonic() - started
    if len(refused) == len(wanted):
        raise refused[0]
    return report


def _take(
    database: Database,
    url: str,
    row: ArticleDraft | RowError | GonePage,
    report: FileReport,
    *,
    dry_run: bool,
) -> None:
    report.read += 1
    if isinstance(row, RowError):
        report.add_error(row)
    elif isinstance(row, GonePage):
        report.dropped["the page is gone"] += 1
        if not dry_run:
            with database.write() as session:
                for article in session.scalars(select(Article).where(Article.source == url[:500])):
                    withdraw_article(session, article)
    else:
        report.kept += 1
        report.languages[row.lang] += 1
        if not dry_run:
            with database.write() as session:
                change = take_in(session, row)
            report.unchanged += change == "unchanged"
            if change == "overwritten":
                report.notes.append(overwritten_note([row.title]))


def _known(database: Database, address: str) -> list[str]:
    """The addresses of this site that are articles already."""
    split = urlsplit(address)
    with database.read() as session:
        return list(
            session.scalars(
                select(Article.source)
                .where(Article.source.startswith(f"{split.scheme}://{split.netloc}/", autoescape=True))
                .where(Article.status == "live")
                .order_by(Article.id)
            )
        )
