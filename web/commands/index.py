"""``frontdesk index``: what the search finds passages in."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json


@click.group()
def index() -> None:
    """The search index: hold it against the database, make it ready."""


@index.command("check")
@click.option("--repair", is_flag=True, help="Make anew what differs, and have every process compare itself.")
@click.option(
    "--release", "release_id", metavar="ID", help="The index of this release (default: the live one)."
)
@click.option("--vectors", default=200, show_default=True, help="Passages whose vectors are encoded again.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def index_check(repair: bool, release_id: str | None, vectors: int, json_out: Path | None) -> None:
    """Prove that the index equals the database (exit status 1 where it does not)."""
    from chatbot.learning.index_check import check_index
    from web.terminal import TerminalProgress, print_values

    settings = load_settings()
    log_to_stderr("ERROR")
    with TerminalProgress() as progress:
        report = check_index(
            open_database(settings),
            settings,
            release_id=release_id,
            repair=repair,
            sample=vectors,
            progress=progress,
        )
    write_json(json_out, report.as_json())
    if str(json_out) != "-":
        body = {
            key: ", ".join([str(len(value)), *map(str, value[:5])]) if isinstance(value, tuple) else value
            for key, value in report.as_json().items()
        }
        print_values("Search index", body)
    if not report.sound and not report.repaired:
        raise SystemExit(1)


@index.command("build")
@click.option("--release", "release_id", metavar="ID", required=True, help="The release that will go live.")
def index_build(release_id: str) -> None:
    """Encode the knowledge for a release before it is promoted, so that it can answer at once."""
    from chatbot.learning.index_check import prepare_index
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")
    with TerminalProgress() as progress:
        count = prepare_index(open_database(settings), settings, release_id, progress=progress)
    click.echo(f"The index of {release_id} is ready: {count} passages.")
