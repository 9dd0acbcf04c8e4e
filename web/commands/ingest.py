"""``frontdesk ingest``: a company's own material."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from ingest.report import ImportReport


@click.group()
def ingest() -> None:
    """Take in transcripts, articles and intents."""


@ingest.command("transcripts")
@click.argument("files", nargs=-1, required=True, type=FILES)
@click.option("--format", "format_", default="auto", show_default=True, help="Shape of the files.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADING",
    help="Of a table: where text, conversation, role, time, intent, answer or lang stands; repeat it.",
)
@click.option(
    "--encoding",
    help="Of the files (big5, shift_jis, …), read again where they were; by default as they look.",
)
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_transcripts(
    files: tuple[Path, ...],
    format_: str,
    columns: tuple[str, ...],
    encoding: str | None,
    dry_run: bool,
    json_out: Path | None,
) -> None:
    """Past conversations of customers with agents."""
    from ingest.files import read_as
    from ingest.importing import import_transcripts
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress, read_as(encoding):
        report = import_transcripts(
            open_database(settings),
            list(files),
            format=format_,
            columns=dict(_pair(column) for column in columns),
            dry_run=dry_run,
            progress=progress,
            again=encoding is not None,
        )
    _print_report(report, json_out)


def _pair(column: str) -> tuple[str, str]:
    field, sign, heading = column.partition("=")
    if not sign:
        raise click.BadParameter(
            f"{column!r} is no FIELD=HEADING, for example text=Body", param_hint="--column"
        )
    return field.strip(), heading.strip()


@ingest.command("articles")
@click.argument("paths", nargs=-1, required=True, type=FILES)
@click.option(
    "--encoding",
    help="Of the files (big5, shift_jis, …), read again where they were; by default as they look.",
)
@click.option("--prune", is_flag=True, help="Switch off articles of files that a folder has no more.")
@click.option("--question", default="", metavar="HEADING", help="Of the column of questions in tables.")
@click.option("--answer", default="", metavar="HEADING", help="Of the column of answers.")
@click.option(
    "--lang", default="", metavar="CODE", help="Of the articles (en, zh, de …); by default as they look."
)
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_articles(
    paths: tuple[Path, ...],
    encoding: str | None,
    question: str,
    answer: str,
    lang: str,
    prune: bool,
    dry_run: bool,
    json_out: Path | None,
) -> None:
    """Help articles and FAQ files; a folder is walked."""
    from ingest.files import read_as
    from ingest.importing import import_articles
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress, read_as(encoding):
        report = import_articles(
            open_database(settings),
            list(paths),
            dry_run=dry_run,
            progress=progress,
            lang=lang.strip().lower(),
            prune=prune,
            columns={"question": question, "answer": answer} if question or answer else None,
        )
    _print_report(report, json_out)


@ingest.command("web")
@click.argument("addresses", nargs=-1, required=True, metavar="URL…")
@click.option("--most", default=500, show_default=True, type=click.IntRange(min=1), help="Pages to read.")
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_web(addresses: tuple[str, ...], most: int, dry_run: bool, json_out: Path | None) -> None:
    """Pages of your own website: a page, or a sitemap with many. robots.txt is respected."""
    from chatbot.outbound import allowed_entries
    from ingest.articles.web_import import import_web_pages
    from ingest.articles.web_pages import WebLimits, WebReader
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a page is in the report
    reader = WebReader(allow=allowed_entries(settings.outbound_private), limits=WebLimits(pages=most))
    with TerminalProgress() as progress:
        report = import_web_pages(
            open_database(settings), addresses, reader=reader, dry_run=dry_run, progress=progress
        )
    _print_report(report, json_out)


@ingest.command("intents")
@click.argument("file", type=FILES)
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_intents(file: Path, json_out: Path | None) -> None:
    """Intents with their titles and approved answers (YAML)."""
    from ingest.importing import import_intents
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress:
        report = import_intents(open_database(settings), [file], progress=progress)
    _print_report(report, json_out)


def _print_report(report: ImportReport, json_out: Path | None) -> None:
    from web.terminal import print_import

    body = report.as_json()
    write_json(json_out, body)
    if str(json_out) != "-":
        print_import(body)
